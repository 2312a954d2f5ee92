"""What is done with whole tables: their statistics, a search in a column's values, deletion.

Refused: deleting a table that an audience, a model or a list uses, or that Textwave keeps itself.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from textwave.accounts import store as accounts
from textwave.customers import store
from textwave.customers.columns import Column, ColumnType
from textwave.customers.intake import forget_table
from textwave.customers.statistics import Subject, find_values, measure
from textwave.customers.store import CustomerTable
from textwave.customers.uses import Use
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.storage import progress as operations
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

VALUES_TASK: Final = "customers.values"
DELETE_TASK: Final = "customers.delete_table"
_MOST_NAMED: Final = 20


@dataclass(eq=False)
class TableInUse(Refusal):
    """Something is defined over the table that was to be deleted."""

    code: ClassVar[str] = "table_in_use"
    table: str
    used_by: list[Use]

    @property
    def sentence(self) -> str:
        users = ", ".join(f"{use.kind} “{use.name}”" for use in self.used_by[:_MOST_NAMED])
        left = len(self.used_by) - _MOST_NAMED
        more = f" and {left} more" if left > 0 else ""
        return (
            f"Table “{self.table}” is used by {users}{more}. Delete or change these first; the "
            "table was left as it was."
        )


async def measure_table(
    ledger: Ledger, warehouse: Warehouse, *, workspace_id: WorkspaceId, table: str
) -> None:
    """Compute the statistics of a table's columns and keep them; harmless to do again."""
    async with ledger.transaction() as connection:
        found = await store.find_table(connection, workspace_id=workspace_id, name=table)
    if found is None:  # deleted meanwhile
        return
    subject = _subject(found)

    def work(lake: Lake) -> tuple[int, dict[str, dict[str, Any]]] | None:
        if not lake.has_table(table):
            return None
        with lake.transaction():
            return lake.version(), measure(lake, subject)

    measured = await warehouse.run(workspace_id, work)
    if measured is None:
        return
    async with ledger.transaction() as connection:
        await store.save_statistics(
            connection, workspace_id=workspace_id, name=table, statistics=measured[1]
        )


async def start_finding_values(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, column: str, contains: str
) -> OperationId:
    """Begin to look for the most frequent values of a column that contain a text.

    Raises:
        NotFound: there is no such table.
    """
    await store.table(connection, workspace_id, name)
    request = {"table": name, "column": column, "contains": contains}
    return await operations.begin(
        connection, workspace_id=workspace_id, kind=VALUES_TASK, request=request
    )


async def run_finding_values(
    ledger: Ledger, warehouse: Warehouse, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Look for values, as was asked."""

    async def work(asked: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            subject = _subject(await store.table(connection, workspace_id, asked["table"]))
        values = await warehouse.run(
            workspace_id,
            lambda lake: find_values(lake, subject, asked["column"], asked["contains"]),
        )
        return {"values": values}

    await operations.perform(
        ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def start_deletion(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> OperationId:
    """Begin to delete a table with all that was imported into it.

    Raises:
        NotFound, TableInUse, InvalidValue: see the module.
    """
    found = await store.table(connection, workspace_id, name)
    await _check_unused(connection, workspace_id, found)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="table.delete",
        object_name=name,
        detail={"rows": found.row_count},
    )
    return await operations.begin(
        connection, workspace_id=workspace_id, kind=DELETE_TASK, request={"table": name}
    )


async def run_deletion(
    ledger: Ledger, warehouse: Warehouse, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Delete a table: first its rows, then what the ledger says of it; a crash is mended."""

    async def work(asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["table"]
        async with ledger.transaction() as connection:
            found = await store.find_table(connection, workspace_id=workspace_id, name=name)
            if found is not None:
                await _check_unused(connection, workspace_id, found)
        await warehouse.run(workspace_id, lambda lake: forget_table(lake, name))
        async with ledger.transaction() as connection:
            await store.delete_table(connection, workspace_id=workspace_id, name=name)
        return {"table": name}

    await operations.perform(
        ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def _check_unused(
    connection: Connection, workspace_id: WorkspaceId, found: CustomerTable
) -> None:
    if found.is_system:
        raise InvalidValue("table", f"“{found.name}” is kept by Textwave itself.")
    uses = await store.uses(connection, workspace_id=workspace_id, name=found.name)
    if uses:
        raise TableInUse(found.name, uses)


def _subject(found: CustomerTable) -> Subject:
    columns = tuple(
        Column(column["name"], ColumnType(column["type"]), column.get("separator"))
        for column in found.columns
    )
    hidden = {found.customer_column, *(known["column"] for known in found.ids)}
    if found.mobile_column is not None:
        hidden.add(found.mobile_column)
    return Subject(found.name, columns, frozenset(hidden))
