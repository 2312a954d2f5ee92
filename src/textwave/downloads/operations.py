"""Downloading the customers of an audience: written by a job, fetched when it is ready.

The file lies in the data folder, readable by its owner only, and is deleted after a day. Numbers
are masked unless an administrator asks for them; who got what is in the audit log. Refused: columns
that the table has not, and an audience that has not been computed.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa

from textwave.accounts import store as accounts
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.audiences import store
from textwave.audiences.comparison_operations import AudienceNotComputed
from textwave.audiences.people import people
from textwave.audiences.tables import Column, CustomerTable
from textwave.audiences.visibility import Viewer
from textwave.customers.columns import ColumnType
from textwave.downloads.masking import Masking
from textwave.downloads.writing import FileFormat, write_file
from textwave.kit.ids import OperationId, SnapshotId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse
from textwave.storage.watching import probing

DOWNLOAD: Final = "audiences.download"
KEPT: Final = timedelta(hours=24)
_BLOCK_ROWS: Final = 20_000
_NUMBER: Final = "textwave_mobile"


@dataclass(eq=False)
class DownloadNotReady(Refusal):
    """The file is not there: still being written, or its writing has failed."""

    code: ClassVar[str] = "download_not_ready"
    operation_id: int
    state: str

    @property
    def sentence(self) -> str:
        return (
            f"The download is {self.state}. Wait until operation {self.operation_id} has "
            "succeeded, or ask for the download anew."
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in the file; no columns: all that the table declares."""

    form: FileFormat
    columns: tuple[str, ...] | None = None
    reveal_numbers: bool = False


async def start_download(
    connection: Connection, *, workspace_id: WorkspaceId, viewer: Viewer, name: str, wanted: Wanted
) -> OperationId:
    """Begin to write the newest members to a file; the result is `{rows, bytes, until, …}`.

    Raises:
        NotFound: no such audience that the viewer sees.
        AudienceNotComputed: it has no members yet.
        AdministratorNeeded: numbers are to be revealed to somebody else.
        InvalidValue: a column is none of the table's.
    """
    if wanted.reveal_numbers and not viewer.is_administrator:
        raise AdministratorNeeded(viewer.name)
    audience = await store.audience(connection, workspace_id, name, viewer)
    if audience.snapshot is None:
        raise AudienceNotComputed(name, None)
    table = (await store.tables(connection, workspace_id))[audience.definition.table]
    columns = _columns(table, wanted.columns)
    request = {
        "audience": name,
        "table": table.name,
        "snapshot": audience.snapshot.id,
        "format": wanted.form.value,
        "columns": [column.name for column in columns],
        "reveal_numbers": wanted.reveal_numbers,
        "actor": viewer.name,
    }
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=DOWNLOAD, request=request
    )


async def find_download(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    viewer: Viewer,
    name: str,
    operation_id: OperationId,
    folder: Path,
) -> Path:
    """Return where the finished file is.

    Raises:
        NotFound: no such download of that audience, or its day is over.
        AdministratorNeeded: it shows numbers, and somebody else asks for it.
        DownloadNotReady: its operation has not succeeded.
    """
    await store.audience(connection, workspace_id, name, viewer)
    operation = await progress.read(
        connection, workspace_id=workspace_id, operation_id=operation_id
    )
    if operation.kind != DOWNLOAD or operation.request["audience"] != name:
        raise NotFound("download", str(operation_id))
    if operation.request["reveal_numbers"] and not viewer.is_administrator:
        raise AdministratorNeeded(viewer.name)
    if operation.state != "succeeded":
        raise DownloadNotReady(operation_id, operation.state)
    path = _path(folder, operation_id, FileFormat(operation.request["format"]))
    if not path.exists():
        raise NotFound("download", str(operation_id))
    return path


