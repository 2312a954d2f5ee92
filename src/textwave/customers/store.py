"""Rows of customer tables and of their imports, as the ledger has them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.customers.uses import Stored, Use, find_uses
from textwave.kit.ids import OperationId, TableId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.customers")


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """A table of the workspace.

    `columns` are `{"name", "type"}`, perhaps with `separator`; `ids` are `{"type", "column"}`.
    """

    id: TableId
    name: str
    kind: str
    columns: list[dict[str, str]]
    customer_column: str
    customer_id_type: str
    ids: list[dict[str, str]]
    mobile_column: str | None
    time_column: str | None
    amount_column: str | None
    count_column: str | None
    partition_column: str | None
    row_count: int
    lake_version: int
    is_system: bool
    mobile_key: int | None
    mobile_region: str | None
    statistics: dict[str, dict[str, Any]] | None
    statistics_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table is after an import."""

    name: str
    kind: str
    columns: list[dict[str, str]]
    customer_column: str
    customer_id_type: str
    ids: list[dict[str, str]]
    mobile_column: str | None
    time_column: str | None
    amount_column: str | None
    count_column: str | None
    partition_column: str | None
    row_count: int
    lake_version: int
    mobile_key: int | None
    mobile_region: str | None


@dataclass(frozen=True, slots=True)
class Import:
    """One import that has happened."""

    id: int
    table_name: str
    file_name: str
    file_sha256: str
    mode: str
    operation_id: OperationId | None
    rows_read: int
    rows_kept: int
    rows_rejected: int
    lake_version: int
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class NewImport:
    """An import to be written down."""

    id: int
    table_name: str
    file_name: str
    file_sha256: str
    mode: str
    operation_id: OperationId
    rows_read: int
    rows_kept: int
    rows_rejected: int
    lake_version: int


async def tables(connection: Connection, workspace_id: WorkspaceId) -> list[CustomerTable]:
    """Return all tables of the workspace, by name."""
    return await many(connection, CustomerTable, _SQL["tables"], {"workspace_id": workspace_id})


async def find_table(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> CustomerTable | None:
    """Return a table of the workspace, or None."""
    parameters = {"workspace_id": workspace_id, "name": name}
    return await one(connection, CustomerTable, _SQL["table"], parameters)


async def table(connection: Connection, workspace_id: WorkspaceId, name: str) -> CustomerTable:
    """Read a table of the workspace.

    Raises:
        NotFound: there is none of that name.
    """
    found = await find_table(connection, workspace_id=workspace_id, name=name)
    if found is None:
        raise NotFound("table", name)
    return found


async def save_table(
    connection: Connection, *, workspace_id: WorkspaceId, state: TableState
) -> None:
    """Write what a table is after an import."""
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "name": state.name,
        "kind": state.kind,
        "columns": Jsonb(state.columns),
        "customer_column": state.customer_column,
        "customer_id_type": state.customer_id_type,
        "ids": Jsonb(state.ids),
        "mobile_column": state.mobile_column,
        "time_column": state.time_column,
        "amount_column": state.amount_column,
        "count_column": state.count_column,
        "partition_column": state.partition_column,
        "row_count": state.row_count,
        "lake_version": state.lake_version,
        "mobile_key": state.mobile_key,
        "mobile_region": state.mobile_region,
    }
    await execute(connection, _SQL["save_table"], parameters)


async def save_statistics(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    statistics: dict[str, dict[str, Any]],
) -> None:
    """Keep what is known of a table's columns."""
    parameters = {"workspace_id": workspace_id, "name": name, "statistics": Jsonb(statistics)}
    await execute(connection, _SQL["save_statistics"], parameters)


async def delete_table(connection: Connection, *, workspace_id: WorkspaceId, name: str) -> None:
    """Forget a table and its imports."""
    parameters = {"workspace_id": workspace_id, "name": name}
    await execute(connection, _SQL["delete_imports"], parameters)
    await execute(connection, _SQL["delete_table"], parameters)


async def uses(connection: Connection, *, workspace_id: WorkspaceId, name: str) -> list[Use]:
    """Return the audiences, models and lists that use a table."""
    parameters = {"workspace_id": workspace_id, "table": name, "quoted": f'"{name}"'}
    return find_uses(await many(connection, Stored, _SQL["possible_uses"], parameters), name)


async def next_import(connection: Connection) -> int:
    """Take the number of the next import."""
    number: int = await value(connection, _SQL["next_import"])
    return number


async def add_import(connection: Connection, *, workspace_id: WorkspaceId, new: NewImport) -> None:
    """Write down an import that has happened."""
    parameters: dict[str, Any] = {
        "id": new.id,
        "workspace_id": workspace_id,
        "table_name": new.table_name,
        "file_name": new.file_name,
        "file_sha256": new.file_sha256,
        "mode": new.mode,
        "operation_id": new.operation_id,
        "rows_read": new.rows_read,
        "rows_kept": new.rows_kept,
        "rows_rejected": new.rows_rejected,
        "lake_version": new.lake_version,
    }
    await execute(connection, _SQL["add_import"], parameters)


async def imports(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, limit: int = 50
) -> list[Import]:
    """Return the newest imports of a table."""
    parameters = {"workspace_id": workspace_id, "name": name, "limit": limit}
    return await many(connection, Import, _SQL["imports"], parameters)


async def newest_imports(connection: Connection, workspace_id: WorkspaceId) -> list[Import]:
    """Return the newest import of each table."""
    parameters = {"workspace_id": workspace_id}
    return await many(connection, Import, _SQL["newest_imports"], parameters)
