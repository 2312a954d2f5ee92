"""Importing opt-outs and denied numbers from a file.

`start_import` serves the web role; `run_import` is the job. Numbers go in block by block, each of
them blocked from then on: a cancelled import keeps what it has taken, and the same file again adds
the rest. Nothing of a line that was not taken is lost.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from textwave.accounts import store as accounts
from textwave.customers.request import check_encoding
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, PlatformId, SignatureId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.watching import probing
from textwave.suppression import import_store as store
from textwave.suppression.entries import Broken, Entry, Form, read_entries
from textwave.suppression.import_store import RejectedLine, Target

IMPORT: Final = "suppression.import"
_BLOCK_RECORDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One file of numbers; without a signature they are a platform's, without both all deny."""

    path: str
    file_name: str
    actor: str
    signature_id: SignatureId | None = None
    platform_id: PlatformId | None = None
    reason: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    mobile_column: str | None = None
    time_column: str | None = None
    evidence_column: str | None = None

    def check(self) -> None:
        """Refuse what cannot be done whatever the file holds.

        Raises:
            InvalidValue: encoding or delimiter are none.
        """
        check_encoding(self.encoding)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidValue("delimiter", "It must be one character and no quote or line end.")

    def form(self, workspace: accounts.Workspace, clock: Clock) -> Form:
        """Return how the file is to be read."""
        return Form(
            file_name=self.file_name,
            region=workspace.default_region,
            zone=ZoneInfo(workspace.time_zone),
            now=clock.now(),
            encoding=self.encoding,
            delimiter=self.delimiter,
            mobile_column=self.mobile_column,
            time_column=self.time_column,
            evidence_column=self.evidence_column,
        )


@dataclass(slots=True)
class _Taking:
    """An import under way; bytes of a workbook are not told, its lines are."""

    size_bytes: int
    bytes_read: int = 0
    rows_read: int = 0
    invalid: int = 0
    overtaken: int = 0
    without_time: int = field(default=0)

    def saw(self, length: int) -> None:
        self.bytes_read = length

    def count(self, entries: list[Entry], broken: list[Broken], overtaken: int) -> None:
        self.rows_read += len(entries) + len(broken)
        self.invalid += len(broken)
        self.overtaken += overtaken
        self.without_time += sum(entry.at is None for entry in entries)

    def told(self) -> Mapping[str, Any]:
        """Say how far it is."""
        share = {"bytes_total": self.size_bytes, "bytes_read": self.bytes_read}
        return {"phase": "reading", "rows_read": self.rows_read, "invalid": self.invalid} | share


async def start_import(
    connection: Connection, *, workspace_id: WorkspaceId, request: ImportRequest
) -> OperationId:
    """Begin to take the stored file.

    The result has `rows_read` = `added` + `duplicates` + `overtaken` + `invalid`.

    Raises:
        InvalidValue: encoding or delimiter are none.
    """
    request.check()
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=request.actor,
        action="opt-out.import" if request.platform_id is not None else "deny-list.import",
        object_name=request.file_name,
        detail={
            "signature_id": request.signature_id,
            "platform_id": request.platform_id,
            "reason": request.reason,
        },
    )
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=IMPORT, request=asdict(request)
    )


async def rejected_lines(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    after: int,
    limit: int,
) -> list[RejectedLine]:
    """Return lines of an import that were not taken, whole.

    Raises:
        NotFound: there is no such import.
    """
    operation = await progress.read(
        connection, workspace_id=workspace_id, operation_id=operation_id
    )
    if operation.kind != IMPORT:
        raise NotFound("import", str(operation_id))
    return await store.rejected_lines(
        connection, workspace_id=workspace_id, operation_id=operation_id, after=after, limit=limit
    )


async def run_import(
    *, ledger: Ledger, clock: Clock, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_import`; harmless when run twice. The stored file goes at the end."""
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    work = partial(_import, ledger, clock, workspace_id, operation_id)
    await progress.perform(ledger, **key, work=work)
    async with ledger.transaction() as connection:
        operation = await progress.read(connection, **key)
    if operation.finished:
        await asyncio.to_thread(Path(operation.request["path"]).unlink, missing_ok=True)


async def _import(
    ledger: Ledger,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    written: dict[str, Any],
) -> dict[str, Any]:
    request = ImportRequest(**written)
    async with ledger.transaction() as connection:
        form = request.form(await accounts.workspace(connection, workspace_id), clock)
    target = Target(
        workspace_id,
        operation_id,
        request.signature_id,
        request.platform_id,
        request.reason,
        request.actor,
    )
    path = Path(request.path)
    taking = _Taking(path.stat().st_size)
    with probing(taking.told):
        await _take(ledger, target, _blocks(path, form, taking), form, taking)
    async with ledger.transaction() as connection:
        added = await store.added_by_import(connection, workspace_id, operation_id)
    valid = taking.rows_read - taking.invalid
    return {
        "file": request.file_name,
        "rows_read": taking.rows_read,
        "added": added,
        "duplicates": valid - taking.overtaken - added,
        "overtaken": taking.overtaken,
        "invalid": taking.invalid,
        "without_time": taking.without_time,
    }


async def _take(
    ledger: Ledger,
    target: Target,
    blocks: Iterator[list[Entry | Broken]],
    form: Form,
    taking: _Taking,
) -> None:
    while block := await asyncio.to_thread(next, blocks, None):
        entries = [one for one in block if isinstance(one, Entry)]
        broken = [one for one in block if isinstance(one, Broken)]
        async with ledger.transaction() as connection:
            overtaken = await store.add_entries(connection, target, entries, form.now)
            await store.reject_lines(connection, target, broken)
        taking.count(entries, broken, overtaken)


def _blocks(path: Path, form: Form, taking: _Taking) -> Iterator[list[Entry | Broken]]:
    records = read_entries(path, form, seen=taking.saw)
    while block := list(islice(records, _BLOCK_RECORDS)):
        yield block
