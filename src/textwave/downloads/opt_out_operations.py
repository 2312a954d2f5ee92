"""Exporting opt-outs and the deny list as evidence: written by a job, fetched when it is ready.

Numbers are masked unless an administrator asks for them; who exported what is in the audit log. The
file is readable by its owner only and deleted after a day.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from textwave.accounts import store as accounts
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.downloads.operations import KEPT, DownloadNotReady
from textwave.downloads.opt_out_files import SheetFormat, cells_of, open_sheets
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.watching import probing
from textwave.suppression.export_store import Exported, ExportRow, export_blocks

EXPORT: Final = "suppression.export"
_BLOCK_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class ExportAsker:
    """Who asks for an export."""

    name: str
    is_administrator: bool


@dataclass(slots=True)
class _Written:
    """How far the file is."""

    rows: int = 0

    def told(self) -> dict[str, Any]:
        return {"phase": "writing", "rows": self.rows}


async def start_export(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    asker: ExportAsker,
    exported: Exported,
    form: SheetFormat,
    reveal_numbers: bool,
) -> OperationId:
    """Begin to write the entries to a file; the result is `{rows, bytes, until, …}`.

    Raises:
        AdministratorNeeded: numbers are to be revealed to somebody else.
    """
    if reveal_numbers and not asker.is_administrator:
        raise AdministratorNeeded(asker.name)
    request = {
        "exported": asdict(exported),
        "format": form.value,
        "reveal_numbers": reveal_numbers,
        "actor": asker.name,
    }
    return await progress.begin(connection, workspace_id=workspace_id, kind=EXPORT, request=request)


async def find_export(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    asker: ExportAsker,
    operation_id: OperationId,
    folder: Path,
) -> Path:
    """Return where the finished file is.

    Raises:
        NotFound: no such export, or its day is over.
        AdministratorNeeded: it shows numbers, and somebody else asks for it.
        DownloadNotReady: its operation has not succeeded.
    """
    operation = await progress.read(
        connection, workspace_id=workspace_id, operation_id=operation_id
    )
    if operation.kind != EXPORT:
        raise NotFound("export", str(operation_id))
    if operation.request["reveal_numbers"] and not asker.is_administrator:
        raise AdministratorNeeded(asker.name)
    if operation.state != "succeeded":
        raise DownloadNotReady(operation_id, operation.state)
    path = folder / f"{operation_id}.{operation.request['format']}"
    if not path.exists():
        raise NotFound("export", str(operation_id))
    return path


async def run_export(
    *, ledger: Ledger, folder: Path, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_export`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        exported = Exported(**request["exported"])
        path = folder / f"{operation_id}.{SheetFormat(request['format']).value}"
        known = {name: request[name] for name in ("format", "reveal_numbers")}
        progressing = _Written()
        async with ledger.transaction() as connection:
            zone = ZoneInfo((await accounts.workspace(connection, workspace_id)).time_zone)
            blocks = export_blocks(connection, workspace_id, exported, block_rows=_BLOCK_ROWS)
            with probing(progressing.told):
                await _write(path, blocks, zone, request, progressing)
            await accounts.audit(
                connection,
                workspace_id=workspace_id,
                actor=request["actor"],
                action="opt-out.exported",
                object_name=exported.kind,
                detail={**known, **request["exported"], "rows": progressing.rows},
            )
        size = path.stat().st_size
        until = (datetime.now(UTC) + KEPT).isoformat(timespec="seconds")
        return {**known, "rows": progressing.rows, "bytes": size, "until": until}

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def _write(
    path: Path,
    blocks: AsyncIterator[list[ExportRow]],
    zone: ZoneInfo,
    request: dict[str, Any],
    progressing: _Written,
) -> None:
    """Write all blocks beside the file, which is there when it is whole."""
    part, reveal = path.with_suffix(".part"), bool(request["reveal_numbers"])
    part.touch(mode=0o600)
    try:
        sheets = open_sheets(part, SheetFormat(request["format"]))
        async for block in blocks:
            rows = [cells_of(row, zone, reveal_numbers=reveal) for row in block]
            await asyncio.to_thread(sheets.write, rows)
            progressing.rows += len(block)
        await asyncio.to_thread(sheets.close)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
