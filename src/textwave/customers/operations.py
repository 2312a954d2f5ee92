"""Importing customers, orders and behaviours, and looking at the tables they make.

An import is a long-running operation: begun with a stored file, done by the worker. The old table
stays as it was until the whole file has been taken.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from textwave.accounts import store as accounts
from textwave.customers import rejects, store
from textwave.customers.columns import Column, ColumnType, Part, TableKind
from textwave.customers.encrypted_import import encrypted_layout, find_cipher
from textwave.customers.intake import Intake, Progress, Taken, take
from textwave.customers.key_operations import check_version
from textwave.customers.layout import ExistingTable, Layout, decide_layout
from textwave.customers.naming import read_header
from textwave.customers.rejects import RejectedRow
from textwave.customers.request import ImportRequest, read_request
from textwave.customers.store import CustomerTable, Import, NewImport, TableState
from textwave.customers.upload import Upload, examine
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress as operations
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse
from textwave.storage.watching import probing

IMPORT_TASK: Final = "customers.import"
STATISTICS_TASK: Final = "customers.statistics"
AFTER_IMPORT_TASK: Final = "audiences.after_import"
REJECTED_ROWS_TASK: Final = "customers.rejected_rows"
_MOST_REJECTED_ROWS_A_PAGE: Final = 1_000


async def start_import(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, request: ImportRequest
) -> OperationId:
    """Begin the import of a stored file.

    Raises:
        TableNameInvalid, ModeUnfit, InvalidValue, EncryptionKeyMissing: it could not succeed
            whatever the file holds.
    """
    request.check()
    if request.mobile_encrypted:
        await check_version(connection, workspace_id=workspace_id, version=request.key_version)
    detail = {"file": request.file_name, "mode": request.mode.value}
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="table.import",
        object_name=request.table,
        detail=detail,
    )
    return await operations.begin(
        connection, workspace_id=workspace_id, kind=IMPORT_TASK, request=request.written()
    )


async def run_import(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do an import that was begun, and record how it ended; its file goes when it has ended."""

    async def work(written: dict[str, Any]) -> dict[str, Any]:
        request = read_request(written)
        return await import_file(ledger, warehouse, vault, workspace_id, operation_id, request)

    await operations.perform(
        ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )
    async with ledger.transaction() as connection:
        operation = await operations.read(
            connection, workspace_id=workspace_id, operation_id=operation_id
        )
    if operation.finished:
        await asyncio.to_thread(Path(operation.request["path"]).unlink, missing_ok=True)


async def tables(connection: Connection, workspace_id: WorkspaceId) -> list[CustomerTable]:
    """Return all tables of the workspace, by name."""
    return await store.tables(connection, workspace_id)


async def table(connection: Connection, workspace_id: WorkspaceId, name: str) -> CustomerTable:
    """Read a table of the workspace.

    Raises:
        NotFound: there is none of that name.
    """
    return await store.table(connection, workspace_id, name)


async def imports(connection: Connection, *, workspace_id: WorkspaceId, name: str) -> list[Import]:
    """Return the newest 50 imports of a table."""
    return await store.imports(connection, workspace_id=workspace_id, name=name)


async def newest_imports(connection: Connection, workspace_id: WorkspaceId) -> list[Import]:
    """Return the newest import of each table that has one."""
    return await store.newest_imports(connection, workspace_id)


def read_rejected_rows(
    lake: Lake, import_id: int, limit: int = 100, after: int = 0
) -> list[RejectedRow]:
    """Return at most 1,000 rejected rows of an import, by line, after the given line."""
    bounded = max(0, min(limit, _MOST_REJECTED_ROWS_A_PAGE))
    return rejects.read(lake, import_id=import_id, limit=bounded, after=after)


async def import_file(
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    request: ImportRequest,
) -> dict[str, Any]:
    """Take a stored file as a part of an operation; return what its result says of it."""
    progress = Progress()
    async with ledger.transaction() as connection:
        existing = await store.find_table(connection, workspace_id=workspace_id, name=request.table)
        uses = await store.uses(connection, workspace_id=workspace_id, name=request.table)
        import_id = await store.next_import(connection)
        workspace = await accounts.workspace(connection, workspace_id)
        region = request.default_region or workspace.default_region
        cipher = await find_cipher(
            connection,
            vault,
            workspace_id=workspace_id,
            request=request,
            existing=existing,
            region=region,
        )

    def decide(upload: Upload) -> Intake:
        path = Path(request.path)
        return Intake(
            import_id,
            operation_id,
            request,
            upload,
            encrypted_layout(request, _layout(request, upload, existing), upload, cipher),
            _fingerprint(request, upload, region),
            region,
            ZoneInfo(workspace.time_zone),
            path.with_name(f"{path.name}.{operation_id}.staged"),
            None if existing is None else _existing(existing),
            tuple(uses),
            cipher,
            progress,
        )

    with probing(progress.written):
        intake, taken = await warehouse.run(
            workspace_id, lambda lake: _take(lake, request, progress, decide)
        )
    if taken.changed:
        await _record(ledger, workspace_id, operation_id, intake, taken)
    return _result(intake, taken)


