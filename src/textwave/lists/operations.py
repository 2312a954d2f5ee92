"""Uploading lists of ids, and deleting them.

`start_upload` and `delete_list` serve the web role; `run_upload` and `run_sweep` are jobs. An
upload that ran before its worker died runs again: it writes its ids under another number, and what
the dead one wrote is swept away.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from textwave.accounts import store as accounts
from textwave.audiences import store as audience_store
from textwave.audiences.operations import create_audience, take_snapshot
from textwave.audiences.rule import InList
from textwave.audiences.tables import CustomerTable
from textwave.customers.key_operations import check_version, open_key
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, NotFound, Refusal
from textwave.lists import lake as ids
from textwave.lists import store
from textwave.lists.reading import Form
from textwave.lists.request import UploadRequest
from textwave.lists.staging import Staged, Wanted, stage_ids
from textwave.lists.store import Counts, KeptFile, KeptUpload, Present
from textwave.lists.values import header_names
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger, may_stand_still
from textwave.storage.queue import Job, defer
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse
from textwave.storage.watching import probing

UPLOAD: Final = "lists.upload"
SWEEP: Final = "lists.sweep"


@dataclass(eq=False)
class ListExists(Refusal):
    """Another file was uploaded under the name."""

    code: ClassVar[str] = "list_exists"
    list: str
    file_name: str

    @property
    def sentence(self) -> str:
        return (
            f"The list “{self.list}” exists already (from “{self.file_name}”, or read in another "
            "way). Choose another name, or ask for its replacement with `replace`."
        )


@dataclass(eq=False)
class ListInUse(Refusal):
    """A rule names the list."""

    code: ClassVar[str] = "list_in_use"
    list: str
    users: tuple[str, ...]

    @property
    def sentence(self) -> str:
        named = ", ".join(f"“{name}”" for name in self.users)
        return f"Rules of {named} name the list “{self.list}”. Change or archive these first."


@dataclass(frozen=True, slots=True)
class Uploading:
    """What an upload works with."""

    ledger: Ledger
    warehouse: Warehouse
    clock: Clock
    vault: Vault


async def start_upload(
    connection: Connection, *, workspace_id: WorkspaceId, request: UploadRequest
) -> OperationId:
    """Begin to take the stored file as a list and as an audience of the same name.

    The result has `rows_read` = `invalid` + `duplicates` + `matched` + `unmatched`.

    Raises:
        InvalidValue, NotFound, ListTableUnfit, IdTypeUnknown, NumbersEncrypted, AlreadyExists,
        EncryptionKeyMissing: what its sentence says.
    """
    await check_upload(connection, workspace_id=workspace_id, request=request)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=request.actor,
        action="list.upload",
        object_name=request.list,
        detail={"file": request.file_name, "table": request.table, "id_type": request.id_type},
    )
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=UPLOAD, request=request.written()
    )


async def delete_list(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Delete a list that no rule names; its ids and new people leave the lake soon.

    Raises:
        NotFound: there is no such list.
        ListInUse: the rule of an audience or a model names it.
    """
    await store.read(connection, workspace_id, name)
    users = await store.users(connection, workspace_id, name)
    if users:
        raise ListInUse(name, tuple(users))
    await store.remove(connection, workspace_id, name)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="list.deleted",
        object_name=name,
    )
    await defer(connection, sweep_job(workspace_id))


def sweep_job(workspace_id: WorkspaceId) -> Job:
    """Return the job that removes from the lake what belongs to no list any more."""
    args = {"workspace_id": workspace_id}
    return Job(task=SWEEP, queue="compute", args=args, queueing_lock=f"{SWEEP} {workspace_id}")


