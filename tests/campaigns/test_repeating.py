"""Campaigns made from others: copies, and retries of those who failed."""

import asyncio
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stage import LINKS_URL, SHANGHAI, Stage, people
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import campaign
from textwave.campaigns.repeat_operations import (
    RETRY_TASK,
    Repeating,
    copy_campaign,
    run_retry,
    start_retry,
)
from textwave.campaigns.repeating import NothingToRetry, copied
from textwave.campaigns.store import Campaign
from textwave.kit.ids import CampaignId
from textwave.kit.refusal import AlreadyExists, InvalidValue
from textwave.storage import progress
from textwave.storage.ledger import Ledger, execute, value

NOW = datetime.now(UTC)


async def read(stage: Stage, name: str) -> Campaign:
    async with stage.ledger.transaction() as connection:
        return await campaign(connection, stage.founding.workspace_id, name)


async def copy(ledger: Ledger, stage: Stage, name: str, new_name: str) -> Campaign:
    workspace_id = stage.founding.workspace_id
    async with ledger.transaction(workspace_id) as connection:
        return await copy_campaign(
            connection,
            workspace_id=workspace_id,
            actor="mei",
            name=name,
            new_name=new_name,
            links_url=LINKS_URL,
            now=NOW,
        )


async def sent(stage: Stage, name: str, causes: dict[int, str | None]) -> CampaignId:
    """Plan a campaign and let its messages end: at a place with a cause failed, else delivered."""
    campaign_id = await stage.campaign(name)
    await stage.start(name)
    await stage.plan(campaign_id)
    await end(stage, campaign_id, causes)
    return campaign_id


async def end(stage: Stage, campaign_id: CampaignId, causes: dict[int, str | None]) -> None:
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "UPDATE message m SET state = CASE WHEN f.cause IS NULL THEN 'delivered' ELSE 'failed'"
            " END, cause = f.cause FROM unnest(%s::bigint[], %s::text[]) AS f (mobile, cause)"
            " WHERE m.campaign_id = %s AND m.mobile = f.mobile",
            [[SHANGHAI + n * 7 for n in causes], list(causes.values()), campaign_id],
        )
        await execute(
            connection,
            "INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)"
            " SELECT campaign_id, workspace_id, cause, count(*) FROM message"
            " WHERE campaign_id = %s AND cause IS NOT NULL GROUP BY 1, 2, 3",
            [campaign_id],
        )
        await execute(
            connection, "UPDATE campaign SET state = 'completed' WHERE id = %s", [campaign_id]
        )


async def retry(
    stage: Stage, web: Ledger, name: str, new_name: str, causes: list[str] | None = None
) -> progress.Operation:
    workspace_id = stage.founding.workspace_id
    async with web.transaction(workspace_id) as connection:
        operation_id = await start_retry(
            connection,
            workspace_id=workspace_id,
            actor="mei",
            name=name,
            new_name=new_name,
            causes=causes,
            now=NOW,
        )
    using = Repeating(stage.ledger, stage.warehouse, stage.clock, LINKS_URL)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await run_retry(using, **key)
    async with stage.ledger.transaction() as connection:
        return await progress.read(connection, **key)


async def planned(stage: Stage, name: str) -> tuple[set[int], dict[str, int]]:
    """Start and plan a campaign; return places in the table of its messages, and its drops."""
    found = await read(stage, name)
    await stage.start(name)
    await stage.plan(found.id)
    async with stage.ledger.transaction() as connection:
        cursor = await connection.execute(
            "SELECT mobile FROM message WHERE campaign_id = %s", [found.id]
        )
        places = {(row[0] - SHANGHAI) // 7 for row in await cursor.fetchall()}
        cursor = await connection.execute(
            "SELECT reason, count(*) FROM message_drop WHERE campaign_id = %s GROUP BY 1",
            [found.id],
        )
        return places, dict(await cursor.fetchall())


async def test_a_copy_says_everything_but_its_name(web_ledger: Ledger, stage: Stage) -> None:
    await stage.set(people(3))
    await stage.campaign("Spring", numbers="latest")
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "UPDATE campaign SET spread_minutes = 30, window_from = '09:00', window_until ="
            " '21:00', window_days = '{1,2}', late_rule = 'cancel', late_minutes = 5,"
            " control_share_milli = 100, priority = 1, error_budget_percent = 7, quiet = 'drop'",
        )
    await copy(web_ledger, stage, "Spring", "Summer")
    first, second = await read(stage, "Spring"), await read(stage, "Summer")
    drafts = [copied(one, name="same", now=NOW) for one in (first, second)]
    assert drafts[0] == drafts[1]
    assert second.state == "draft"
    async with stage.ledger.transaction() as connection:
        kept = "SELECT count(DISTINCT (priority, error_budget_percent, quiet)) FROM campaign"
        assert await value(connection, kept) == 1
        from_ = "SELECT copied_from FROM campaign WHERE name = 'Summer'"
        assert await value(connection, from_) == first.id


