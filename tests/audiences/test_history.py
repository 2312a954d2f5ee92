"""Sizes over time, comparisons of members, and which members are kept."""

from datetime import timedelta
from typing import Any

import pytest
from tests.audiences.stores import (
    BOUGHT,
    SHANGHAI,
    finished,
    make,
    members,
    pretend,
    read,
    refreshed,
)

from textwave.audiences import comparison_operations as comparisons
from textwave.audiences import history_operations, life_operations, store
from textwave.audiences.comparison_operations import AudienceNotComputed, AudiencesNotComparable
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage.ledger import Ledger, execute
from textwave.storage.warehouse import Lake, Warehouse


async def history(
    ledger: Ledger, workspace_id: WorkspaceId, name: str, **page: Any
) -> list[life_operations.PastSnapshot]:
    async with ledger.transaction(workspace_id) as connection:
        return await life_operations.history(
            connection, workspace_id=workspace_id, viewer=SEES_ALL, name=name, **page
        )


def snapshots_in(lake: Lake) -> set[int]:
    ids = lake.table(store.MEMBERS).to_pyarrow().column("snapshot_id").to_pylist()
    return set(ids)


def move_all_to_shanghai(lake: Lake) -> None:
    lake.duckdb.execute(
        f"UPDATE {lake.qualified('customers')} "
        "SET city = CASE id WHEN 'C0' THEN '杭州' ELSE '上海' END"
    )


async def test_a_history_has_every_size_page_by_page_newest_first(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "local")
    await refreshed(ledger, shop, workspace_id, "local")
    await shop.run(workspace_id, move_all_to_shanghai)
    newest = await refreshed(ledger, shop, workspace_id, "local")

    [first] = await history(web_ledger, workspace_id, "local", limit=1)
    [second] = await history(web_ledger, workspace_id, "local", before=first.id)

    assert (first.id, first.size, second.size) == (newest.id, 9, 5)
    assert first.lake_version > second.lake_version


async def test_old_members_leave_the_lake_but_not_those_that_a_campaign_used(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "local")
    taken = [await refreshed(ledger, shop, workspace_id, "local") for _ in range(8)]
    await use_in_campaign(ledger, workspace_id, taken[1])

    assert await history_operations.forget_members(ledger, shop) == 2
    assert await history_operations.forget_members(ledger, shop) == 0

    kept = await shop.run(workspace_id, snapshots_in)
    assert kept == {taken[1].id, *(one.id for one in taken[3:])}
    past = await history(ledger, workspace_id, "local")
    assert {one.id for one in past if one.members_removed_at} == {taken[0].id, taken[2].id}
    assert [one.size for one in past] == [5] * 8


async def use_in_campaign(
    ledger: Ledger, workspace_id: WorkspaceId, snapshot: store.Snapshot
) -> None:
    async with ledger.transaction() as connection:
        for part in ("platform", "signature", "template"):  # a campaign without its parts
            await execute(
                connection, f"ALTER TABLE campaign DROP CONSTRAINT campaign_{part}_id_fkey"
            )
        await execute(
            connection,
            "INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id,"
            " template_id, audience_id, snapshot_id, state, created_by) VALUES"
            " (%s, 'Spring', 'promotional', 1, 1, 1, 1, %s, 'completed', 'key')",
            [workspace_id, snapshot.id],
        )


