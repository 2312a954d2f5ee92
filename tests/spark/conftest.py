"""One Spark a run, on this machine; two views of one lake: computed by DuckDB and by Spark."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import fresh_database
from tests.spark.definitions import AIPL, CALENDAR, KNOWN, LABELLED, REGULARS, RFM, choose
from tests.spark.random_shop import fill
from textwave.audiences.store import write_members
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.models.aipl import calendar_of
from textwave.models.aipl_store import write_labels
from textwave.models.rfm_store import write_scores
from textwave.storage.spark import SparkEngine
from textwave.storage.warehouse import Lake, Warehouse

_SMALL = {
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.codegen.wholeStage": "false",  # compiling costs more than these few rows
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all of them in one parallel worker, so that only one starts a Spark."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    """Apache Spark on this machine."""
    engine = SparkEngine("local[2]", tmp_path_factory.mktemp("held"), _SMALL)
    yield engine
    engine.close()


@dataclass(frozen=True)
class Both:
    """The same lake twice."""

    duckdb: Lake
    spark: Lake


@pytest.fixture(scope="session")
def both(spark: SparkEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The random shop, with models computed and a snapshot taken by DuckDB; do not change it."""
    with ExitStack() as stack:
        made = opened(spark, tmp_path_factory.mktemp("shop"), stack)
        fill(made.spark)
        write_scores(made.duckdb, 1, RFM)
        for run_id, day in enumerate(LABELLED, start=1):
            write_labels(
                made.duckdb,
                run_id,
                AIPL,
                day=day,
                known=KNOWN,
                calendar=calendar_of(day, CALENDAR.zone),
            )
        write_members(made.duckdb, SnapshotId(1), choose(REGULARS, made.duckdb))
        made.spark.duckdb.execute("CALL ducklake_flush_inlined_data('lake')")
        yield made


def opened(spark: SparkEngine, folder: Path, stack: ExitStack) -> Both:
    """Open a lake of its own on both engines."""
    urls = stack.enter_context(fresh_database())
    opened: list[Lake] = []
    for engine in (None, spark):
        given = {} if engine is None else {"engine": engine}
        warehouse = Warehouse(urls.owner, f"{folder}/lake/", folder / "spill", 500, 2, **given)
        stack.callback(warehouse.close)
        opened.append(stack.enter_context(warehouse.open(WorkspaceId(1))))
    return Both(*opened)
