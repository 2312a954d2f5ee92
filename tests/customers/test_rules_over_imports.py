"""What is imported is what a rule selects: dates of the workspace, orders of a real shape."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.customers.conftest import Import
from tests.customers.test_import import SHOP

from textwave.audiences import store
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.rule import read_rule
from textwave.audiences.tables import Surroundings
from textwave.customers.columns import TableKind
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Warehouse

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12
Select = Callable[[dict[str, Any]], Awaitable[list[str]]]
NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)


@pytest.fixture
def select(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> Select:
    """Return the customers that a written rule selects, in order."""

    async def run(written: dict[str, Any]) -> list[str]:
        rule = read_rule(written)
        async with ledger.transaction() as connection:
            tables = await store.tables(connection, workspace_id)
        check_rule(rule, table="customers", known=Surroundings(tables))
        with warehouse.open(workspace_id) as lake:
            selected = select_customers(
                rule,
                table="customers",
                known=Surroundings(tables),
                source=lake.table,
                calendar=Calendar(NOW, ZoneInfo("Asia/Shanghai")),
            )
            return sorted(lake.backend.to_pyarrow(selected)["customer"].to_pylist())

    return run


def born(operator: str, value: Any) -> dict[str, Any]:
    return {"kind": "attribute", "column": "birthday", "operator": operator, "value": value}


async def test_a_birthday_is_before_the_day_that_a_person_means(
    do_import: Import, select: Select
) -> None:
    await do_import("id,birthday\na,1990-06-01\nb,1990-06-02\nc,2001-01-31\nd,2001-02-01\n")
    assert await select(born("before", "1990-06-02")) == ["a"]
    assert await select(born("on_or_after", "1990-06-02")) == ["b", "c", "d"]
    assert await select(born("between", ["2001-01-01", "2001-02-01"])) == ["c"]


async def test_a_rule_over_imported_orders_selects_what_the_file_says(
    do_import: Import, select: Select
) -> None:
    rows = [line.split(",") for line in SHOP.splitlines()[1:]]
    names = sorted({row[0] for row in rows})
    await do_import("id\n" + "\n".join([*names, "Cy Low"]))
    await do_import(SHOP, table="orders", kind=TableKind.ORDERS)
    orders: dict[str, Any] = {"kind": "orders", "table": "orders"}
    often = orders | {"operator": "at_least", "value": 2}
    counts = Counter(row[0] for row in rows)
    assert await select(often) == [name for name in names if counts[name] >= 2] == ["Ada Rowe"]
    spent = orders | {"measure": "sum", "operator": "more_than", "value": 36}
    assert await select(spent) == ["Ada Rowe", "Ben Hill"]
    within = orders | {"within": {"from": "2025-05-02", "until": "2025-05-03"}}
    assert await select(within) == ["Ben Hill"]
    assert await select(within | {"did": False}) == ["Ada Rowe", "Cy Low"]


async def test_a_minus_zero_is_found_as_zero(do_import: Import, select: Select) -> None:
    assert (await do_import("id,points\na,-0\nb,0\nc,5\n")).problem is None
    zero = {"kind": "attribute", "column": "points", "operator": "is", "value": 0}
    assert await select(zero) == ["a", "b"]