async def test_what_a_crashed_attempt_wrote_is_taken_out_a_day_later(
    ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    made = await make(ledger, workspace_id, "local")
    async with ledger.transaction() as connection:
        crashed = await store.next_snapshot_id(connection)
    await shop.run(workspace_id, lambda lake: write_one(lake, crashed))
    before = await refreshed(ledger, shop, workspace_id, "local")
    async with ledger.transaction() as connection:
        under_way = await store.next_snapshot_id(connection)
    await shop.run(workspace_id, lambda lake: write_one(lake, under_way))
    await pretend(ledger, made)
    later = before.computed_at + timedelta(days=1, seconds=1)
    async with ledger.transaction() as connection:
        statement = "UPDATE snapshot SET computed_at = %s WHERE id > %s"
        await execute(connection, statement, [later, before.id])

    soon = before.computed_at + timedelta(hours=23)
    assert await history_operations.forget_unfinished(ledger, shop, now=soon) == 0
    assert await history_operations.forget_unfinished(ledger, shop, now=later) == 1

    assert await shop.run(workspace_id, snapshots_in) == {before.id, under_way}


def write_one(lake: Lake, snapshot_id: SnapshotId) -> None:
    one = lake.table("customers").filter(lake.table("customers")["id"] == "C1")
    store.write_members(lake, snapshot_id, one.select(customer="id"))


async def test_audiences_are_compared_by_their_newest_members(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    for name, rule in {"local": SHANGHAI, "buyers": BOUGHT}.items():
        await make(ledger, workspace_id, name, rule)
        await refreshed(ledger, shop, workspace_id, name)
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await comparisons.start_comparison(
            connection, workspace_id=workspace_id, names=["local", "buyers"]
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}

    await comparisons.run_comparison(ledger=ledger, warehouse=shop, **key)

    result = await finished(web_ledger, **key)
    assert [(one["size"], one["only_in"]) for one in result["audiences"]] == [(5, 2), (5, 2)]
    assert (result["in_all"], result["in_any"]) == (3, 7)


async def test_two_snapshots_tell_who_joined_left_and_stayed(
    ledger: Ledger, web_ledger: Ledger, shop: Warehouse, workspace_id: WorkspaceId
) -> None:
    await make(ledger, workspace_id, "local")
    first = await refreshed(ledger, shop, workspace_id, "local")
    await shop.run(workspace_id, move_all_to_shanghai)
    newest = await refreshed(ledger, shop, workspace_id, "local")
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await comparisons.start_change(
            connection, workspace_id=workspace_id, name="local", before=first.id
        )
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}

    await comparisons.run_change(ledger=ledger, warehouse=shop, **key)

    result = await finished(web_ledger, **key)
    assert (result["joined"], result["left"], result["stayed"]) == (5, 1, 4)
    assert (result["before"], result["after"]) == (first.id, newest.id)
    found = await shop.run(workspace_id, lambda lake: members(lake, newest))
    assert len(found) == result["joined"] + result["stayed"]


@pytest.mark.usefixtures("described")
async def test_what_cannot_be_compared_is_refused(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await pretend(ledger, await make(ledger, workspace_id, "computed"))
    await make(ledger, workspace_id, "new")
    hidden = Viewer("wang", is_administrator=False)
    await make(ledger, workspace_id, "private", is_public=False)
    await pretend(ledger, await make(ledger, workspace_id, "elsewhere"))
    async with ledger.transaction() as connection:
        statement = "UPDATE audience SET table_name = 'shops' WHERE name = 'elsewhere'"
        await execute(connection, statement)

    for refusal, names in (
        (InvalidValue, ["computed"]),
        (InvalidValue, ["computed", "computed"]),
        (AudienceNotComputed, ["computed", "new"]),
        (AudiencesNotComparable, ["computed", "elsewhere"]),
        (NotFound, ["computed", "private"]),
    ):
        async with ledger.transaction(workspace_id) as connection:
            with pytest.raises(refusal):
                await comparisons.start_comparison(
                    connection, workspace_id=workspace_id, names=names, viewer=hidden
                )


@pytest.mark.usefixtures("described")
async def test_snapshots_of_others_and_forgotten_ones_are_not_compared(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    for name in ("local", "other"):
        for _ in range(2):
            await pretend(ledger, await make_once(ledger, workspace_id, name))
    [mine, mine_before] = await history(ledger, workspace_id, "local")
    [theirs, _] = await history(ledger, workspace_id, "other")
    async with ledger.transaction() as connection:
        statement = "UPDATE snapshot SET members_removed_at = now() WHERE id = %s"
        await execute(connection, statement, [mine_before.id])

    for refusal, before in (
        (NotFound, theirs.id),
        (AudienceNotComputed, mine_before.id),
        (InvalidValue, mine.id),
    ):
        async with ledger.transaction(workspace_id) as connection:
            with pytest.raises(refusal):
                await comparisons.start_change(
                    connection, workspace_id=workspace_id, name="local", before=before
                )


async def make_once(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> store.Audience:
    try:
        return await read(ledger, workspace_id, name)
    except NotFound:
        return await make(ledger, workspace_id, name)
