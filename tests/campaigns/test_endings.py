"""No campaign stays in a state for ever: each has a limit, and what ends it says why."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.stage import Stage, people
from textwave.campaigns.ending_operations import (
    cancel_overdue,
    defer_forgotten_plans,
    plan_within_limit,
)
from textwave.campaigns.endings import TIME_LIMITS
from textwave.campaigns.operations import pause_campaign
from textwave.campaigns.states import CAMPAIGN_STATES
from textwave.campaigns.store import campaigns
from textwave.kit.ids import CampaignId
from textwave.settings import Settings
from textwave.storage.ledger import Ledger, execute, value


async def state(stage: Stage) -> tuple[str, str]:
    async with stage.ledger.transaction() as connection:
        [found] = await campaigns(connection, stage.founding.workspace_id)
    return found.state, found.reason


async def end(stage: Stage, days: int) -> int:
    now = stage.clock.now() + timedelta(days=days)
    return await cancel_overdue(stage.ledger, now=now, review_days=14, paused_days=30)


async def attempt(
    stage: Stage, campaign_id: CampaignId, plan: Callable[[], Awaitable[None]]
) -> None:
    await plan_within_limit(
        stage.ledger,
        workspace_id=stage.founding.workspace_id,
        campaign_id=campaign_id,
        most=3,
        plan=plan,
    )


def test_every_state_that_is_no_end_has_a_limit_and_every_setting_exists() -> None:
    limited = {limit.state for limit in TIME_LIMITS if limit.thing == "campaign"}
    assert limited == {s for s in CAMPAIGN_STATES.states if not CAMPAIGN_STATES.is_final(s)}
    named = {limit.setting for limit in TIME_LIMITS if limit.setting}
    assert named <= Settings.model_fields.keys()


async def test_a_review_that_never_ends_cancels_the_campaign(stage: Stage) -> None:
    await stage.set(people(3), template_state="reviewing")
    await stage.campaign()
    await stage.start()
    assert await end(stage, 13) == 0
    assert await end(stage, 15) == 1
    ended, reason = await state(stage)
    assert ended == "cancelled"
    assert "longer than 14 days" in reason


async def test_a_pause_that_nobody_ends_cancels_the_campaign_counted_from_the_pause(
    stage: Stage, web_ledger: Ledger
) -> None:
    await stage.set(people(3))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    aged = "UPDATE campaign SET state_since = now() - interval '40 days'"
    async with stage.ledger.transaction() as connection:
        await execute(connection, aged)
    workspace_id = stage.founding.workspace_id
    async with web_ledger.transaction(workspace_id) as connection:
        await pause_campaign(connection, workspace_id=workspace_id, actor="wang", name="Spring")
    assert await end(stage, 29) == 0
    assert await end(stage, 31) == 1
    assert await state(stage) == ("cancelled", "Cancelled: paused for 30 days.")
    async with stage.ledger.transaction() as connection:
        settling = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'campaigns.cancel'"
        assert await value(connection, settling) == 1
        audited = "SELECT count(*) FROM audit_event WHERE action = 'campaign.cancel'"
        assert await value(connection, audited) == 1


async def test_a_plan_that_never_ends_fails_with_its_last_problem(stage: Stage) -> None:
    await stage.set(people(3))
    campaign_id = await stage.campaign()
    await stage.start()

    async def breaks() -> None:
        raise OSError("the lake is away")

    for _ in range(3):
        with pytest.raises(OSError, match="the lake"):
            await attempt(stage, campaign_id, breaks)
        assert (await state(stage))[0] == "planning"
    await attempt(stage, campaign_id, breaks)
    ended, reason = await state(stage)
    assert ended == "failed"
    assert "begun 3 times" in reason
    assert "OSError: the lake is away" in reason


async def test_a_plan_that_ends_is_not_counted_against(stage: Stage) -> None:
    await stage.set(people(3))
    campaign_id = await stage.campaign()
    await stage.start()
    await attempt(stage, campaign_id, lambda: stage.plan(campaign_id))
    assert (await state(stage))[0] == "sending"
    for _ in range(5):  # the job comes again, whatever for
        await attempt(stage, campaign_id, lambda: stage.plan(campaign_id))
    assert (await state(stage))[0] == "sending"


async def test_a_plan_that_lost_its_job_gets_one(stage: Stage) -> None:
    await stage.set(people(3))
    await stage.campaign()
    await stage.start()
    later = stage.clock.now() + timedelta(minutes=10)
    assert await defer_forgotten_plans(stage.ledger, now=later) == 0
    async with stage.ledger.transaction() as connection:
        await execute(connection, "DELETE FROM procrastinate_jobs")
    assert await defer_forgotten_plans(stage.ledger, now=stage.clock.now()) == 0
    assert await defer_forgotten_plans(stage.ledger, now=later) == 1
    assert await defer_forgotten_plans(stage.ledger, now=later) == 0
