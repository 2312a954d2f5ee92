# ruff: noqa: DTZ001 - times in the warehouse are naive UTC
"""The import as a whole: what is kept, what is rejected, what happens the second time."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from tests.customers.conftest import Import

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.operations import imports, read_rejected_rows, table, tables
from textwave.customers.rejects import RejectedRow
from textwave.customers.request import ImportMode
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.progress import Operation
from textwave.storage.warehouse import Warehouse

Rows = Callable[..., list[Any]]
ORDERS: dict[str, Any] = {"table": "orders", "kind": TableKind.ORDERS}
SHOP = """customer_id,order_date,revenue,first_name,last_name,email
Ada Rowe,2024-12-20,32,Ada,Rowe,ada@example.com
Ben Hill,2025-05-02,36.5,Ben,Hill,ben@example.com
Ada Rowe,2025-03-06,116,Ada,Rowe,ada@example.com
"""


def result(operation: Operation) -> dict[str, Any]:
    assert operation.problem is None
    assert operation.result is not None
    return operation.result


def rejected(
    warehouse: Warehouse, workspace_id: WorkspaceId, operation: Operation
) -> list[RejectedRow]:
    with warehouse.open(workspace_id) as lake:
        return read_rejected_rows(lake, result(operation)["import_id"])


async def test_orders_are_imported_as_they_are(do_import: Import, rows_of: Rows) -> None:
    done = result(await do_import(SHOP, **ORDERS))
    assert (done["rows_read"], done["rows_kept"], done["rows_rejected"]) == (3, 3, 0)
    assert done["parts"] == {
        "customer": {"column": "customer_id", "guessed": True},
        "time": {"column": "order_date", "guessed": True},
        "amount": {"column": "revenue", "guessed": True},
    }
    assert rows_of("orders", "customer_id, order_date, revenue") == [
        ("Ada Rowe", datetime(2024, 12, 19, 16), 32.0),
        ("Ada Rowe", datetime(2025, 3, 5, 16), 116.0),
        ("Ben Hill", datetime(2025, 5, 1, 16), 36.5),
    ]


async def test_keys_and_numbers_keep_their_zeros(do_import: Import, rows_of: Rows) -> None:
    await do_import("id,mobile\n007,15412345678\n7,0015550100\n")
    assert rows_of(columns="id, mobile") == [("007", "15412345678"), ("7", "0015550100")]


async def test_numbers_are_read_and_bad_ones_marked(do_import: Import, rows_of: Rows) -> None:
    text = "id,手机号\na,15412345678\nb,+86 154-1234-5679\nc,+44 7700 900123\nd,12\ne,\nf, \n"
    done = result(await do_import(text))
    assert done["numbers"] == {"mainland": 2, "other": 1, "bad": 1, "missing": 2}
    assert rows_of(columns="id, textwave_mobile, textwave_bad_mobile") == [
        ("a", 8615412345678, False),
        ("b", 8615412345679, False),
        ("c", 447700900123, False),
        ("d", None, True),
        ("e", None, False),
        ("f", None, False),
    ]


async def test_what_only_reads_as_a_number_is_none(do_import: Import, rows_of: Rows) -> None:
    await do_import("id,mobile\na,154123456e2\nb,15_41234567\nc,15412345.67\nd,1541234567 \n")
    assert rows_of(columns="textwave_mobile, textwave_bad_mobile") == [(None, True)] * 4


async def test_a_region_says_where_numbers_belong(do_import: Import, rows_of: Rows) -> None:
    await do_import("id,mobile\na,07700 900123\nb,+8615412345678\n", default_region="GB")
    assert rows_of(columns="textwave_mobile") == [(447700900123,), (8615412345678,)]


async def test_a_table_without_numbers_has_the_columns(do_import: Import, rows_of: Rows) -> None:
    await do_import("id,city\na,Shanghai\n")
    assert rows_of() == [("a", "Shanghai", None, False)]


async def test_rejected_rows_say_where_what_and_why(
    do_import: Import, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    text = "id,level,born\na,1,2000-01-01\n,2,2000-01-01\nb,x,\nc,1\nd,1,2000-13-01\ne,1,,9\nf,2,\n"
    types = {"level": ColumnType.NUMBER, "born": ColumnType.TIME}
    done = await do_import(text, types=types)
    assert result(done)["rows_kept"] == 2
    found = rejected(warehouse, workspace_id, done)
    assert [(r.line, r.column_name, r.value, r.reason.split(":")[0]) for r in found] == [
        (3, "id", None, "the key is empty"),
        (4, "level", "x", "not a number"),
        (5, "born", None, "wrong number of columns"),
        (6, "born", "2000-13-01", "not a time (year first"),
        (7, None, None, "wrong number of columns"),
    ]
    assert found[1].row_text == "b,x,"


async def test_the_last_row_of_a_key_wins(
    do_import: Import, rows_of: Rows, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    done = await do_import("id,city\na,Wuhan\nb,Wuhan\nbroken\na,Xian\na,Suzhou\n")
    assert rows_of(columns="id, city") == [("a", "Suzhou"), ("b", "Wuhan")]
    found = rejected(warehouse, workspace_id, done)
    assert [(row.line, row.value) for row in found] == [(2, "a"), (4, None), (5, "a")]


async def test_a_guessed_type_that_fits_too_few_values_becomes_text(
    do_import: Import, rows_of: Rows
) -> None:
    lines = [f"c{n},{n if n <= 4000 else 'n/a'}" for n in range(1, 5001)]
    done = result(await do_import("id,score\n" + "\n".join(lines)))
    assert done["rows_rejected"] == 0
    assert done["columns"][1]["type"] == "text"
    assert rows_of(columns="count(*)") == [(5000,)]


async def test_an_offset_is_honoured(do_import: Import, rows_of: Rows) -> None:
    text = "a,2026-03-01T08:00:00+00:00\nb,2026-03-01 08:00:00\nc,2026-03-01 08:00:5Z\n"
    await do_import("id,seen\n" + text, types={"seen": ColumnType.TIME})
    assert rows_of(columns="id, seen") == [
        ("a", datetime(2026, 3, 1, 8)),
        ("b", datetime(2026, 3, 1)),
        ("c", datetime(2026, 3, 1, 8, 0, 5)),
    ]


async def test_replacing_twice_is_harmless(do_import: Import, rows_of: Rows) -> None:
    first, second = [result(await do_import("id,city\na,Wuhan\n")) for _ in range(2)]
    assert (first["already_imported"], second["already_imported"]) == (False, True)
    assert rows_of(columns="id") == [("a",)]


async def test_upserting_renews_known_keys_and_keeps_the_others(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("id,city\na,Wuhan\nb,Wuhan\n")
    for _ in range(2):
        done = result(await do_import("city,id\nXian,b\nXian,c\n", mode=ImportMode.UPSERT))
        assert done["row_count"] == 3
    assert rows_of(columns="id, city") == [("a", "Wuhan"), ("b", "Xian"), ("c", "Xian")]


async def test_appending_the_same_file_twice_changes_nothing(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import(SHOP, **ORDERS, mode=ImportMode.APPEND)
    again = result(await do_import(SHOP, **ORDERS, mode=ImportMode.APPEND))
    assert (again["already_imported"], again["changed"], again["row_count"]) == (True, False, 3)
    other = SHOP.replace("Ben", "Bob")
    assert result(await do_import(other, **ORDERS, mode=ImportMode.APPEND))["row_count"] == 6
    assert rows_of("orders", "count(*)") == [(6,)]


async def test_a_replaced_table_takes_an_old_file_again(do_import: Import) -> None:
    await do_import(SHOP, **ORDERS, mode=ImportMode.APPEND)
    await do_import(SHOP.replace("Ben", "Bob"), **ORDERS)
    again = result(await do_import(SHOP, **ORDERS, mode=ImportMode.APPEND))
    assert (again["already_imported"], again["row_count"]) == (False, 6)


async def test_parquet_is_imported_with_its_types(
    do_import: Import, rows_of: Rows, tmp_path: Path
) -> None:
    path = tmp_path / "people.parquet"
    rows = {
        "id": ["a", "", "c"],
        "mobile": [15412345678, 15412345679, None],
        "spent": [1.5, 2.0, float("nan")],
        "seen": [datetime(2026, 1, 2), None, None],
        "tags": [["x", "y"], [], None],
    }
    pq.write_table(pa.table(rows), path)
    done = result(await do_import(path))
    assert [c["type"] for c in done["columns"]] == ["text", "text", "number", "time", "multi_value"]
    assert done["rows_rejected"] == 2
    assert rows_of() == [
        ("a", "15412345678", 1.5, datetime(2026, 1, 1, 16), "x,y", 8615412345678, False)
    ]


async def test_the_ledger_knows_the_table_and_its_imports(
    do_import: Import, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await do_import("id,手机,tags\na,15412345678,x;y\n", file_name="people.csv")
    async with web_ledger.transaction(workspace_id) as connection:
        found = await table(connection, workspace_id, "customers")
        assert await tables(connection, workspace_id) == [found]
        [import_] = await imports(connection, workspace_id=workspace_id, name="customers")
    assert (found.customer_column, found.mobile_column, found.row_count) == ("id", "手机", 1)
    assert found.columns[2] == {"name": "tags", "type": "multi_value", "separator": ";"}
    assert (import_.file_name, import_.rows_kept) == ("people.csv", 1)
