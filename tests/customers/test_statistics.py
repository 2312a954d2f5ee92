"""Statistics of columns and the search in their values, held against plain counting."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.customers.conftest import Import

from textwave.customers.columns import Column, ColumnType, TableKind
from textwave.customers.operations import table
from textwave.customers.statistics import Subject, find_values, identifies, measure
from textwave.customers.table_operations import measure_table
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.storage.compute import DuckDbEngine
from textwave.storage.ledger import Ledger, many
from textwave.storage.queue import Job
from textwave.storage.warehouse import Lake, Warehouse

Rows = Callable[..., list[Any]]
COLUMNS = (
    Column("id", ColumnType.TEXT),
    Column("city", ColumnType.TEXT),
    Column("tags", ColumnType.MULTI_VALUE, ";"),
    Column("level", ColumnType.NUMBER),
)
SUBJECT = Subject("people", COLUMNS, frozenset({"id"}))


def open_memory() -> Lake:
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS lake")
    connection.execute("CREATE SCHEMA lake.workspace_1")
    backend = ibis.duckdb.from_connection(connection)
    lake = Lake(backend, WorkspaceId(1), DuckDbEngine().begin(backend, "workspace_1"))
    connection.execute(
        f"CREATE TABLE {lake.qualified('people')} "
        "(id VARCHAR, city VARCHAR, tags VARCHAR, level DOUBLE)"
    )
    return lake


@pytest.fixture
def memory() -> Lake:
    """A lake in memory: nothing is written that must last."""
    return open_memory()


def fill(lake: Lake, rows: list[tuple[Any, ...]]) -> None:
    lake.duckdb.execute(f"DELETE FROM {lake.qualified('people')}")
    if rows:
        statement = f"INSERT INTO {lake.qualified('people')} VALUES (?, ?, ?, ?)"
        lake.duckdb.executemany(statement, rows)


words = st.sampled_from(["a", "B", "上海", "x y", None])
lists = (
    st.lists(st.sampled_from(["p", "q", " r"]), max_size=3).map(";".join).map(lambda t: t or None)
)
tables = st.lists(st.tuples(st.text("k", max_size=3), words, lists, st.integers(0, 3)), max_size=12)


@given(rows=tables)
@settings(max_examples=10, deadline=None)
def test_statistics_are_what_counting_says(rows: list[tuple[Any, ...]]) -> None:
    lake = open_memory()
    fill(lake, rows)
    found = measure(lake, SUBJECT)
    cities = Counter(row[1] for row in rows if row[1] is not None)
    tags = Counter(tag.strip() for row in rows if row[2] for tag in row[2].split(";"))
    levels = [float(row[3]) for row in rows]
    assert found["city"]["nulls"] == sum(row[1] is None for row in rows)
    assert (found["city"]["distinct"], dict(found["city"]["top"])) == (len(cities), dict(cities))
    assert (found["tags"]["distinct"], dict(found["tags"]["top"])) == (len(tags), dict(tags))
    ends = (min(levels, default=None), max(levels, default=None))
    assert (found["level"]["min"], found["level"]["max"]) == ends
    assert (found["id"]["hidden"], "top" in found["id"]) == (True, False)


def test_the_most_frequent_come_first_and_are_bounded(memory: Lake) -> None:
    rows = [(f"k{n}", f"c{n % 60:02}", None, 1) for n in range(90)]
    fill(memory, rows)
    top = measure(memory, SUBJECT)["city"]["top"]
    assert (len(top), top[0], top[-1]) == (50, ["c00", 2], ["c49", 1])


def test_many_values_of_many_rows_are_estimated(memory: Lake) -> None:
    memory.duckdb.execute(
        f"INSERT INTO {memory.qualified('people')} "
        "SELECT 'k' || i, 'c' || (i % 50000), 'p;q', i FROM range(120000) t(i)"
    )
    found = measure(memory, SUBJECT)
    assert (found["city"]["approximate"], found["city"]["sampled"]) == (True, True)
    assert 30_000 < found["city"]["distinct"] < 70_000
    assert (found["tags"]["distinct"], found["tags"]["top"]) == (2, [["p", 120000], ["q", 120000]])


def test_numbers_and_addresses_of_people_are_left_out(memory: Lake) -> None:
    values = ["15412345678", "+447700900123", "a@example.com", "Wuhan", "20260301"]
    fill(memory, [(f"k{n}", value, None, 1) for n, value in enumerate(values)])
    found = measure(memory, SUBJECT)["city"]
    assert (found["hidden"], found["top"]) == (True, [["20260301", 1], ["Wuhan", 1]])
    assert find_values(memory, SUBJECT, "city", "154") == []


@pytest.mark.parametrize(
    ("column", "contains", "expected"),
    [
        ("city", "SH", [("Shanghai", 2), ("Shenzhen", 1)]),
        ("city", "'%", []),
        ("city", "上", [("上海", 1)]),
        ("tags", "", [("p", 2), ("q", 1)]),
    ],
)
def test_values_are_found_by_a_part_of_them(
    memory: Lake, column: str, contains: str, expected: list[tuple[str, int]]
) -> None:
    cities = ["Shanghai", "Shenzhen", "Shanghai", "Wuhan", "上海"]
    tags = ["p", "q; p", None, None, None]
    fill(memory, [(f"k{n}", c, t, 1) for n, (c, t) in enumerate(zip(cities, tags, strict=True))])
    found = find_values(memory, SUBJECT, column, contains)
    assert [(one["value"], one["count"]) for one in found] == expected


@pytest.mark.parametrize("column", ["id", "level", "nothing"])
def test_other_columns_are_not_searched(memory: Lake, column: str) -> None:
    with pytest.raises(InvalidValue):
        find_values(memory, SUBJECT, column, "")


@pytest.mark.parametrize(
    ("value", "expected"), [("8615412345678", True), ("6901234567892", False), ("a@b", False)]
)
def test_what_identifies_a_person(value: str, expected: bool) -> None:  # noqa: FBT001 - the claim
    assert identifies(value) is expected


async def test_an_import_is_followed_by_its_statistics(
    do_import: Import, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    orders = "user_id,time,amount\na,2026-01-02 00:00:00+00:00,5\nb,,7\n"
    for text in (orders, orders, orders.replace("b", "c")):
        await do_import(text, table="orders", kind=TableKind.ORDERS)
    async with ledger.transaction() as connection:
        jobs = await many(
            connection,
            Job,
            "SELECT task_name AS task, queue_name AS queue, args, NULL AS lock, queueing_lock, "
            "priority, NULL::timestamptz AS at FROM procrastinate_jobs "
            "WHERE task_name IN ('customers.statistics', 'audiences.after_import')",
        )
    waiting = Counter(job.task for job in jobs)
    assert waiting == {"customers.statistics": 1, "audiences.after_import": 3}
    assert all(job.args == {"workspace_id": workspace_id, "table": "orders"} for job in jobs)
    await measure_table(ledger, warehouse, workspace_id=workspace_id, table="orders")
    async with ledger.transaction() as connection:
        found = await table(connection, workspace_id, "orders")
    assert found.statistics is not None
    assert found.statistics["time"] == {
        "nulls": 1, "distinct": 1, "approximate": False, "hidden": False,
        "min": "2026-01-02T00:00:00Z", "max": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    assert found.statistics["user_id"]["hidden"] is True


async def test_a_table_that_is_gone_is_not_measured(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    await measure_table(ledger, warehouse, workspace_id=workspace_id, table="gone")
