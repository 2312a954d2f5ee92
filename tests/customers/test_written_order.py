"""What happened is written by time, so that a rule over the last days reads little of it."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
from tests.customers.conftest import Import
from tests.customers.test_import import ORDERS, result
from tests.customers.test_partitions import DAILY

from textwave.customers.columns import ColumnType
from textwave.kit.ids import WorkspaceId
from textwave.storage.warehouse import Warehouse

ROWS = 260_000
BEGIN = datetime(2025, 1, 1)  # noqa: DTZ001 - a local time of the workspace, as files have them


def files_of(warehouse: Warehouse, workspace_id: WorkspaceId, table: str) -> list[Path]:
    with warehouse.open(workspace_id) as lake:
        listed = lake.duckdb.execute(
            f"SELECT data_file FROM ducklake_list_files('lake', '{table}', "
            f"schema => '{lake.schema}')"
        ).fetchall()
    return [Path(path) for (path,) in listed]


async def test_the_row_groups_of_orders_follow_one_another_in_time(
    do_import: Import, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    minutes = list(range(ROWS))
    Random(1).shuffle(minutes)
    lines = [f"c{minute % 99},{BEGIN + timedelta(minutes=minute)},1\n" for minute in minutes]
    text = "customer_id,order_date,revenue\n" + "".join(lines)
    assert result(await do_import(text, **ORDERS))["rows_kept"] == ROWS
    [file] = files_of(warehouse, workspace_id, "orders")
    written = pq.read_metadata(file)
    groups = [
        written.row_group(group).column(1).statistics for group in range(written.num_row_groups)
    ]
    spans = sorted((group.min, group.max) for group in groups)  # two may have changed places
    assert len(spans) > 2
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


async def test_each_partition_is_written_by_time(
    do_import: Import, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    moments = [BEGIN + timedelta(minutes=7 * minute % 1_000) for minute in range(1_000)]
    lines = [f"a,d{place % 3},x,{moment}\n" for place, moment in enumerate(moments)]
    options = DAILY | {"time_column": "at", "types": DAILY["types"] | {"at": ColumnType.TIME}}
    result(await do_import("user_id,day,page,at\n" + "".join(lines), **options))
    files = files_of(warehouse, workspace_id, "visits")
    assert len(files) == 3
    for file in files:
        times = pq.ParquetFile(file).read(columns=["at"])["at"].to_pylist()
        assert times == sorted(times)
