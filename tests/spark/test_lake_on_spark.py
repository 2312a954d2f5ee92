"""Tables of the lake as Spark sees them: every row once, at the version that is being read."""

import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from tests.spark.conftest import Both, SparkEngine, opened
from textwave.storage.lake_files import FilesUnreadable
from textwave.storage.spark import some_java
from textwave.storage.spark_failures import SparkFailed, reason

NAME = "客户 [1]"


@pytest.fixture
def own(spark: SparkEngine, tmp_path: Path) -> Iterator[Both]:
    """A lake of its own, with a table of a thousand rows."""
    with ExitStack() as stack:
        made = opened(spark, tmp_path, stack)
        made.spark.duckdb.execute(
            f"CREATE TABLE {made.spark.qualified(NAME)} AS "
            "SELECT 'c' || i AS id, i AS number, TIMESTAMP '2026-03-10 00:00:00' AS paid_at "
            "FROM range(1000) r(i)"
        )
        yield made


def _agree(own: Both) -> pa.Table:
    by_spark, by_duckdb = (
        lake.table(NAME).order_by("id").to_pyarrow() for lake in (own.spark, own.duckdb)
    )
    assert by_spark.equals(by_duckdb)
    return by_spark


def test_columns_are_found_by_their_id_and_deleted_rows_are_gone(own: Both) -> None:
    table = own.spark.qualified(NAME)
    for change in (
        f"DELETE FROM {table} WHERE number % 10 = 0",
        f"DELETE FROM {table} WHERE number = 11",
        f"ALTER TABLE {table} DROP COLUMN number",
        f"ALTER TABLE {table} ADD COLUMN level DOUBLE DEFAULT 7",
        f"ALTER TABLE {table} ADD COLUMN word VARCHAR DEFAULT 'it''s \\ so'",
        f"ALTER TABLE {table} ADD COLUMN number VARCHAR",
        f"ALTER TABLE {table} RENAME COLUMN paid_at TO moment",
        f"INSERT INTO {table} (id, level, number) VALUES ('new', 1.5, 'ten')",
    ):
        own.spark.duckdb.execute(change)
    assert len(_agree(own)) == 900


def test_files_that_were_joined_together_are_read_once(own: Both) -> None:
    table = own.spark.qualified(NAME)
    for number in range(3):
        own.spark.duckdb.execute(f"INSERT INTO {table} (id) VALUES ('more {number}')")
    own.spark.duckdb.execute("CALL ducklake_merge_adjacent_files('lake')")
    own.spark.duckdb.execute(f"DELETE FROM {table} WHERE id = 'more 1'")
    assert len(_agree(own)) == 1002


def test_an_empty_table_has_its_columns(own: Both) -> None:
    own.spark.duckdb.execute(f"DELETE FROM {own.spark.qualified(NAME)}")
    assert len(_agree(own)) == 0


def test_a_transaction_reads_one_version_whatever_others_write(own: Both) -> None:
    own.spark.duckdb.execute(f"CREATE TABLE {own.spark.qualified('result')} (id VARCHAR)")
    rows = own.spark.table(NAME).select("id")
    with own.spark.transaction():
        version = own.spark.version()
        own.duckdb.duckdb.execute(f"DELETE FROM {own.duckdb.qualified(NAME)}")
        assert own.spark.append("result", rows) == 1000
    assert own.duckdb.version() > version
    assert rows.count().to_pyarrow().as_py() == 0


def test_rows_that_only_the_catalog_has_are_refused(own: Both) -> None:
    own.duckdb.duckdb.execute(f"INSERT INTO {own.duckdb.qualified(NAME)} (id) VALUES ('small')")
    with pytest.raises(FilesUnreadable, match="Give all workers the same TEXTWAVE_SPARK"):
        own.spark.table(NAME).to_pyarrow()
    assert own.duckdb.table(NAME).count().to_pyarrow().as_py() == 1001


def test_a_type_that_is_not_read_is_refused_by_name(own: Both) -> None:
    own.spark.duckdb.execute(f"ALTER TABLE {own.spark.qualified(NAME)} ADD COLUMN photo BLOB")
    with pytest.raises(FilesUnreadable, match="column photo has the type blob"):
        own.spark.table(NAME).count().to_pyarrow()


def test_rows_from_elsewhere_are_joined_and_gone_at_the_end(own: Both, spark: SparkEngine) -> None:
    before = set(spark.held_folder.iterdir())
    given = pa.table({"wanted": ["c1", "c2", "x"]})
    table = own.spark.table(NAME)
    held = own.spark.hold(given.to_reader(max_chunksize=1))
    kept = own.spark.keep(table.filter(table["id"].isin(held["wanted"])))
    others = ibis.memtable(pa.table({"other": ["c2", "c3"]}))
    more = kept.join(others, [kept["id"] == others["other"]])
    assert kept.count().to_pyarrow().as_py() == 2
    assert more["id"].to_pyarrow().to_pylist() == ["c2"]
    assert set(spark.held_folder.iterdir()) - before
    own.spark.compute.close()
    assert set(spark.held_folder.iterdir()) == before


def test_what_spark_cannot_compute_is_refused_and_nothing_is_written(own: Both) -> None:
    own.spark.duckdb.execute(f"CREATE TABLE {own.spark.qualified('result')} (id BIGINT)")
    rows = own.spark.table(NAME)
    logging.getLogger("SQLQueryContextLogger").disabled = False  # as dictConfig leaves it
    with pytest.raises(SparkFailed, match="CAST_INVALID_INPUT"):
        own.spark.append("result", rows.select(id=rows["id"].cast("int64")))
    assert own.duckdb.table("result").count().to_pyarrow().as_py() == 0


def test_long_work_can_be_interrupted(own: Both, spark: SparkEngine) -> None:
    table = own.spark.table(NAME)
    pairs = table.select(a="id")
    for name in ("b", "c", "d"):
        pairs = pairs.cross_join(table.select(**{name: "id"}))
    failed: list[Exception] = []

    def work() -> None:
        try:
            pairs.count().to_pyarrow()
        except Exception as failure:  # noqa: BLE001 - told by the test
            failed.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    jobs = spark.session().sparkContext.statusTracker()
    while thread.is_alive():
        if jobs.getActiveJobsIds():
            own.spark.interrupt()
        thread.join(timeout=0.1)
    assert isinstance(failed[0], SparkFailed)


def test_a_failure_is_told_in_one_sentence() -> None:
    java = "An error occurred while calling o1.sql.\n: java.io.IOException: No space left\n\tat a.b"
    assert reason(OSError(java)) == "No space left."
    assert reason(OSError("")) == "OSError."
    assert reason(OSError("The value '15412345678' is no date")) == "The value '…' is no date."


def test_java_comes_with_the_package_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with some_java():
        java = Path(os.environ["JAVA_HOME"], "bin", "java")
        asked = [java, "--add-modules=jdk.incubator.vector", "-version"]
        said = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert 'version "' in said.stderr
    assert "JAVA_HOME" not in os.environ
