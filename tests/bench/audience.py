"""How long a rule over customers and orders takes, against the same query written by hand.

N customers and 10 x N orders are generated in DuckDB. Estimate and snapshot run as a worker runs
them, the hand-written query on a connection of its own over the same lake.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from statistics import median
from typing import Final

from psycopg.types.json import Jsonb

from tests.bench.measurement import Measurement, Place
from textwave.accounts.operations import found
from textwave.audiences import operations, store
from textwave.audiences.rule import read_rule
from textwave.kit.clock import FixedClock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress
from textwave.storage.ledger import Ledger, open_ledger
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Lake, Warehouse

DEFAULT_CUSTOMERS: Final = 500_000
ORDERS_PER_CUSTOMER: Final = 10
ROUNDS: Final = 3
NOW: Final = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
RULE: Final = read_rule(
    {
        "kind": "all",
        "of": [
            {"kind": "attribute", "column": "gender", "operator": "is", "value": "女"},
            {"kind": "attribute", "column": "city", "operator": "in", "value": ["上海", "杭州"]},
            {"kind": "attribute", "column": "level", "operator": "at_least", "value": 3},
            {
                "kind": "orders",
                "table": "orders",
                "within": {"last_days": 90},
                "operator": "at_least",
                "value": 2,
            },
        ],
    }
)
BY_HAND: Final = """
    SELECT customer_id FROM {customers}
    WHERE gender = '女' AND city IN ('上海', '杭州') AND level >= 3 AND customer_id IN (
        SELECT customer_id FROM {orders}
        WHERE ordered_at >= TIMESTAMP '2026-03-31 16:00'
          AND ordered_at < TIMESTAMP '2026-06-30 16:00'
        GROUP BY customer_id HAVING count(*) >= 2
    )"""


def measure(place: Place, rows: int | None) -> Measurement:
    """Measure seconds for estimate and snapshot together, the median of three rounds each."""
    return asyncio.run(_measure(place, rows or DEFAULT_CUSTOMERS))


async def _measure(place: Place, customers: int) -> Measurement:
    warehouse = Warehouse(
        place.urls.owner, f"{place.folder}/lake/", place.folder / "spill", 4_000, 0
    )
    async with open_ledger(place.urls.owner) as ledger:
        founding = await found(ledger, open_vault(place.folder))
        workspace_id = founding.workspace_id
        await warehouse.run(workspace_id, lambda lake: generate(lake, customers))
        await _describe(ledger, workspace_id)
        estimate = [await _estimate(ledger, warehouse, workspace_id) for _ in range(ROUNDS)]
        snapshot = [await _snapshot(ledger, warehouse, workspace_id) for _ in range(ROUNDS)]
        counted = [await _by_hand(warehouse, workspace_id, count_by_hand) for _ in range(ROUNDS)]
        written = [await _by_hand(warehouse, workspace_id, write_by_hand) for _ in range(ROUNDS)]
    value = median(estimate) + median(snapshot)
    baseline = median(counted) + median(written)
    detail = {
        "estimate_seconds": round(median(estimate), 3),
        "snapshot_seconds": round(median(snapshot), 3),
        "count_by_hand_seconds": round(median(counted), 3),
        "write_by_hand_seconds": round(median(written), 3),
        "orders": float(customers * ORDERS_PER_CUSTOMER),
    }
    ratio = round(value / baseline, 3)
    return Measurement("audience", round(value, 3), "s", baseline, ratio, customers, detail)


def generate(lake: Lake, customers: int) -> None:
    """Make the two tables: two years of orders, written by time as an import writes them."""
    lake.duckdb.execute(f"""
        CREATE TABLE {lake.qualified("customers")} AS
        SELECT 'C' || lpad(i::VARCHAR, 9, '0') AS customer_id,
               CASE WHEN hash(i) % 2 = 0 THEN '女' ELSE '男' END AS gender,
               ['上海', '杭州', '北京', '广州', '深圳', '成都'][1 + (hash(i, 1) % 6)::INT] AS city,
               (hash(i, 2) % 6)::DOUBLE AS level,
               15400000000 + i AS textwave_mobile
        FROM range({customers}) t(i)""")
    lake.duckdb.execute(f"""
        CREATE TABLE {lake.qualified("orders")} AS
        SELECT 'C' || lpad((hash(i, 3) % {customers})::VARCHAR, 9, '0') AS customer_id,
               TIMESTAMP '2024-07-01' + to_seconds((hash(i, 4) % 63072000)::INT) AS ordered_at,
               (hash(i, 5) % 100000)::DOUBLE / 100 AS amount
        FROM range({customers * ORDERS_PER_CUSTOMER}) t(i)
        ORDER BY ordered_at""")


async def _describe(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    text, number = "text", "number"
    described = {
        "customers": {"customer_id": text, "gender": text, "city": text, "level": number},
        "orders": {"customer_id": text, "ordered_at": "time", "amount": number},
    }
    async with ledger.transaction() as connection:
        for name, columns in described.items():
            await connection.execute(
                "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
                " time_column, amount_column) VALUES (%s, %s, %s, %s, 'customer_id', %s, %s)",
                [
                    workspace_id,
                    name,
                    name,
                    Jsonb([{"name": column, "type": kind} for column, kind in columns.items()]),
                    "ordered_at" if name == "orders" else None,
                    "amount" if name == "orders" else None,
                ],
            )
        await operations.create_audience(
            connection,
            workspace_id=workspace_id,
            actor="bench",
            name="bench",
            table="customers",
            rule=RULE,
        )


async def _estimate(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> float:
    async with ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_estimate(
            connection, workspace_id=workspace_id, table="customers", rule=RULE
        )
    return await _run(operations.run_estimate, ledger, warehouse, workspace_id, operation_id)


async def _snapshot(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> float:
    async with ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_snapshot(
            connection, workspace_id=workspace_id, name="bench"
        )
    return await _run(operations.run_snapshot, ledger, warehouse, workspace_id, operation_id)


async def _run(
    run: Callable[..., Awaitable[None]],
    ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> float:
    began = time.perf_counter()
    await run(
        ledger=ledger,
        warehouse=warehouse,
        clock=FixedClock(NOW),
        workspace_id=workspace_id,
        operation_id=operation_id,
    )
    seconds = time.perf_counter() - began
    async with ledger.transaction(workspace_id) as connection:
        operation = await progress.read(
            connection, workspace_id=workspace_id, operation_id=operation_id
        )
    if operation.state != "succeeded":
        raise RuntimeError(f"the operation did not succeed: {operation.problem}")
    return seconds


async def _by_hand(
    warehouse: Warehouse, workspace_id: WorkspaceId, work: Callable[[Lake], None]
) -> float:
    began = time.perf_counter()
    await warehouse.run(workspace_id, work)
    return time.perf_counter() - began


def count_by_hand(lake: Lake) -> None:
    """Count whom the rule selects, in SQL."""
    lake.duckdb.execute(f"SELECT count(*) FROM ({_by_hand_sql(lake)})").fetchone()


def write_by_hand(lake: Lake) -> None:
    """Append whom the rule selects to the members, in SQL."""
    members = lake.qualified(store.MEMBERS)
    lake.duckdb.execute(f"INSERT INTO {members} SELECT -1, * FROM ({_by_hand_sql(lake)})")


def _by_hand_sql(lake: Lake) -> str:
    return BY_HAND.format(customers=lake.qualified("customers"), orders=lake.qualified("orders"))
