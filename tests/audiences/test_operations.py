"""Audiences from the request to the members in the lake, on real stores."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg.types.json import Jsonb
from tests.audiences.stores import CLOCK, finished, members

from textwave.audiences import operations, store
from textwave.audiences.check import ColumnUnknown
from textwave.audiences.rule import read_rule
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12

BUYERS = read_rule(
    {
        "kind": "all",
        "of": [
            {"kind": "attribute", "column": "city", "operator": "is", "value": "上海"},
            {
                "kind": "orders",
                "table": "orders",
                "within": {"last_days": 90},
                "operator": "at_least",
                "value": 2,
            },
        ],
    }
)
NOBODY = read_rule({"kind": "attribute", "column": "city", "operator": "is", "value": "Atlantis"})


async def make(ledger: Ledger, workspace_id: WorkspaceId, **given: Any) -> store.Audience:
    wanted: dict[str, Any] = {
        "actor": "key",
        "name": "buyers",
        "table": "customers",
        "rule": BUYERS,
        **given,
    }
    async with ledger.transaction(workspace_id) as connection:
        return await operations.create_audience(connection, workspace_id=workspace_id, **wanted)


@pytest.mark.usefixtures("described")
async def test_an_audience_is_made_by_the_web_role(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await make(web_ledger, workspace_id)
    async with web_ledger.transaction(workspace_id) as connection:
        assert await store.audience(connection, workspace_id, "buyers") == made
        assert await store.audiences(connection, workspace_id) == [made]
    assert made.definition == store.Definition("customers", BUYERS)
    assert made.snapshot is None


@pytest.mark.usefixtures("described")
async def test_a_name_is_taken_once(web_ledger: Ledger, workspace_id: WorkspaceId) -> None:
    await make(web_ledger, workspace_id)
    with pytest.raises(AlreadyExists):
        await make(web_ledger, workspace_id, name=" buyers ")


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\0b", "a\nb", "a/b", ".", ".."])
async def test_a_name_that_cannot_be_shown_is_refused(
    web_ledger: Ledger, workspace_id: WorkspaceId, name: str
) -> None:
    with pytest.raises(InvalidValue):
        await make(web_ledger, workspace_id, name=name)


@pytest.mark.usefixtures("described")
async def test_a_rule_that_does_not_fit_makes_no_audience(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    rule = read_rule({"kind": "attribute", "column": "town", "operator": "empty"})
    with pytest.raises(ColumnUnknown):
        await make(web_ledger, workspace_id, rule=rule)
    async with web_ledger.transaction(workspace_id) as connection:
        with pytest.raises(NotFound):
            await store.audience(connection, workspace_id, "buyers")


async def test_an_estimate_counts_and_says_whom(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_estimate(
            connection, workspace_id=workspace_id, table="customers", rule=BUYERS
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await operations.run_estimate(ledger=ledger, warehouse=shop, clock=CLOCK, **key)
    result = await finished(web_ledger, **key)
    assert (result["size"], result["of"]) == (3, 10)
    assert "“city” is “上海”" in result["sentence"]


async def test_a_preview_shows_customers_with_masked_numbers(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_preview(
            connection, workspace_id=workspace_id, table="customers", rule=BUYERS
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await operations.run_preview(ledger=ledger, warehouse=shop, clock=CLOCK, **key)
    result = await finished(web_ledger, **key)
    assert result["columns"] == ["id", "city", "phone"]
    assert result["customers"][0] == {"id": "C0", "city": "上海", "phone": "*******0010"}
    assert [customer["id"] for customer in result["customers"]] == ["C0", "C2", "C4"]


async def test_a_snapshot_holds_the_members_and_its_size(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id)
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_snapshot(
            connection, workspace_id=workspace_id, name="buyers"
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await operations.run_snapshot(ledger=ledger, warehouse=shop, clock=CLOCK, **key)
    result = await finished(web_ledger, **key)
    async with web_ledger.transaction(workspace_id) as connection:
        snapshot = (await store.audience(connection, workspace_id, "buyers")).snapshot
    assert snapshot is not None
    assert (result["size"], result["snapshot_id"]) == (snapshot.size, snapshot.id)
    assert await shop.run(workspace_id, lambda lake: members(lake, snapshot)) == ["C0", "C2", "C4"]


async def test_an_empty_audience_is_allowed_and_said(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, rule=NOBODY)
    async with ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_snapshot(
            connection, workspace_id=workspace_id, name="buyers"
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await operations.run_snapshot(ledger=ledger, warehouse=shop, clock=CLOCK, **key)
    result = await finished(ledger, **key)
    assert result["size"] == 0
    assert "empty" in result["note"]


async def test_a_crash_after_the_members_leaves_no_snapshot_and_the_next_try_makes_one(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id)
    wanted: dict[str, Any] = {
        "ledger": ledger,
        "warehouse": shop,
        "clock": CLOCK,
        "workspace_id": workspace_id,
        "name": "buyers",
    }
    async with ledger.transaction() as connection:
        await connection.execute("ALTER TABLE snapshot ADD CONSTRAINT crash CHECK (size < 0)")
    with pytest.raises(psycopg.errors.CheckViolation):
        await operations.take_snapshot(**wanted)
    async with ledger.transaction() as connection:
        assert (await store.audience(connection, workspace_id, "buyers")).snapshot is None
        await connection.execute("ALTER TABLE snapshot DROP CONSTRAINT crash")
    snapshot = await operations.take_snapshot(**wanted)
    assert await shop.run(workspace_id, lambda lake: members(lake, snapshot)) == ["C0", "C2", "C4"]


async def test_a_table_that_lost_a_column_fails_the_estimate_with_the_place(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    async with ledger.transaction(workspace_id) as connection:
        operation_id = await operations.start_estimate(
            connection, workspace_id=workspace_id, table="customers", rule=BUYERS
        )
        await connection.execute("UPDATE customer_table SET columns = '[]'")
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await operations.run_estimate(ledger=ledger, warehouse=shop, clock=CLOCK, **key)
    async with ledger.transaction(workspace_id) as connection:
        operation = await progress.read(connection, **key)
    assert (operation.problem or {})["code"] == "rule_column_unknown"


@pytest.mark.usefixtures("described")
async def test_another_workspace_sees_no_audience(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id)
    other = WorkspaceId(workspace_id + 1)
    async with web_ledger.transaction(other) as connection:
        assert await store.audiences(connection, workspace_id) == []
        assert await store.audiences(connection, other) == []


def test_two_workers_may_write_the_first_members_at_once(
    warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    together = Barrier(2, timeout=60)
    with warehouse.open(workspace_id):
        pass  # the lake itself exists before the two begin

    def write(number: int) -> int:
        with warehouse.open(workspace_id) as lake:
            lake.duckdb.execute("CREATE TEMP TABLE chosen AS SELECT 'C1' AS customer")
            together.wait()
            chosen = lake.backend.table("chosen")
            return store.write_members(lake, SnapshotId(number), chosen)[0]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, (1, 2))) == [1, 1]


async def test_a_rule_over_a_real_order_history_selects_what_a_direct_query_selects(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    write_history(file)
    expected = await warehouse.run(workspace_id, lambda lake: load_history(lake, file))
    async with ledger.transaction() as connection:
        await describe_history(connection, workspace_id)
    rule = read_rule(
        {
            "kind": "orders",
            "table": "history",
            "measure": "sum",
            "within": {"from": "2005-01-01", "until": "2006-07-01"},
            "operator": "more_than",
            "value": 300,
        }
    )
    await make(ledger, workspace_id, table="people", rule=rule)
    snapshot = await operations.take_snapshot(
        ledger=ledger,
        warehouse=warehouse,
        clock=CLOCK,
        workspace_id=workspace_id,
        name="buyers",
    )
    assert await warehouse.run(workspace_id, lambda lake: members(lake, snapshot)) == expected
    assert 0 < len(expected) < 200


def write_history(file: Path) -> None:
    duckdb.sql(f"""COPY (
        SELECT 'Customer ' || (i * i % 200) AS customer_id,
               DATE '2004-01-01' + (i * 7919 % 1095)::INTEGER AS order_date,
               10 + i * 104729 % 90 AS revenue
        FROM range(4000) t(i)) TO '{file}' (HEADER)""")


def load_history(lake: Lake, file: Path) -> list[str]:
    lake.duckdb.execute(f"""CREATE TABLE {lake.qualified("history")} AS
        SELECT customer_id, order_date::TIMESTAMP - INTERVAL 8 HOURS AS order_date,
               revenue::DOUBLE AS revenue FROM '{file}'""")
    lake.duckdb.execute(f"""CREATE TABLE {lake.qualified("people")} AS
        SELECT DISTINCT customer_id AS id FROM '{file}'""")
    rows = duckdb.sql(f"""SELECT customer_id FROM '{file}'
        WHERE order_date >= '2005-01-01' AND order_date < '2006-07-01'
        GROUP BY 1 HAVING sum(revenue) > 300 ORDER BY 1""").fetchall()
    return [str(row[0]) for row in rows]


async def describe_history(connection: Connection, workspace_id: WorkspaceId) -> None:
    columns = {"customer_id": "text", "order_date": "time", "revenue": "number"}
    await connection.execute(
        "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
        " time_column, amount_column) VALUES"
        " (%(w)s, 'people', 'customers', %(people)s, 'id', NULL, NULL),"
        " (%(w)s, 'history', 'orders', %(history)s, 'customer_id', 'order_date', 'revenue')",
        {
            "w": workspace_id,
            "people": Jsonb([{"name": "id", "type": "text"}]),
            "history": Jsonb([{"name": name, "type": kind} for name, kind in columns.items()]),
        },
    )
