"""What becomes of a cancelled campaign's batches: everything that has not left ends as cancelled.

What may have left stays in doubt. Batches in the hands of a job end when it records their round.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from textwave.campaigns.operations import CANCEL_TASK, settle_cancelled
from textwave.campaigns.store import hold_tally
from textwave.dispatch.serving import BatchKey
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.limits.touch_store import give_back
from textwave.storage.ledger import Connection, Ledger, execute, many, value
from textwave.storage.queue import Job, defer
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch", "cancelling_store.sql")
_NOBODY: Final = 0
_AGAIN_AFTER: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Unsettled:
    workspace_id: WorkspaceId
    campaign_id: CampaignId


async def cancel_unsent(
    connection: Connection, key: BatchKey, *, job_id: int, now: datetime
) -> int:
    """End what of a batch that this job holds has not left; return how many messages."""
    return await _cancel(connection, key.parameters(job_id=job_id), now)


async def settle_campaign(
    ledger: Ledger, *, workspace_id: WorkspaceId, campaign_id: CampaignId, now: datetime
) -> int:
    """End what a cancelled campaign has not sent; return how many messages.

    Comes back for what jobs still hold. Harmless when run again at any point.
    """
    key: dict[str, Any] = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    async with ledger.transaction() as connection:
        ended = await settle_cancelled(
            connection, workspace_id=workspace_id, campaign_id=campaign_id
        )
        # Before causes of failures, like all who count them; after waiting batches, which those who
        # begin them hold before they count.
        await hold_tally(connection, workspace_id, campaign_id)
        ended += await _cancel(connection, {**key, "batch": None, "job_id": _NOBODY}, now)
        await execute(connection, _SQL["end_batches"], key)
        if await value(connection, _SQL["is_held"], key):
            again = Job(CANCEL_TASK, "campaigns", key, priority=10, at=now + _AGAIN_AFTER)
            await defer(connection, again)
    return ended


async def settle_unsettled(ledger: Ledger, *, now: datetime) -> int:
    """Settle cancelled campaigns that were forgotten; return how many: a safety net."""
    async with ledger.transaction() as connection:
        found = await many(connection, _Unsettled, _SQL["unsettled"])
    for one in found:
        await settle_campaign(
            ledger, workspace_id=one.workspace_id, campaign_id=one.campaign_id, now=now
        )
    return len(found)


async def _cancel(connection: Connection, parameters: dict[str, Any], now: datetime) -> int:
    cursor = await connection.execute(_SQL["cancel_unsent"], parameters)
    ids = [row[0] for row in await cursor.fetchall()]
    await give_back(connection, parameters["workspace_id"], ids, now=now)
    return len(ids)
