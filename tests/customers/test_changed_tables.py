"""A file that would change its table: what is shown, what is taken, what stays."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from tests.customers.conftest import Import
from tests.customers.test_import import result

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.request import ImportMode
from textwave.customers.uses import Stored, find_uses
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger, execute
from textwave.storage.progress import Operation

Rows = Callable[..., list[Any]]
ORDERS: dict[str, Any] = {"table": "orders", "kind": TableKind.ORDERS}


def changes(operation: Operation) -> dict[str, Any]:
    assert operation.problem is not None
    assert operation.problem["code"] == "schema_changed", operation.problem
    fields: dict[str, Any] = operation.problem["fields"]
    return fields


async def test_a_change_is_shown_and_only_taken_when_accepted(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("id,city,level\na,Wuhan,1\n")
    text = "id,town,level\na,Xian,high\n"
    shown = changes(await do_import(text))
    assert (shown["added"], shown["removed"]) == (["town"], ["city"])
    assert shown["retyped"] == [{"what": "level", "was": "number", "now": "text"}]
    assert rows_of(columns="id, city") == [("a", "Wuhan")]
    done = result(await do_import(text, accept_changes=True))
    assert done["row_count"] == 1
    assert rows_of(columns="id, town, level") == [("a", "Xian", "high")]


async def test_a_guess_that_drifts_in_the_whole_file_is_a_change(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("id,score\na,1\n")
    lines = [f"c{n},{n if n <= 3000 else 'n/a'}" for n in range(1, 4001)]
    shown = changes(await do_import("id,score\n" + "\n".join(lines)))
    assert shown["retyped"] == [{"what": "score", "was": "number", "now": "text"}]
    assert rows_of(columns="id") == [("a",)]


async def test_a_type_that_only_looks_changed_at_first_is_none(do_import: Import) -> None:
    lines = [f"c{n},{n if n <= 3000 else 'n/a'}" for n in range(1, 4001)]
    text = "id,score\n" + "\n".join(lines)
    for _ in range(2):
        assert result(await do_import(text))["columns"][1]["type"] == "text"


async def test_another_part_is_a_change(do_import: Import) -> None:
    text = "user_id,time,amount,paid\na,2026-01-01,1,2\n"
    await do_import(text, **ORDERS)
    shown = changes(await do_import(text, **ORDERS, amount_column="paid"))
    assert shown["roles"] == [{"what": "the amount column", "was": "amount", "now": "paid"}]


async def test_rules_that_speak_of_a_lost_column_are_named(
    do_import: Import, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await do_import("id,city,level\na,Wuhan,1\n")
    city = {"kind": "attribute", "column": "city", "operator": "is", "value": "Wuhan"}
    level = city | {"column": "level"}
    async with ledger.transaction() as connection:
        for name, rule in (("locals", {"kind": "all", "of": [city]}), ("gold", level)):
            await execute(
                connection,
                "INSERT INTO audience (workspace_id, name, table_name, rule, created_by) "
                "VALUES (%s, %s, 'customers', %s, 'a test')",
                [workspace_id, name, Jsonb(rule)],
            )
    operation = await do_import("id,level\na,1\n")
    assert changes(operation)["used_by"] == [
        {"kind": "audience", "name": "locals", "columns": ["city"]}
    ]
    assert "audience “locals” (city)" in str(operation.problem)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [(TableKind.CUSTOMERS, ImportMode.UPSERT), (TableKind.ORDERS, ImportMode.APPEND)],
)
async def test_an_added_column_is_empty_in_older_rows(
    do_import: Import, rows_of: Rows, kind: TableKind, mode: ImportMode
) -> None:
    await do_import("user_id,city\na,Wuhan\n", kind=kind)
    text = "user_id,level,city\nb,2,Xian\n"
    assert changes(await do_import(text, kind=kind, mode=mode))["added"] == ["level"]
    result(await do_import(text, kind=kind, mode=mode, accept_changes=True))
    assert rows_of(columns="user_id, city, level") == [("a", "Wuhan", None), ("b", "Xian", 2)]


async def test_numbers_that_are_added_are_read(do_import: Import, rows_of: Rows) -> None:
    options: dict[str, Any] = ORDERS | {"mode": ImportMode.APPEND, "accept_changes": True}
    await do_import("user_id,amount\na,1\n", **options)
    await do_import("user_id,amount,tel\nb,2,15412345678\n", **options, mobile_column="tel")
    assert rows_of("orders", "user_id, textwave_mobile") == [("a", None), ("b", 8615412345678)]


async def test_a_kept_separator_counts(do_import: Import) -> None:
    await do_import("id,tags\na,x;y\n")
    shown = changes(await do_import("id,tags\na,x|y\n"))
    assert shown["retyped"][0]["now"] == "multi_value separated by “|”"
    options = {"types": {"tags": ColumnType.MULTI_VALUE}, "separator": ";"}
    assert result(await do_import("id,tags\na,x|y\n", **options))["row_count"] == 1


conditions = st.fixed_dictionaries(
    {"kind": st.just("attribute"), "column": st.sampled_from("abc"), "value": st.integers()}
)
orders = st.fixed_dictionaries(
    {
        "kind": st.just("orders"),
        "table": st.sampled_from(["orders", "other"]),
        "column": st.sampled_from("de"),
        "where": st.lists(conditions, max_size=2),
    }
)
rules = st.recursive(
    conditions | orders,
    lambda inner: st.fixed_dictionaries(
        {"kind": st.just("all"), "of": st.lists(inner, max_size=3)}
    ),
    max_leaves=8,
)


def named(rule: dict[str, Any], root: str, table: str) -> set[str]:
    """Say plainly which columns of the table a rule of this shape names."""
    if rule["kind"] == "all":
        return set().union(*(named(one, root, table) for one in rule["of"]))
    if rule["kind"] == "attribute":
        return {rule["column"]} if root == table else set()
    if rule["table"] != table:
        return set()
    return {rule["column"]} | {one["column"] for one in rule["where"]}


@given(rule=rules)
def test_each_column_that_a_rule_names_is_found(rule: dict[str, Any]) -> None:
    for table in ("customers", "orders"):
        uses = find_uses([Stored("audience", "x", "customers", rule)], table)
        found = {name for use in uses for name in use.columns}
        assert found == named(rule, "customers", table)
