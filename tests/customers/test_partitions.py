"""Rows delivered by partition: each delivery takes the place of the one before."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.customers.conftest import Import
from tests.customers.test_import import rejected, result

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.request import ImportMode
from textwave.kit.ids import WorkspaceId
from textwave.storage.warehouse import Warehouse

Rows = Callable[..., list[Any]]
DAILY: dict[str, Any] = {
    "table": "visits",
    "kind": TableKind.BEHAVIOURS,
    "mode": ImportMode.APPEND,
    "partition_column": "day",
    "types": {"day": ColumnType.TEXT, "page": ColumnType.TEXT},
}


async def test_a_day_can_be_delivered_again(do_import: Import, rows_of: Rows) -> None:
    first = "user_id,day,page\na,2026-01-01,x\nb,2026-01-01,x\na,2026-01-02,x\n"
    await do_import(first, **DAILY)
    await do_import("user_id,day,page\na,2026-01-01,y\nc,2026-01-03,y\n", **DAILY)
    assert rows_of("visits", "day, user_id, page") == [
        ("2026-01-01", "a", "y"),
        ("2026-01-02", "a", "x"),
        ("2026-01-03", "c", "y"),
    ]
    again = result(await do_import(first, **DAILY))
    assert (again["changed"], again["already_imported"]) == (True, True)
    assert rows_of("visits", "day, user_id, page")[:2] == [
        ("2026-01-01", "a", "x"),
        ("2026-01-01", "b", "x"),
    ]


async def test_the_table_remembers_its_partition(do_import: Import, rows_of: Rows) -> None:
    await do_import("user_id,day,page\na,d1,x\n", **DAILY | {"mode": ImportMode.REPLACE})
    del (options := dict(DAILY))["partition_column"]
    assert result(await do_import("user_id,day,page\na,d1,y\n", **options))["row_count"] == 1
    problem = await do_import(
        "user_id,day,page\nb,d1,z\n", **options | {"partition_column": "page"}
    )
    assert problem.problem is not None
    assert problem.problem["code"] == "table_differs"
    assert rows_of("visits", "page") == [("y",)]


async def test_a_partition_may_be_a_day_as_a_time(do_import: Import, rows_of: Rows) -> None:
    options = DAILY | {"types": {"day": ColumnType.TIME}}
    await do_import("user_id,day,page\na,2026-01-01,x\nb,2026-01-02,x\n", **options)
    await do_import("user_id,day,page\nc,2026-01-02,x\n", **options)
    assert rows_of("visits", "user_id") == [("a",), ("c",)]


async def test_a_row_of_no_partition_is_rejected(
    do_import: Import, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    done = await do_import("user_id,day,page\na,,x\nb,d1,x\n", **DAILY)
    [row] = rejected(warehouse, workspace_id, done)
    assert (row.line, row.column_name, row.reason) == (2, "day", "the partition column is empty")


async def test_more_partitions_than_a_file_may_have_are_refused(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("user_id,day,page\na,d1,x\n", **DAILY)
    rows = "".join(f"a,d{number},y\n" for number in range(1_001))
    problem = (await do_import("user_id,day,page\n" + rows, **DAILY)).problem
    assert problem is not None
    assert (problem["code"], problem["fields"]["values"]) == ("too_many_partitions", 1_001)
    assert rows_of("visits", "page") == [("x",)]


deliveries = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["d1", "d2", "d3"])), min_size=1),
    min_size=1,
    max_size=3,
)


@given(files=deliveries)
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_deliveries_end_as_their_last_of_each_day(
    do_import: Import, rows_of: Rows, files: list[list[tuple[str, str]]]
) -> None:
    kept: list[tuple[str, str, str]] = []
    for number, rows in enumerate(files):
        lines = [f"{customer},{day},{number}" for customer, day in rows]
        mode = ImportMode.APPEND if number else ImportMode.REPLACE
        done = await do_import(
            "user_id,day,page\n" + "\n".join(lines) + "\n",
            **DAILY | {"mode": mode},
        )
        assert result(done)["rows_kept"] == len(rows)
        days = {day for _, day in rows}
        kept = [row for row in kept if row[1] not in days]
        kept += [(customer, day, str(number)) for customer, day in rows]
    assert sorted(rows_of("visits", "user_id, day, page")) == sorted(kept)