async def run_sweep(*, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> None:
    """Do the job of `sweep_job`, while no upload writes."""
    async with ledger.transaction() as connection:
        await may_stand_still(connection)
        await store.lock(connection, workspace_id)
        present = await store.present(connection, workspace_id)
        await warehouse.run(workspace_id, lambda lake: ids.sweep(lake, present))


async def run_upload(
    using: Uploading, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_upload`; the stored file goes when it has ended."""
    work = partial(_upload, using, workspace_id, operation_id)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await progress.perform(using.ledger, **key, work=work)
    async with using.ledger.transaction() as connection:
        operation = await progress.read(connection, **key)
    if operation.finished:
        await asyncio.to_thread(Path(operation.request["path"]).unlink, missing_ok=True)


async def _upload(
    using: Uploading,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    written: dict[str, Any],
) -> dict[str, Any]:
    request = UploadRequest(**written)
    path = Path(request.path)
    target = path.with_name(f"{path.name}.{operation_id}.staged")
    try:
        async with using.ledger.transaction() as connection:
            table = await check_upload(connection, workspace_id=workspace_id, request=request)
            wanted = await _wanted(connection, using.vault, workspace_id, request, table)
        staged = await _stage(path, target, wanted)
        already = await _take(using, workspace_id, operation_id, request, table, staged, target)
    finally:
        target.unlink(missing_ok=True)
    snapshot = await take_snapshot(
        ledger=using.ledger,
        warehouse=using.warehouse,
        clock=using.clock,
        workspace_id=workspace_id,
        name=request.list,
    )
    async with using.ledger.transaction() as connection:
        kept = await store.read(connection, workspace_id, request.list)
    return _result(kept, staged, already=already, size=snapshot.size)


async def check_upload(
    connection: Connection, *, workspace_id: WorkspaceId, request: UploadRequest
) -> CustomerTable:
    """Refuse what cannot be done whatever the file holds; return the table.

    Raises:
        InvalidValue, NotFound, ListTableUnfit, IdTypeUnknown, NumbersEncrypted, AlreadyExists,
        EncryptionKeyMissing: what its sentence says.
    """
    tables = await audience_store.tables(connection, workspace_id)
    request.check(tables)
    if request.encrypted:
        await check_version(connection, workspace_id=workspace_id, version=request.key_version)
    rule = await _rule_of(connection, workspace_id, request.list)
    if rule not in (None, (request.table, InList(list=request.list))):
        raise AlreadyExists("audience", request.list)
    return tables[request.table]


async def _rule_of(connection: Connection, workspace_id: WorkspaceId, name: str) -> object:
    try:
        found = await audience_store.audience(connection, workspace_id, name)
    except NotFound:
        return None
    return found.definition.table, found.definition.rule


async def _wanted(
    connection: Connection,
    vault: Vault,
    workspace_id: WorkspaceId,
    request: UploadRequest,
    table: CustomerTable,
) -> Wanted:
    workspace = await accounts.workspace(connection, workspace_id)
    key = None
    if request.encrypted:
        opened = await open_key(
            connection, vault, workspace_id=workspace_id, version=request.key_version
        )
        key = opened.secret
    declared = [column.column for column in table.ids if column.type == request.id_type]
    names = header_names(request.id_type, declared)
    form = Form(request.file_name, request.column, names, request.encoding, request.delimiter)
    return Wanted(form, request.id_type, workspace.default_region, key)


async def _stage(path: Path, target: Path, wanted: Wanted) -> Staged:
    """Read the file in a thread that ends soon after a cancel."""
    total, done, stop = path.stat().st_size, [0], threading.Event()

    def seen(bytes_read: int) -> None:
        if stop.is_set():
            raise asyncio.CancelledError
        done[0] = bytes_read

    def told() -> dict[str, Any]:
        return {"phase": "reading", "bytes_read": done[0], "bytes_total": total}

    with probing(told):
        thread = asyncio.ensure_future(
            asyncio.to_thread(stage_ids, path, target, wanted, seen=seen)
        )
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([thread])
            raise


async def _take(
    using: Uploading,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    request: UploadRequest,
    table: CustomerTable,
    staged: Staged,
    target: Path,
) -> bool:
    """Make the staged ids the list of the name; tell whether they are that already.

    Raises:
        ListExists: another upload has the name, and it is not to be replaced.
    """
    fingerprint = request.fingerprint(staged.sha256)
    async with using.ledger.transaction() as connection:
        await may_stand_still(connection)
        await store.lock(connection, workspace_id)
        known = await store.find(connection, workspace_id, request.list)
        if known is not None and known.operation_id == operation_id:
            return False
        if known is not None and not request.replace:
            if known.fingerprint == fingerprint:
                return True
            raise ListExists(request.list, known.file_name)
        list_id = await store.next_list(connection)
        present = Present(list_id, request.table, request.id_type, request.keeps_unmatched)
        counts = await using.warehouse.run(workspace_id, _writing(staged, target, present, table))
        file = KeptFile(
            request.file_name, staged.sha256, fingerprint, operation_id, request.actor
        )  # fmt: skip
        await store.put(
            connection, workspace_id, present=present, name=request.list, file=file, counts=counts
        )
        await _make_audience(connection, workspace_id, request)
        if known is not None:
            await defer(connection, sweep_job(workspace_id))
    return False


def _writing(
    staged: Staged, target: Path, present: Present, table: CustomerTable
) -> Callable[[Any], Counts]:
    def work(lake: Any) -> Counts:
        matched = ids.write_list(
            lake,
            target,
            list_id=present.id,
            table=table,
            id_type=present.id_type,
            keeps=present.keeps_unmatched,
        )
        return Counts(
            rows_read=staged.rows_read,
            invalid=staged.invalid,
            duplicates=staged.valid - matched.distinct,
            matched=matched.distinct - matched.unmatched,
            unmatched=matched.unmatched,
        )

    return work


async def _make_audience(
    connection: Connection, workspace_id: WorkspaceId, request: UploadRequest
) -> None:
    """Make the audience of the list if there is none."""
    if await _rule_of(connection, workspace_id, request.list) is None:
        await create_audience(
            connection,
            workspace_id=workspace_id,
            actor=request.actor,
            name=request.list,
            table=request.table,
            rule=InList(list=request.list),
        )


def _result(kept: KeptUpload, staged: Staged, *, already: bool, size: int) -> dict[str, Any]:
    return {
        "list": kept.name,
        "audience": kept.name,
        "table": kept.table_name,
        "id_type": kept.id_type,
        "column": staged.column,
        "rows_read": kept.rows_read,
        "invalid": kept.invalid,
        "duplicates": kept.duplicates,
        "matched": kept.matched,
        "unmatched": kept.unmatched,
        "keeps_unmatched": kept.keeps_unmatched,
        "size": size,
        "already_uploaded": already,
        "invalid_rows": [{"line": row.line, "reason": row.reason} for row in staged.invalid_rows],
    }
