"""The effect report adds up at any moment and equals a recount."""

import pytest

from tests.stage import Person, Stage, people
from textwave.accounts.store import add_workspace
from textwave.insights.operations import EffectReport, effect_report
from textwave.insights.store import recount
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Ledger, execute


async def report(stage: Stage, ledger: Ledger | None = None) -> EffectReport:
    async with (ledger or stage.ledger).transaction(stage.founding.workspace_id) as connection:
        return await effect_report(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )


async def planned(stage: Stage, count: int) -> CampaignId:
    await stage.set([*people(count), Person("nobody", None)])
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    return campaign_id


async def test_before_the_plan_everything_is_zero(stage: Stage) -> None:
    await stage.set(people(3))
    await stage.campaign()
    found = await report(stage)
    assert (found.planned, found.audience, found.messages, found.waiting) == (False, 0, 0, 0)


async def test_the_web_login_reads_the_same_report(stage: Stage, web_ledger: Ledger) -> None:
    await planned(stage, 5)
    assert await report(stage, web_ledger) == await report(stage)


async def test_messages_of_requests_in_doubt_are_neither_waiting_nor_lost(stage: Stage) -> None:
    campaign_id = await planned(stage, 10)
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO request (campaign_id, number, workspace_id, batch_number, first_id,
                   last_id, size, state)
               SELECT id, 0, workspace_id, 0, first_message_id, first_message_id + 9, 10, 'in doubt'
               FROM campaign""",
        )
        await execute(
            connection,
            """UPDATE message SET state = 'delivered'
               WHERE id = (SELECT first_message_id FROM campaign)""",
        )
        await execute(connection, "UPDATE campaign_tally SET delivered = 1")
        counted = await recount(connection, campaign_id)
    found = await report(stage)
    assert (found.in_doubt, found.delivered, found.waiting) == (9, 1, 0)
    assert (counted.in_doubt, counted.delivered) == (9, 1)
    assert found.messages == found.delivered + found.failed + found.waiting + found.in_doubt


async def test_the_audience_is_messages_and_drops(stage: Stage) -> None:
    campaign_id = await planned(stage, 10)
    found = await report(stage)
    async with stage.ledger.transaction() as connection:
        counted = await recount(connection, campaign_id)
    assert (found.audience, found.messages, found.drops) == (11, 10, {"no number": 1})
    assert (counted.messages, counted.drops, counted.parts) == (10, 1, found.parts)


async def test_the_price_is_that_of_the_parts(stage: Stage) -> None:
    await planned(stage, 10)
    found = await report(stage)
    assert (found.price_milli, found.currency) == (found.parts * 45, "CNY")


async def test_a_campaign_of_another_workspace_is_not_there(
    stage: Stage, web_ledger: Ledger
) -> None:
    await planned(stage, 1)
    async with stage.ledger.transaction() as connection:
        other: WorkspaceId = await add_workspace(
            connection,
            organization_id=stage.founding.organization_id,
            name="other",
            time_zone="UTC",
            default_region="CN",
        )
    async with web_ledger.transaction(other) as connection:
        with pytest.raises(NotFound):
            await effect_report(connection, workspace_id=other, name="Spring")
