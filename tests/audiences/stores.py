"""Ten customers with orders in real stores, and audiences over them."""

from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.audiences import operations, store
from textwave.audiences.rule import read_rule
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.clock import FixedClock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger, execute
from textwave.storage.warehouse import Lake, Warehouse

CLOCK = FixedClock(datetime(2026, 3, 10, 4, 30, tzinfo=UTC))
COLUMNS = {
    "customers": {"id": "text", "city": "text", "phone": "text"},
    "orders": {"id": "text", "paid_at": "time", "amount": "number"},
}


async def describe(connection: Connection, workspace_id: WorkspaceId) -> None:
    """Say in the ledger what the tables are."""
    for name, columns in COLUMNS.items():
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
            " mobile_column, time_column, amount_column) VALUES (%s, %s, %s, %s, 'id', %s, %s, %s)",
            [
                workspace_id,
                name,
                name,
                Jsonb([{"name": column, "type": kind} for column, kind in columns.items()]),
                "phone" if name == "customers" else None,
                "paid_at" if name == "orders" else None,
                "amount" if name == "orders" else None,
            ],
        )


def fill(lake: Lake) -> None:
    """Write C0 to C9, the even ones in Shanghai; C0 to C4 have two orders each."""
    lake.duckdb.execute(f"""CREATE TABLE {lake.qualified("customers")} AS
        SELECT 'C' || i AS id, CASE WHEN i % 2 = 0 THEN '上海' ELSE '杭州' END AS city,
               '154000000' || (10 + i) AS phone, 8615400000010 + i AS textwave_mobile
        FROM range(10) t(i)""")
    lake.duckdb.execute(f"""CREATE TABLE {lake.qualified("orders")} AS
        SELECT 'C' || (i % 5) AS id, TIMESTAMP '2026-03-09 10:00' AS paid_at, 9.5 AS amount
        FROM range(10) t(i)""")


def city(name: str) -> dict[str, Any]:
    """The rule of who lives in a city."""
    return {"kind": "attribute", "column": "city", "operator": "is", "value": name}


def member_of(name: str) -> dict[str, Any]:
    """The rule of who is in another audience."""
    return {"kind": "audience", "audience": name}


SHANGHAI = city("上海")
BOUGHT = {"kind": "orders", "table": "orders"}


async def make(
    ledger: Ledger,
    workspace_id: WorkspaceId,
    name: str,
    rule: dict[str, Any] | None = None,
    *,
    viewer: Viewer = SEES_ALL,
    **said: Any,
) -> store.Audience:
    """Make an audience as somebody."""
    async with ledger.transaction(workspace_id) as connection:
        return await operations.create_audience(
            connection,
            workspace_id=workspace_id,
            actor=viewer.name or "key",
            name=name,
            table="customers",
            rule=read_rule(rule or SHANGHAI),
            particulars=store.Particulars(**said),
            viewer=viewer,
        )


async def pretend(
    ledger: Ledger, audience: store.Audience, *, size: int = 1, days_ago: int = 0
) -> None:
    """Write a snapshot into the ledger, without members in the lake."""
    statement = (
        "INSERT INTO snapshot (workspace_id, audience_id, size, lake_version, computed_at,"
        " milliseconds) VALUES (%s, %s, %s, 1, now() - %s * interval '1 day', 1)"
    )
    async with ledger.transaction() as connection:
        await execute(connection, statement, [audience.workspace_id, audience.id, size, days_ago])


async def refreshed(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, name: str
) -> store.Snapshot:
    """Compute an audience now."""
    return await operations.take_snapshot(
        ledger=ledger, warehouse=warehouse, clock=CLOCK, workspace_id=workspace_id, name=name
    )


async def read(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> store.Audience:
    """Read an audience as the ledger has it."""
    async with ledger.transaction(workspace_id) as connection:
        return await store.audience(connection, workspace_id, name)


async def finished(
    ledger: Ledger, workspace_id: WorkspaceId, operation_id: OperationId
) -> dict[str, Any]:
    """Return the result of an operation that has succeeded."""
    async with ledger.transaction(workspace_id) as connection:
        operation = await progress.read(
            connection, workspace_id=workspace_id, operation_id=operation_id
        )
    assert operation.state == "succeeded", operation.problem
    return operation.result or {}


def members(lake: Lake, snapshot: store.Snapshot | None) -> list[str]:
    """Return the members of a snapshot."""
    assert snapshot is not None
    return sorted(store.member_ids(lake, snapshot.id).to_pyarrow().column("customer").to_pylist())