def _take(
    lake: Lake, request: ImportRequest, progress: Progress, decide: Callable[[Upload], Intake]
) -> tuple[Intake, Taken]:
    """Look at the file, decide how it is read, and take it."""
    path = Path(request.path)
    progress.bytes_total = path.stat().st_size if path.exists() else 0
    with examine(
        path,
        request.file_name,
        encoding=request.encoding,
        delimiter=request.delimiter,
        seen=progress.seen,
    ) as upload:
        intake = decide(upload)
        return intake, take(lake, intake)


def _layout(request: ImportRequest, upload: Upload, existing: CustomerTable | None) -> Layout:
    names = read_header(upload.header)
    stored = {
        name: kind
        for name, declared in zip(names, upload.declared_types, strict=False)
        if (kind := _stated_type(declared)) is not None
    }
    return decide_layout(
        request,
        names,
        upload.sample,
        existing=None if existing is None else _existing(existing),
        delimiter=upload.delimiter,
        stored_types=stored,
    )


def _stated_type(declared: pa.DataType) -> ColumnType | None:
    if pa.types.is_list(declared) or pa.types.is_large_list(declared):
        return ColumnType.MULTI_VALUE
    if pa.types.is_temporal(declared):
        return ColumnType.TIME
    if pa.types.is_floating(declared) or pa.types.is_decimal(declared):
        return ColumnType.NUMBER
    return None


def _existing(found: CustomerTable) -> ExistingTable:
    columns = tuple(
        Column(column["name"], ColumnType(column["type"]), column.get("separator"))
        for column in found.columns
    )
    parts = {
        Part.CUSTOMER: found.customer_column,
        Part.MOBILE: found.mobile_column,
        Part.TIME: found.time_column,
        Part.AMOUNT: found.amount_column,
        Part.COUNT: found.count_column,
    }
    return ExistingTable(
        TableKind(found.kind),
        columns,
        {part: name for part, name in parts.items() if name is not None},
        {known["type"]: known["column"] for known in found.ids},
        found.customer_id_type,
        found.partition_column,
    )


def _fingerprint(request: ImportRequest, upload: Upload, region: str) -> str:
    """Return what makes two imports the same: the file's content and how it is read."""
    options = request.written() | {"default_region": region, "sha256": upload.sha256}
    for name in ("path", "file_name", "mode", "accept_changes"):
        del options[name]
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


async def _record(
    ledger: Ledger,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    intake: Intake,
    taken: Taken,
) -> None:
    request = intake.request
    new = NewImport(
        taken.import_id,
        request.table,
        request.file_name,
        intake.upload.sha256,
        request.mode.value,
        operation_id,
        taken.rows_read,
        taken.rows_kept,
        taken.rows_rejected,
        taken.lake_version,
    )
    async with ledger.transaction() as connection:
        await store.save_table(connection, workspace_id=workspace_id, state=_state(intake, taken))
        await store.add_import(connection, workspace_id=workspace_id, new=new)
        await _announce(connection, workspace_id, request.table)


def _state(intake: Intake, taken: Taken) -> TableState:
    request, layout, parts = intake.request, taken.layout, taken.layout.parts
    return TableState(
        request.table,
        request.kind.value,
        [column.written() for column in layout.columns],
        parts[Part.CUSTOMER],
        layout.customer_id_type,
        [{"type": id_type, "column": column} for id_type, column in layout.ids.items()],
        parts.get(Part.MOBILE),
        parts.get(Part.TIME),
        parts.get(Part.AMOUNT),
        parts.get(Part.COUNT),
        layout.partition,
        taken.row_count,
        taken.lake_version,
        None if intake.cipher is None else intake.cipher.key.version,
        None if intake.cipher is None else intake.cipher.region,
    )


async def _announce(connection: Connection, workspace_id: WorkspaceId, table: str) -> None:
    """Let follow what follows from a changed table: its statistics, and who refreshes by it."""
    args = {"workspace_id": workspace_id, "table": table}
    key = f"{workspace_id}:{table}"
    await defer(
        connection,
        Job(task=STATISTICS_TASK, queue="compute", args=args, queueing_lock=f"statistics:{key}"),
        Job(task=AFTER_IMPORT_TASK, queue="compute", args=args),
    )


def _result(intake: Intake, taken: Taken) -> dict[str, Any]:
    return {
        "import_id": taken.import_id,
        "table": intake.request.table,
        "kind": intake.request.kind.value,
        "mode": intake.request.mode.value,
        "rows_read": taken.rows_read,
        "rows_kept": taken.rows_kept,
        "rows_rejected": taken.rows_rejected,
        "row_count": taken.row_count,
        **taken.layout.written(),
        "encoding": None if intake.upload.is_parquet else intake.upload.encoding,
        "already_imported": taken.already,
        "changed": taken.changed,
        "numbers": dict(taken.numbers),
        "lake_version": taken.lake_version,
    }
