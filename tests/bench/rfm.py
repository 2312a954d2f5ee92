"""How long RFM over orders takes, by bands and by quantiles, against the bare group-by in DuckDB.

N customers with 10 x N orders are generated in DuckDB. The eight types are computed as a worker
computes them; the group-by runs on a connection of its own over the same lake. The value is that of
bands; quantiles, which read the sums twice, are in the detail.
"""

import asyncio
import time
from datetime import UTC, date, datetime
from statistics import median
from typing import Any, Final

from psycopg.types.json import Jsonb

from tests.bench.audience import generate
from tests.bench.measurement import Measurement, Place
from textwave.accounts.operations import found
from textwave.kit.clock import FixedClock
from textwave.kit.ids import WorkspaceId
from textwave.models import rfm_operations
from textwave.models.definition import RfmDefinition, read_definition
from textwave.storage import progress
from textwave.storage.ledger import Ledger, open_ledger
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Lake, Warehouse

DEFAULT_CUSTOMERS: Final = 500_000
ORDERS_PER_CUSTOMER: Final = 10
ROUNDS: Final = 3
NOW: Final = datetime(2026, 6, 30, 4, 0, tzinfo=UTC)
DAY: Final = date(2026, 6, 30)
BANDS: Final[dict[str, Any]] = {
    "recency_days": [[30, 3], [90, 2], [None, 1]],
    "frequency": [[1, 1], [4, 2], [None, 3]],
    "monetary": [[100, 1], [1000, 2], [None, 3]],
}
BY_HAND: Final = """
    SELECT count(*), max(last), sum(frequency), sum(monetary) FROM (
        SELECT customer_id, max(ordered_at) AS last, count(*) AS frequency, sum(amount) AS monetary
        FROM {orders} GROUP BY customer_id
    )"""


def measure(place: Place, rows: int | None) -> Measurement:
    """Measure seconds for the eight types, the median of three rounds."""
    return asyncio.run(_measure(place, rows or DEFAULT_CUSTOMERS))


async def _measure(place: Place, customers: int) -> Measurement:
    warehouse = Warehouse(
        place.urls.owner, f"{place.folder}/lake/", place.folder / "spill", 4_000, 0
    )
    by_bands = read_definition({"table": "orders", "bands": BANDS})
    by_quantiles = read_definition({"table": "orders", "quantiles": 5})
    async with open_ledger(place.urls.owner) as ledger:
        workspace_id = (await found(ledger, open_vault(place.folder))).workspace_id
        await warehouse.run(workspace_id, lambda lake: generate(lake, customers))
        await _describe(ledger, workspace_id)
        times: dict[str, list[float]] = {"bands": [], "quantiles": [], "by_hand": []}
        for _ in range(ROUNDS):
            times["by_hand"].append(await _by_hand(warehouse, workspace_id))
            times["bands"].append(await _compute(ledger, warehouse, workspace_id, by_bands))
            times["quantiles"].append(await _compute(ledger, warehouse, workspace_id, by_quantiles))
    warehouse.close()
    value, baseline = median(times["bands"]), median(times["by_hand"])
    detail = {
        "quantiles_seconds": round(median(times["quantiles"]), 3),
        "quantiles_ratio": round(median(times["quantiles"]) / baseline, 3),
        "orders": float(customers * ORDERS_PER_CUSTOMER),
    }
    return Measurement(
        "rfm",
        round(value, 3),
        "s",
        round(baseline, 3),
        round(value / baseline, 3),
        customers,
        detail,
    )


async def _describe(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    columns = {"customer_id": "text", "ordered_at": "time", "amount": "number"}
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
            " time_column, amount_column)"
            " VALUES (%s, 'orders', 'orders', %s, 'customer_id', 'ordered_at', 'amount')",
            [
                workspace_id,
                Jsonb([{"name": name, "type": kind} for name, kind in columns.items()]),
            ],
        )


async def _compute(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, definition: RfmDefinition
) -> float:
    async with ledger.transaction(workspace_id) as connection:
        operation_id = await rfm_operations.start_compute(
            connection, workspace_id=workspace_id, definition=definition, day=DAY
        )
    began = time.perf_counter()
    await rfm_operations.run_compute(
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
    if operation.result is None:
        raise RuntimeError(f"the operation did not succeed: {operation.problem}")
    return seconds


async def _by_hand(warehouse: Warehouse, workspace_id: WorkspaceId) -> float:
    def work(lake: Lake) -> None:
        lake.duckdb.execute(BY_HAND.format(orders=lake.qualified("orders"))).fetchall()

    began = time.perf_counter()
    await warehouse.run(workspace_id, work)
    return time.perf_counter() - began