def test_no_part_of_a_draft_is_forgotten_by_a_copy() -> None:
    told = {"name", "type", "platform", "signature", "template", "audience", "variables",
            "numbers", "timing", "shares", "quiet", "effort"}  # fmt: skip
    already = {"content"}  # has become the template, which the copy names
    assert {field.name for field in fields(CampaignDraft)} - already == told


async def test_a_copy_needs_a_name_of_its_own(web_ledger: Ledger, stage: Stage) -> None:
    await stage.set(people(3))
    await stage.campaign("Spring")
    with pytest.raises(AlreadyExists):
        await copy(web_ledger, stage, "Spring", "Spring")


async def test_a_retry_reaches_those_who_surely_failed_and_said_no_no(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(8))
    causes = {0: None, 1: "busy line", 2: "unsubscribed", 3: "no receipt", 4: "busy line"}
    await sent(stage, "Spring", causes)
    made = await retry(stage, web_ledger, "Spring", "Again")
    assert made.result is not None, made.problem
    assert (made.result["size"], made.result["causes"]) == (2, ["busy line"])
    places, drops = await planned(stage, "Again")
    assert places == {1, 4}
    assert drops == {}


async def test_who_was_reached_meanwhile_is_left_out_of_another_retry(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(6))
    await sent(stage, "Spring", {0: "busy line", 1: "busy line", 2: "no receipt", 3: None})
    await retry(stage, web_ledger, "Spring", "Again")
    await retry(stage, web_ledger, "Spring", "Twice", ["busy line", "no receipt"])
    first, _ = await planned(stage, "Again")
    assert first == {0, 1}
    again = (await read(stage, "Again")).id
    await end(stage, again, {0: None, 1: "no signal"})
    places, drops = await planned(stage, "Twice")
    assert (places, drops) == ({1, 2}, {"excluded": 1})
    await end(stage, (await read(stage, "Twice")).id, {1: None, 2: None})
    third = await retry(stage, web_ledger, "Again", "Third")
    assert third.problem is not None
    assert third.problem["code"] == "nothing_to_retry"


async def test_of_two_retries_that_are_planned_at_once_each_person_gets_one(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(6))
    await sent(stage, "Spring", {0: "busy line", 1: "busy line", 2: "no receipt", 3: None})
    await retry(stage, web_ledger, "Spring", "Again", ["busy line"])
    await retry(stage, web_ledger, "Spring", "Twice", ["busy line", "no receipt"])
    both = await asyncio.gather(planned(stage, "Again"), planned(stage, "Twice"))
    places = [place for found, _ in both for place in found]
    assert sorted(places) == [0, 1, 2]


async def test_a_retry_goes_to_the_number_that_failed_only(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(4))
    await sent(stage, "Spring", {0: "busy line", 1: None})
    await retry(stage, web_ledger, "Spring", "Again")
    async with stage.ledger.transaction() as connection:
        operation = "SELECT count(*) FROM operation WHERE kind = %s AND state = 'succeeded'"
        assert await value(connection, operation, [RETRY_TASK]) == 1
    await stage.opt_out(SHANGHAI)
    assert await planned(stage, "Again") == (set(), {"opted out": 1})


@pytest.mark.parametrize("cause", ["unsubscribed", "a cause that nobody has"])
async def test_a_retry_refuses_causes_that_cannot_be_tried_again(
    web_ledger: Ledger, stage: Stage, cause: str
) -> None:
    await stage.set(people(3))
    await sent(stage, "Spring", {0: "busy line", 1: "unsubscribed"})
    with pytest.raises(InvalidValue, match=cause):
        await retry(stage, web_ledger, "Spring", "Again", [cause])


async def test_a_campaign_without_failures_has_nothing_to_retry(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(3))
    await sent(stage, "Spring", {0: None})
    with pytest.raises(NothingToRetry):
        await retry(stage, web_ledger, "Spring", "Again")
