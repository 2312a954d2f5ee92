"""Telling which campaigns stand still: asked for by people, and noted every few seconds.

What is noted counts towards the limit of sending; what waits by plan does not.
"""

from collections.abc import Sequence
from datetime import datetime

from textwave.dispatch import stall_store as store
from textwave.dispatch.stall import Stall, stall
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, Ledger


async def stalls(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    campaign_ids: Sequence[CampaignId],
) -> dict[CampaignId, Stall]:
    """Return why campaigns of a workspace stand still; those that move are not in it."""
    if not campaign_ids:
        return {}
    known = await store.facts(connection, workspace_id, campaign_ids)
    found = {facts.campaign_id: stall(facts) for facts in known}
    return {campaign_id: why for campaign_id, why in found.items() if why is not None}


async def note_stalls(ledger: Ledger, *, now: datetime) -> int:
    """Note since when sending campaigns stand still without a plan; return how many changed."""
    async with ledger.transaction() as connection:
        known = [one for one in await store.facts(connection) if one.state == "sending"]
        found = {facts.campaign_id: stall(facts) for facts in known}
        stalled = {key: why is not None and not why.by_plan for key, why in found.items()}
        return await store.note(connection, stalled, now) if stalled else 0
