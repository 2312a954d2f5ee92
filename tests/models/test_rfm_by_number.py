"""Purchases that name customers by their numbers are scored, and rules find the customers."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from textwave.audiences import store as audiences
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.refusals import IdTypeMissing
from textwave.audiences.rule import read_rule
from textwave.kit.clock import FixedClock
from textwave.kit.ids import WorkspaceId
from textwave.models import operations
from textwave.models.definition import read_definition
from textwave.models.operations import Days, Refreshing
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Lake, Warehouse

NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
RULE = read_rule({"kind": "rfm", "model": "value", "frequency": [2, 2]})
FIRST, SECOND = 8615412345678, 8615412345679


def fill(lake: Lake) -> None:
    lake.duckdb.execute(
        f"CREATE TABLE {lake.qualified('people')} AS SELECT * FROM (VALUES "
        f"('a', '15412345678', {FIRST}::BIGINT, false), ('b', '15412345679', {SECOND}, false)) "
        "t(id, phone, textwave_mobile, textwave_bad_mobile)"
    )
    lake.duckdb.execute(
        f"CREATE TABLE {lake.qualified('calls')} AS SELECT * FROM (VALUES "
        f"('154 1234 5678', TIMESTAMP '2026-03-01', 9.0::DOUBLE, {FIRST}::BIGINT),"
        f"('15412345678', TIMESTAMP '2026-03-02', 9.0, {FIRST}),"
        f"('+8615412345678', TIMESTAMP '2026-03-04', 9.0, {FIRST}),"
        f"('15412345679', TIMESTAMP '2026-03-03', 9.0, {SECOND})) "
        "t(phone, paid_at, amount, textwave_mobile)"
    )


@pytest.fixture
async def shop(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> Refreshing:
    columns = '[{"name":"id","type":"text"},{"name":"phone","type":"text"}]'
    paid = (
        '[{"name":"phone","type":"text"},{"name":"paid_at","type":"time"},'
        '{"name":"amount","type":"number"}]'
    )
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
            " mobile_column) VALUES (%s, 'people', 'customers', %s, 'id', 'phone')",
            [workspace_id, columns],
        )
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
            " customer_id_type, time_column, amount_column)"
            " VALUES (%s, 'calls', 'orders', %s, 'phone', 'mobile', 'paid_at', 'amount')",
            [workspace_id, paid],
        )
        await operations.create_model(
            connection,
            workspace_id=workspace_id,
            actor="tests",
            name="value",
            definition=read_definition({"table": "calls", "quantiles": 2}),
            now=NOW,
        )
    await warehouse.run(workspace_id, fill)
    refreshing = Refreshing(ledger, warehouse, FixedClock(NOW), workspace_id)
    await operations.refresh_model(refreshing, "value", Days())
    return refreshing


async def test_three_ways_to_write_a_number_are_one_customer_whom_a_rule_finds(
    shop: Refreshing,
) -> None:
    async with shop.ledger.transaction(shop.workspace_id) as connection:
        known = await audiences.surroundings(connection, shop.workspace_id)
    check_rule(RULE, table="people", known=known)

    def selected(lake: Lake) -> list[Any]:
        calendar = Calendar(NOW, ZoneInfo("Asia/Shanghai"))
        people = select_customers(
            RULE, table="people", known=known, source=lake.table, calendar=calendar
        )
        return people.to_pyarrow()["customer"].to_pylist()

    assert await shop.warehouse.run(shop.workspace_id, selected) == ["a"]


async def test_encrypted_numbers_join_nothing_and_the_refusal_says_so(shop: Refreshing) -> None:
    async with shop.ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO encryption_key (workspace_id, version, sealed_secret, created_by)"
            " VALUES (%s, 1, '', 'tests')",
            [shop.workspace_id],
        )
        await connection.execute(
            "UPDATE customer_table SET mobile_key = 1, mobile_region = 'CN' WHERE name = 'people'"
        )
        known = await audiences.surroundings(connection, shop.workspace_id)
    with pytest.raises(IdTypeMissing, match="encrypted"):
        check_rule(RULE, table="people", known=known)
