"""Tables of each kind: their parts, their modes, the ids that join them to people."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.customers.conftest import Import
from tests.customers.test_import import rejected, result

from textwave.customers.columns import ColumnType, Part, TableKind, guess_part
from textwave.customers.operations import table
from textwave.customers.request import ImportMode, ImportRequest, ModeUnfit, read_ids
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Warehouse

Rows = Callable[..., list[Any]]
SUMMARY: dict[str, Any] = {"table": "totals", "kind": TableKind.ORDER_SUMMARY}
VISITS: dict[str, Any] = {"table": "visits", "kind": TableKind.BEHAVIOURS}
METRICS: dict[str, Any] = {"table": "usage", "kind": TableKind.METRICS}


async def test_a_summary_has_one_row_a_customer(do_import: Import, rows_of: Rows) -> None:
    text = "user_id,last_order_date,order_count,total_amount\n"
    done = result(await do_import(text + "a,2026-01-02,2,30\nb,2026-01-02,1,5\n", **SUMMARY))
    assert {part: said["column"] for part, said in done["parts"].items()} == {
        "customer": "user_id",
        "time": "last_order_date",
        "count": "order_count",
        "amount": "total_amount",
    }
    more = text + "b,2026-01-03,2,9\nb,2026-01-04,3,11\n"
    await do_import(more, **SUMMARY, mode=ImportMode.UPSERT)
    assert rows_of("totals", "user_id, order_count, total_amount") == [("a", 2, 30), ("b", 3, 11)]


def test_nothing_is_appended_to_a_summary() -> None:
    with pytest.raises(ModeUnfit, match="each key once"):
        ImportRequest("", "x", "t", TableKind.ORDER_SUMMARY, ImportMode.APPEND).check()


@pytest.mark.parametrize(
    ("names", "expected"), [(["订单金额", "购买次数"], "购买次数"), (["Orders"], "Orders")]
)
def test_a_number_of_orders_is_guessed(names: list[str], expected: str) -> None:
    assert guess_part(Part.COUNT, names, {}) == expected


async def test_metrics_need_a_number(do_import: Import) -> None:
    done = result(await do_import("user_id,month,data_used\na,2026-01-01,5.5\n", **METRICS))
    assert done["columns"][2]["type"] == "number"
    problem = (await do_import("user_id,plan\na,gold\n", table="n", kind=TableKind.METRICS)).problem
    assert problem is not None
    assert (problem["code"], "a number" in problem["sentence"]) == ("column_missing", True)


async def test_a_mobile_column_of_visits_is_read_where_it_is_declared(
    do_import: Import, rows_of: Rows
) -> None:
    text = "user_id,time,mobile\na,2026-01-01,15412345678\nb,2026-01-01,12\n"
    result(await do_import(text, **VISITS))
    assert "mobile" not in result(await do_import(text, **VISITS))["parts"]
    await do_import(text, **VISITS, mobile_column="mobile", accept_changes=True)
    assert rows_of("visits", "user_id, textwave_mobile") == [("a", 8615412345678), ("b", None)]


async def test_customers_known_by_number_are_read_as_such(
    do_import: Import, rows_of: Rows, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    text = "phone,time\n+86 15412345678,2026-01-01\n15412345679,2026-01-01\nnobody,2026-01-01\n"
    done = await do_import(text, **VISITS, customer_id_type="mobile")
    assert rows_of("visits", "phone, textwave_mobile") == [
        ("+86 15412345678", 8615412345678),
        ("15412345679", 8615412345679),
    ]
    [row] = rejected(warehouse, workspace_id, done)
    assert (row.line, row.column_name, row.value) == (4, "phone", "nobody")
    assert row.reason == "the customer is no mobile number"


async def test_a_number_written_in_two_ways_is_one_key(do_import: Import, rows_of: Rows) -> None:
    options = SUMMARY | {"customer_id_type": "mobile"}
    text = "phone,orders\n+86 15412345678,1\n15412345678,2\n"
    assert result(await do_import(text, **options))["rows_kept"] == 1
    await do_import("phone,orders\n8615412345678,3\n", **options, mode=ImportMode.UPSERT)
    assert rows_of("totals", "orders") == [(3,)]


async def test_id_columns_are_kept_as_text_with_the_table(
    do_import: Import, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    text = "id,mail,open\na,a@example.com,1\n"
    ids = {"email": "mail", "open_id": "open"}
    done = result(await do_import(text, ids=ids))
    assert [column["type"] for column in done["columns"]] == ["text", "text", "text"]
    again = result(await do_import(text.replace("a,a", "b,b"), mode=ImportMode.UPSERT))
    assert again["ids"] == ids
    async with ledger.transaction() as connection:
        found = await table(connection, workspace_id, "customers")
    assert {one["type"]: one["column"] for one in found.ids} == ids


async def test_an_id_column_that_is_missing_is_named(do_import: Import) -> None:
    problem = (await do_import("id,mail\na,b\n", ids={"email": "post"})).problem
    assert problem is not None
    assert "no column “post” for ids of the type email" in problem["sentence"]


@pytest.mark.parametrize("written", [["email"], ["=mail"], ["E-Mail=mail"], ["a=x", "a=y"]])
def test_ids_are_one_column_a_type(written: list[str]) -> None:
    with pytest.raises(InvalidValue):
        read_ids(written)


@pytest.mark.parametrize(
    "options",
    [
        {"ids": {"customer": "id"}},
        {"customer_id_type": "email"},
        {"kind": TableKind.ORDERS, "ids": {"email": "mail"}},
        {"kind": TableKind.ORDERS, "customer_id_type": "mobile", "mobile_column": "phone"},
        {"kind": TableKind.ORDER_SUMMARY, "partition_column": "day"},
        {"ids": {"email": "x"}, "types": {"x": ColumnType.NUMBER}},
    ],
)
async def test_ids_that_make_no_sense_are_refused(
    do_import: Import, options: dict[str, Any]
) -> None:
    refused: Any = None
    try:
        refused = (await do_import("id,x\na,b\n", **options)).problem
    except Refusal as refusal:
        refused = {"code": refusal.code}
    assert refused is not None
    assert refused["code"] == "invalid_value"


async def test_several_numbers_are_kept_in_their_order(do_import: Import, rows_of: Rows) -> None:
    text = (
        "id,phone\na,15412345679|+86 15412345678|15412345679\nb,12|15412345670\nc,12|x\n"
        "d,\ne,15412345671\n"
    )
    done = result(await do_import(text, types={"phone": ColumnType.MULTI_VALUE}))
    assert done["numbers"] == {"mainland": 3, "other": 0, "bad": 1, "missing": 1}
    assert rows_of(columns="id, textwave_mobile, textwave_bad_mobile, textwave_mobiles") == [
        ("a", 8615412345679, False, [8615412345679, 8615412345678]),
        ("b", 8615412345670, False, [8615412345670]),
        ("c", None, True, None),
        ("d", None, False, None),
        ("e", 8615412345671, False, [8615412345671]),
    ]