async def run_download(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    folder: Path,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_download`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            workspace = await accounts.workspace(connection, workspace_id)
            table = (await store.tables(connection, workspace_id))[request["table"]]
        form, reveal = FileFormat(request["format"]), bool(request["reveal_numbers"])
        path = _path(folder, operation_id, form)
        writing = _Writing(
            table,
            _columns(table, request["columns"]),
            Masking(table, workspace.default_region, reveal),
            SnapshotId(request["snapshot"]),
            form,
            ZoneInfo(workspace.time_zone),
            path,
        )
        with probing(writing.told):
            rows = await warehouse.run(workspace_id, writing.run)
        async with ledger.transaction() as connection:
            await accounts.audit(
                connection,
                workspace_id=workspace_id,
                actor=request["actor"],
                action="audience.downloaded",
                object_name=request["audience"],
                detail={name: request[name] for name in ("format", "columns", "reveal_numbers")}
                | {"rows": rows},
            )
        return {
            "audience": request["audience"],
            "format": form.value,
            "columns": request["columns"],
            "reveal_numbers": reveal,
            "rows": rows,
            "bytes": path.stat().st_size,
            "until": (datetime.now(UTC) + KEPT).isoformat(timespec="seconds"),
        }

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def forget_downloads(folder: Path, *, now: datetime) -> int:
    """Delete files that are older than a day; return how many there were."""
    return await asyncio.to_thread(_forget, folder, (now - KEPT).timestamp())


def _forget(folder: Path, before: float) -> int:
    gone = 0
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):  # another worker was faster
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def _path(folder: Path, operation_id: OperationId, form: FileFormat) -> Path:
    return folder / f"{operation_id}.{form.value}"


def _columns(table: CustomerTable, names: Sequence[str] | None) -> tuple[Column, ...]:
    if names is None:
        return table.columns
    found = [table.column(name) for name in dict.fromkeys(names)]
    missing = [name for name in names if table.column(name) is None]
    if missing or not found:
        there = ", ".join(f"“{column.name}”" for column in table.columns[:30])
        asked = f"“{table.name}” has no column “{missing[0]}”" if missing else "None is named"
        raise InvalidValue("columns", f"{asked}; choose from {there}.")
    return tuple(column for column in found if column is not None)


@dataclass(slots=True)
class _Writing:
    """One download under way."""

    table: CustomerTable
    columns: tuple[Column, ...]
    masking: Masking
    snapshot: SnapshotId
    form: FileFormat
    zone: ZoneInfo
    path: Path
    rows: int = field(default=0)

    def told(self) -> dict[str, Any]:
        """Say how many customers are written."""
        return {"phase": "writing", "rows": self.rows}

    def run(self, lake: Lake) -> int:
        """Write all blocks beside the file, which is there when it is whole."""
        part = self.path.with_suffix(".part")
        try:
            rows = write_file(part, self._blocks(lake), self.columns, self.form, zone=self.zone)
            part.chmod(0o600)
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)
        return rows

    def _blocks(self, lake: Lake) -> Iterator[pa.RecordBatch]:
        with lake.stream(self._selected(lake), rows_per_batch=_BLOCK_ROWS) as reader:
            yield self._shown(pa.RecordBatch.from_pylist([], reader.schema))
            for block in reader:
                self.rows += block.num_rows
                yield self._shown(block)

    def _shown(self, block: pa.RecordBatch) -> pa.RecordBatch:
        cells = [
            self.masking.shown(cell, column)
            for cell, column in zip(block.columns, self.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(cells, names=[column.name for column in self.columns])

    def _selected(self, lake: Lake) -> ir.Table:
        rows = people(self.table, lake.table)
        members = store.member_ids(lake, self.snapshot)
        chosen = rows.filter(rows[self.table.customer_column].isin(members["customer"]))
        return chosen.select(**{column.name: self._cell(chosen, column) for column in self.columns})

    def _cell(self, rows: ir.Table, column: Column) -> Any:
        """Return a column; new people have their number in Textwave's own column only."""
        cell: Any = rows[column.name]
        written = column.name == self.table.mobile_column and cell.type().is_string()
        if not (written and self.table.has_new_people and column.type is ColumnType.TEXT):
            return cell
        return cell.coalesce(rows[_NUMBER].cast("string"))
