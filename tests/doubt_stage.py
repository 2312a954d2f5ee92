"""A campaign of which nobody knows what has left, for those who list and settle doubts."""

from tests.stage import Stage, people
from textwave.kit.ids import CampaignId
from textwave.storage.ledger import execute


async def doubtful_campaign(stage: Stage) -> CampaignId:
    """Make a campaign to six people, all three requests in doubt, over a gateway without keys."""
    await stage.set(people(6), max_batch=2)
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    async with stage.ledger.transaction() as connection:
        await execute(connection, "UPDATE platform SET capabilities = '{variables}'")
        await execute(
            connection, "UPDATE batch SET state = 'prepared', due_at = 'infinity', attempts = 1"
        )
        await execute(
            connection,
            """INSERT INTO request (campaign_id, workspace_id, batch_number, number, first_id,
                   last_id, size, state, outcome, detail)
               SELECT id, workspace_id, 0, n, first_message_id + 2 * n,
                   first_message_id + 2 * n + 1, 2, 'in doubt', 'unknown', 'cut off'
               FROM campaign, generate_series(0, 2) AS n""",
        )
    return campaign_id
