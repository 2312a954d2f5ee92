"""The life of a campaign: what may happen when, and that two people never both succeed."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.stage import Stage, people
from textwave.campaigns.draft import (
    ColumnUnknown,
    NotReadyToStart,
    SourceNotInTemplate,
    TypeDiffers,
    VariableWithoutSource,
)
from textwave.campaigns.operations import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    settle_cancelled,
    start_campaign,
    template_decided,
)
from textwave.campaigns.planning import resume_sending
from textwave.campaigns.states import CAMPAIGN_STATES, CampaignEvent, CampaignState
from textwave.campaigns.store import campaigns
from textwave.insights.operations import effect_report
from textwave.insights.store import recount
from textwave.kit.ids import TemplateId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.kit.states import MoveNotAllowed
from textwave.storage.ledger import Ledger, execute, value


async def state(stage: Stage) -> tuple[str, str]:
    async with stage.ledger.transaction() as connection:
        [found] = await campaigns(connection, stage.founding.workspace_id)
    return found.state, found.reason


async def change(stage: Stage, statement: str) -> None:
    async with stage.ledger.transaction() as connection:
        await connection.execute(statement.encode())


async def act(stage: Stage, ledger: Ledger, operation: Callable[..., Awaitable[Any]]) -> None:
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        await operation(
            connection, workspace_id=stage.founding.workspace_id, actor="test", name="Spring"
        )


async def test_a_campaign_waits_for_the_review_of_its_template_and_starts_by_itself(
    stage: Stage,
) -> None:
    await stage.set(people(3), template_state="reviewing")
    await stage.campaign()
    await stage.start()
    assert (await state(stage))[0] == "reviewing"
    await change(stage, "UPDATE template SET state = 'approved'")
    async with stage.ledger.transaction() as connection:
        assert await template_decided(connection, TemplateId(stage.ids["template"])) == 1
    assert (await state(stage))[0] == "planning"


async def test_a_rejected_template_rejects_the_campaign_with_the_platform_s_reason(
    stage: Stage,
) -> None:
    await stage.set(people(3), template_state="reviewing")
    await stage.campaign()
    await stage.start()
    await change(stage, "UPDATE template SET state = 'rejected', reason = 'No casino.'")
    async with stage.ledger.transaction() as connection:
        await template_decided(connection, TemplateId(stage.ids["template"]))
    assert await state(stage) == ("rejected", "The platform rejected the template: No casino.")


async def test_an_empty_audience_is_not_started(stage: Stage) -> None:
    await stage.set([])
    await stage.campaign()
    with pytest.raises(NotReadyToStart, match="is empty: nobody would get a message"):
        await stage.start()
    assert (await state(stage))[0] == "draft"


async def test_an_audience_that_was_never_computed_is_not_started(stage: Stage) -> None:
    await stage.set(people(1))
    await change(stage, "DELETE FROM snapshot")
    await stage.campaign()
    with pytest.raises(NotReadyToStart, match="has not been computed yet"):
        await stage.start()


async def test_a_signature_that_is_not_approved_is_not_sent_with(stage: Stage) -> None:
    await stage.set(people(1))
    await change(stage, "UPDATE signature SET state = 'reviewing'")
    await stage.campaign()
    with pytest.raises(NotReadyToStart, match="Only an approved signature"):
        await stage.start()


async def test_a_template_that_was_never_submitted_is_not_sent(stage: Stage) -> None:
    await stage.set(people(1), template_state="draft")
    await stage.campaign()
    with pytest.raises(NotReadyToStart, match="Submit it for review first"):
        await stage.start()


async def test_a_draft_is_checked_against_its_template_and_table(stage: Stage) -> None:
    await stage.set(people(1))
    with pytest.raises(VariableWithoutSource, match="“name” has no column"):
        await stage.campaign(variables={})
    with pytest.raises(SourceNotInTemplate, match="has no variable “city”"):
        await stage.campaign(variables={"city": {"column": "level"}})
    with pytest.raises(ColumnUnknown, match="It has: customer_id, mobile, first_name, level"):
        await stage.campaign(variables={"name": {"column": "nickname"}})
    with pytest.raises(InvalidValue, match="none of: default, empty, drop"):
        await stage.campaign(variables={"name": {"column": "level", "missing": "guess"}})
    with pytest.raises(TypeDiffers):
        await stage.campaign(message_type="notification")
    with pytest.raises(InvalidValue, match="1-100 printable characters"):
        await stage.campaign(name=" \n")


async def test_names_are_unique_and_what_is_named_must_exist(stage: Stage) -> None:
    await stage.set(people(1))
    await stage.campaign()
    with pytest.raises(AlreadyExists):
        await stage.campaign()
    await change(stage, "UPDATE audience SET name = 'somebody'")
    with pytest.raises(NotFound, match="There is no audience “everybody”"):
        await stage.campaign(name="Summer")


async def test_of_two_people_who_start_at_once_one_succeeds(
    stage: Stage, web_ledger: Ledger
) -> None:
    await stage.set(people(2))
    await stage.campaign()

    async def start() -> bool:
        try:
            async with web_ledger.transaction(stage.founding.workspace_id) as connection:
                await start_campaign(
                    connection,
                    workspace_id=stage.founding.workspace_id,
                    actor="one",
                    name="Spring",
                    links_url="http://d.example.cn",
                    now=stage.clock.now(),
                )
        except MoveNotAllowed:
            return False
        return True

    assert sorted(await asyncio.gather(*(start() for _ in range(4)))) == [False] * 3 + [True]
    async with stage.ledger.transaction() as connection:
        plans = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'campaigns.plan'"
        assert await value(connection, plans) == 1


async def test_a_resumed_campaign_gets_jobs_for_what_is_open(
    stage: Stage, web_ledger: Ledger
) -> None:
    await stage.set(people(30))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id, batch_size=100)
    await act(stage, web_ledger, pause_campaign)
    assert await state(stage) == ("paused", "Paused by test.")
    await change(stage, "DELETE FROM procrastinate_jobs")
    await act(stage, web_ledger, resume_campaign)
    await resume_sending(
        stage.ledger, workspace_id=stage.founding.workspace_id, campaign_id=campaign_id
    )
    assert await state(stage) == ("sending", "")
    async with stage.ledger.transaction() as connection:
        sends = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'dispatch.serve'"
        assert await value(connection, sends) == 1


async def test_what_a_cancelled_campaign_does_not_send_is_accounted_for(
    stage: Stage, web_ledger: Ledger
) -> None:
    await stage.set(people(250))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id, batch_size=100)
    await act(stage, web_ledger, cancel_campaign)
    async with stage.ledger.transaction() as connection:
        ended = await settle_cancelled(
            connection, workspace_id=stage.founding.workspace_id, campaign_id=campaign_id
        )
        again = await settle_cancelled(
            connection, workspace_id=stage.founding.workspace_id, campaign_id=campaign_id
        )
        report = await effect_report(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )
        counted = await recount(connection, campaign_id)
    assert (ended, again) == (250, 0)
    assert (report.failed, report.failures, report.waiting) == (250, {"cancelled": 250}, 0)
    assert counted.failed == report.failed


async def test_a_campaign_cancelled_while_it_is_planned_leaves_no_message(stage: Stage) -> None:
    await stage.set(people(10))
    campaign_id = await stage.campaign()
    await stage.start()
    await change(stage, "UPDATE campaign SET state = 'cancelled'")
    await stage.plan(campaign_id)
    async with stage.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM message") == 0


@pytest.mark.parametrize(
    ("source", "event"), list(itertools.product(CampaignState, CampaignEvent)), ids=str
)
async def test_every_state_and_event_pair_moves_as_the_table_says_or_is_refused(
    source: CampaignState, event: CampaignEvent
) -> None:
    allowed = event in CAMPAIGN_STATES.events(source)
    if allowed:
        assert CAMPAIGN_STATES.after(source, event) in CampaignState
    else:
        with pytest.raises(MoveNotAllowed) as refused:
            CAMPAIGN_STATES.after(source, event)
        assert refused.value.allowed == tuple(map(str, CAMPAIGN_STATES.events(source)))


async def test_the_web_login_moves_campaigns_of_its_own_workspace_only(
    stage: Stage, web_ledger: Ledger
) -> None:
    await stage.set(people(1))
    await stage.campaign()
    async with web_ledger.transaction() as connection:  # no workspace named
        assert await execute(connection, "UPDATE campaign SET state = 'cancelled'") == 0
