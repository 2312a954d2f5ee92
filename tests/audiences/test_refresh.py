"""Audiences computed anew by themselves, in real stores."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.audiences.stores import (
    BOUGHT,
    CLOCK,
    SHANGHAI,
    make,
    member_of,
    members,
    read,
    refreshed,
)

from textwave.audiences import refresh_operations as refreshes
from textwave.kit.ids import AudienceId, WorkspaceId
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.warehouse import Lake, Warehouse

DAILY = "0 6 * * *"


async def due_at(ledger: Ledger, audience_id: AudienceId, moment: datetime) -> None:
    async with ledger.transaction() as connection:
        statement = "UPDATE audience SET next_refresh_at = %s WHERE id = %s"
        await execute(connection, statement, [moment, audience_id])


async def follow(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, table: str
) -> list[str]:
    return await refreshes.refresh_after_import(
        ledger=ledger, warehouse=warehouse, clock=CLOCK, workspace_id=workspace_id, table=table
    )


@pytest.mark.usefixtures("described")
async def test_what_is_due_is_deferred_once_and_due_again_at_its_next_time(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await make(ledger, workspace_id, "daily", refresh=DAILY)
    now = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    await due_at(ledger, made.id, now - timedelta(days=3))

    assert await refreshes.defer_due(ledger, now=now) == 1
    assert await refreshes.defer_due(ledger, now=now) == 0

    following = (await read(ledger, workspace_id, "daily")).refreshing.next_at
    assert following == datetime(2026, 3, 10, 22, 0, tzinfo=UTC)  # 6:00 in Shanghai
    async with ledger.transaction() as connection:
        statement = "SELECT args FROM procrastinate_jobs WHERE task_name = 'audiences.refresh'"
        args = await value(connection, statement)
    assert args == {"workspace_id": workspace_id, "audience_id": made.id}


@pytest.mark.usefixtures("described")
async def test_a_refresh_that_still_waits_is_not_deferred_again(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await make(ledger, workspace_id, "daily", refresh=DAILY)
    now = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    for _ in range(3):
        await due_at(ledger, made.id, now)
        await refreshes.defer_due(ledger, now=now)

    async with ledger.transaction() as connection:
        statement = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'audiences.refresh'"
        assert await value(connection, statement) == 1


@pytest.mark.usefixtures("described")
async def test_what_is_not_due_or_by_hand_is_left(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "daily", refresh=DAILY)
    await make(ledger, workspace_id, "by hand")
    await make(ledger, workspace_id, "imports", refresh="after_import")

    assert await refreshes.defer_due(ledger, now=CLOCK.now()) == 0


async def test_a_refresh_that_fails_says_so_on_the_audience_until_one_succeeds(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    made = await make(ledger, workspace_id, "daily", refresh=DAILY)
    job: Mapping[str, Any] = {
        "ledger": ledger,
        "warehouse": shop,
        "clock": CLOCK,
        "workspace_id": workspace_id,
        "audience_id": made.id,
    }
    async with ledger.transaction() as connection:
        columns = await value(connection, "SELECT columns FROM customer_table ORDER BY id LIMIT 1")
        await execute(connection, "UPDATE customer_table SET columns = '[]'")

    await refreshes.run_refresh(**job)

    failed = (await read(ledger, workspace_id, "daily")).refreshing
    assert failed.failed_at is not None
    assert (failed.problem or {})["code"] == "rule_column_unknown"
    async with ledger.transaction() as connection:
        await execute(
            connection, "UPDATE customer_table SET columns = %s::jsonb", [json.dumps(columns)]
        )
    await refreshes.run_refresh(**job)
    healed = await read(ledger, workspace_id, "daily")
    assert (healed.refreshing.failed_at, healed.refreshing.problem) == (None, None)
    assert healed.snapshot is not None


async def test_after_an_import_audiences_are_computed_after_those_they_are_computed_from(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "buyers", BOUGHT, refresh="after_import")
    await refreshed(ledger, shop, workspace_id, "buyers")
    both = {"kind": "all", "of": [member_of("buyers"), SHANGHAI]}
    await make(ledger, workspace_id, "a local buyers", both, refresh="after_import")
    await make(ledger, workspace_id, "by hand", BOUGHT)
    await shop.run(workspace_id, order_by_c8)

    assert await follow(ledger, shop, workspace_id, "orders") == []

    local = await read(ledger, workspace_id, "a local buyers")
    found = await shop.run(workspace_id, lambda lake: members(lake, local.snapshot))
    assert found == ["C0", "C2", "C4", "C8"]
    assert (await read(ledger, workspace_id, "by hand")).snapshot is None


async def test_one_that_fails_stops_those_computed_from_it_and_no_others(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "first", BOUGHT, refresh="after_import")
    await refreshed(ledger, shop, workspace_id, "first")
    await make(ledger, workspace_id, "second", member_of("first"), refresh="after_import")
    await make(ledger, workspace_id, "other", SHANGHAI, refresh="after_import")
    async with ledger.transaction() as connection:
        await execute(
            connection,
            "UPDATE audience SET rule = jsonb_set(rule, '{measure}', '\"sum\"') "
            "WHERE name = 'first'",
        )
        await execute(connection, "UPDATE customer_table SET amount_column = NULL")

    failed = await follow(ledger, shop, workspace_id, "customers")

    assert failed == ["first", "second"]
    problem = (await read(ledger, workspace_id, "second")).refreshing.problem or {}
    assert problem["code"] == "used_audience_failed"
    assert "“first”" in problem["sentence"]
    assert (await read(ledger, workspace_id, "other")).snapshot is not None


def order_by_c8(lake: Lake) -> None:
    lake.duckdb.execute(
        f"INSERT INTO {lake.qualified('orders')} VALUES ('C8', TIMESTAMP '2026-03-09 10:00', 1.0)"
    )
