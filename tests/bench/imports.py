"""Import: customers from CSV, typed, numbers normalised, rejects kept; rows a second.

Baseline: DuckDB copying the same CSV to Parquet with the same threads and memory. The clock runs
from the worker's start on the job to its recorded end. On a machine that does other work too, the
processor's seconds (`processor_ratio`) say more than the clock's.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tests.bench.measurement import Measurement, Place
from textwave.accounts.operations import found
from textwave.customers.columns import TableKind
from textwave.customers.operations import run_import, start_import
from textwave.customers.request import ImportRequest
from textwave.demo.shop import write_shop
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage.ledger import Ledger, open_ledger
from textwave.storage.progress import read
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Warehouse

_DEFAULT_ROWS = 1_000_000
_MEMORY_MEGABYTES = 2_000
_THREADS = 2
_BAD_ROWS = """\
C00000003,15412345678,Li,female,Xian,1,,2026-01-01,
,,Li,female,Xian,1,,,
short,row
"""


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds by the clock and, of all threads of this process, by the processor."""

    seconds: float
    processor_seconds: float


def _now() -> _Spent:
    return _Spent(time.perf_counter(), time.process_time())


def _since(began: _Spent) -> _Spent:
    now = _now()
    return _Spent(now.seconds - began.seconds, now.processor_seconds - began.processor_seconds)


def measure(place: Place, rows: int | None) -> Measurement:
    """Import so many customers (default one million) and copy the same file by DuckDB alone."""
    count = rows or _DEFAULT_ROWS
    today = date(2026, 3, 1)
    path = write_shop(place.folder, customers=count, seed=1, today=today).customers_csv
    with path.open("a") as file:  # an empty key, a doubled one, a row of another shape
        file.write(_BAD_ROWS)
    baseline = _copy_alone(path, place.folder / "baseline.parquet")
    run, done = asyncio.run(_import(place, path))
    if (done["rows_read"], done["rows_rejected"]) != (count + 3, 3):
        raise AssertionError(f"counts are wrong: {done}")
    detail = {
        "seconds": round(run.seconds, 2),
        "baseline_seconds": round(baseline.seconds, 2),
        "processor_ratio": round(baseline.processor_seconds / run.processor_seconds, 3),
    }
    return Measurement(
        "import",
        round(count / run.seconds),
        "rows/s",
        round(count / baseline.seconds),
        round(baseline.seconds / run.seconds, 3),
        count,
        detail | {f"numbers_{name}": number for name, number in done["numbers"].items()},
    )


def _copy_alone(source: Path, target: Path) -> _Spent:
    config: dict[str, Any] = {"threads": _THREADS, "memory_limit": f"{_MEMORY_MEGABYTES}MB"}
    with duckdb.connect(config=config) as connection:
        began = _now()
        connection.execute(
            f"COPY (FROM read_csv('{source}', types = {{'mobile': 'VARCHAR'}}, "
            f"ignore_errors = true)) TO '{target}' (FORMAT parquet)"
        )
        return _since(began)


async def _import(place: Place, path: Path) -> tuple[_Spent, dict[str, Any]]:
    lake = f"{place.folder}/lake/"
    warehouse = Warehouse(
        place.urls.owner, lake, place.folder / "spill", _MEMORY_MEGABYTES, _THREADS
    )
    async with open_ledger(place.urls.owner) as ledger:
        vault = open_vault(place.folder)
        workspace_id = (await found(ledger, vault)).workspace_id
        operation_id = await _begin(ledger, workspace_id, path)
        began = _now()
        await run_import(
            ledger=ledger,
            warehouse=warehouse,
            vault=vault,
            workspace_id=workspace_id,
            operation_id=operation_id,
        )
        spent = _since(began)
        async with ledger.transaction() as connection:
            ended = await read(connection, workspace_id=workspace_id, operation_id=operation_id)
    if ended.result is None:
        raise AssertionError(f"the import failed: {ended.problem}")
    return spent, ended.result


async def _begin(ledger: Ledger, workspace_id: WorkspaceId, path: Path) -> OperationId:
    request = ImportRequest(str(path), path.name, "customers", TableKind.CUSTOMERS)
    async with ledger.transaction(workspace_id) as connection:
        return await start_import(
            connection, workspace_id=workspace_id, actor="benchmark", request=request
        )
