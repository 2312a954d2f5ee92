"""Versions that are no longer kept take their files with them; what is read stays."""

from datetime import timedelta
from pathlib import Path

from textwave.storage.upkeep import tidy, tidy_lake
from textwave.storage.warehouse import Lake, Warehouse

ROWS = 1_000


def replace(lake: Lake, first: int) -> None:
    table = lake.qualified("people")
    lake.duckdb.execute(f"CREATE OR REPLACE TABLE {table} AS FROM range({first}, {first + ROWS})")


def files(tmp_path: Path) -> int:
    return len(list((tmp_path / "lake").rglob("*.parquet")))


def test_files_of_forgotten_versions_go_and_the_newest_version_stays(
    lake: Lake, tmp_path: Path
) -> None:
    replace(lake, 0)
    replace(lake, ROWS)
    assert files(tmp_path) == 2
    assert tidy(lake, versions_kept=timedelta(0), files_kept=timedelta(0)) == 1
    assert files(tmp_path) == 1
    smallest = lake.duckdb.execute(f"SELECT min(range) FROM {lake.qualified('people')}").fetchone()
    assert smallest == (ROWS,)


async def test_a_version_of_this_week_is_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.open(1) as lake:  # pyright: ignore[reportArgumentType] - a plain id will do
        replace(lake, 0)
        replace(lake, ROWS)
    assert await tidy_lake(warehouse) == 0
    assert files(tmp_path) == 2
