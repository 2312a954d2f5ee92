"""Giving up what a campaign has not sent after standing still for too long; as the owner.

What may have left stays in doubt, with a time limit of its own; the campaign completes with the
last of it.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog

from textwave.accounts.store import audit
from textwave.campaigns.endings import NOT_IN_TIME
from textwave.dispatch.doubt_store import CampaignKey
from textwave.limits.touch_store import give_back
from textwave.storage.ledger import Connection, Ledger, execute, many, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch", "expiry_store.sql")
_BATCHES_AT_ONCE: Final = 10
log = structlog.get_logger(__name__)


async def expire_stalled(ledger: Ledger, *, now: datetime, sending_days: int) -> int:
    """Fail what campaigns have not sent that stood still for so many days; return how many."""
    before = now - timedelta(days=sending_days)
    async with ledger.transaction() as connection:
        overdue = await many(connection, CampaignKey, _SQL["overdue"], {"before": before})
    reason = f"After {sending_days} days of standing still what had not left was given up."
    return sum([await _expire(ledger, key, reason, now) for key in overdue])


async def _expire(ledger: Ledger, key: CampaignKey, reason: str, now: datetime) -> int:
    expired = 0
    while True:
        async with ledger.transaction() as connection:
            numbers = await _take(connection, key)
            if not numbers:
                await execute(connection, _SQL["complete"], key.parameters(reason=reason))
                break
            expired += await _give_up(connection, key, numbers, now)
    if expired:
        await _audit(ledger, key, {"messages": expired, "reason": reason})
        log.warning("campaign given up", campaign=key.campaign_id, messages=expired)
    return expired


async def _take(connection: Connection, key: CampaignKey) -> list[int]:
    cursor = await connection.execute(_SQL["take_batches"], key.parameters(limit=_BATCHES_AT_ONCE))
    return [row[0] for row in await cursor.fetchall()]


async def _give_up(
    connection: Connection, key: CampaignKey, numbers: list[int], now: datetime
) -> int:
    parameters = key.parameters(numbers=numbers, cause=NOT_IN_TIME)
    cursor = await connection.execute(_SQL["give_up"], parameters)
    ids = [row[0] for row in await cursor.fetchall()]
    await give_back(connection, key.workspace_id, ids, now=now)
    await execute(connection, _SQL["end_batches"], parameters)
    return len(ids)


async def _audit(ledger: Ledger, key: CampaignKey, detail: dict[str, object]) -> None:
    async with ledger.transaction() as connection:
        name = await value(connection, _SQL["name"], key.parameters())
        await audit(
            connection,
            workspace_id=key.workspace_id,
            actor="textwave",
            action="campaign.expire",
            object_name=name,
            detail=detail,
        )
