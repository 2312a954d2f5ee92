"""Gathering single messages that wait into batches, for workers.

What waits for the same text at the same account becomes one batch of a campaign that stands for it,
in one transaction: a message is handed on exactly once, whoever dies when. Two messages to one
number never leave in one request, since receipts tell messages by request and number.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from textwave.campaigns.planning import request_size
from textwave.campaigns.serving_store import defer_serving
from textwave.campaigns.store import take_ids
from textwave.content.variables import parse
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, first_message_id
from textwave.singles import store
from textwave.singles.operations import GATHER
from textwave.singles.store import Group, Room, Taken
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.partitions import ensure_partitions
from textwave.storage.queue import defer

PAUSE_SECONDS: Final = 0.2
"""How long messages gather before the next batch is made of them."""
GATHERING_SECONDS: Final = 5.0
"""How long a job gathers before it lets the next one come."""
MOST_AT_ONCE: Final = 2_000
MOST_BATCHES: Final = 200
CAMPAIGN_HOURS: Final = 1
REQUESTS_A_CAMPAIGN: Final = 18_000
"""Requests that a campaign has ids for: batches of an hour, one each pause."""
KEPT_DAYS: Final = 365
_FORGOTTEN_AT_ONCE: Final = 10_000


async def gather(
    ledger: Ledger, clock: Clock, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> int:
    """Hand on what waits until nothing does; return how many. Harmless when run again."""
    began, handed_on = clock.monotonic(), 0
    while True:
        count = await gather_waiting(ledger, now=clock.now())
        handed_on += count
        if not count:
            return handed_on
        if clock.monotonic() - began > GATHERING_SECONDS:
            async with ledger.transaction() as connection:
                await defer(connection, GATHER)
            return handed_on
        await sleep(PAUSE_SECONDS)


async def gather_waiting(ledger: Ledger, *, now: datetime) -> int:
    """Hand on what waits, a batch of the same text at a time; return how many messages."""
    handed_on = 0
    for _ in range(MOST_BATCHES):
        async with ledger.transaction() as connection:
            group = await store.next_group(connection)
            if group is None:
                break
            taken = _one_a_number(await store.take(connection, group, limit=MOST_AT_ONCE))
            if not taken:  # another has them
                break
            handed_on += await _hand_on(connection, group, taken, now)
    return handed_on


async def gather_forgotten(ledger: Ledger) -> None:
    """Let be gathered what was written while the last job was at its end: a safety net."""
    async with ledger.transaction() as connection:
        if await store.is_waiting(connection):
            await defer(connection, GATHER)


async def send_forgotten(ledger: Ledger) -> int:
    """Let campaigns send that were completed while a batch came, or that the platform made pause.

    The first is a safety net. The second are tried once a minute for a day: people pause and resume
    campaigns of audiences, and nobody sees these.
    """
    async with ledger.transaction() as connection:
        return await store.reopen(connection) + await store.resume(connection)


async def forget_messages(ledger: Ledger, *, now: datetime) -> int:
    """Forget single messages of a year ago, a block at a time; return how many."""
    forgotten = 0
    while True:
        async with ledger.transaction() as connection:
            count = await store.forget(
                connection, before=now - timedelta(days=KEPT_DAYS), limit=_FORGOTTEN_AT_ONCE
            )
        forgotten += count
        if count < _FORGOTTEN_AT_ONCE:
            return forgotten


def _one_a_number(taken: list[Taken]) -> list[Taken]:
    """Return the first message to each number; the others wait for the next batch."""
    return list({one.mobile: one for one in reversed(taken)}.values())


async def _hand_on(connection: Connection, group: Group, taken: list[Taken], now: datetime) -> int:
    ids = [one.id for one in taken]
    reason = _unfit(group)
    if reason:
        await store.refuse(connection, group, ids, reason)
        return len(ids)
    size = request_size(group.kind, group.max_batch, [parse(group.content)])
    campaign_id, place = await _place(connection, group, size, len(ids), now)
    if not await store.hand_on(connection, group, campaign_id, place, ids):
        raise RuntimeError(f"campaign {campaign_id} was held and takes no messages")
    await defer_serving(connection, group.platform_id)
    return len(ids)


def _unfit(group: Group) -> str:
    """Say what was taken back since the message was asked for; empty: nothing."""
    if not group.is_admitted:
        return f"The platform “{group.platform}” is not the workspace's any more."
    if group.template_state != "approved":
        return f"The template “{group.template}” is {group.template_state}."
    if group.signature_state != "approved":
        return f"The signature “{group.signature}” is {group.signature_state}."
    return ""


async def _place(
    connection: Connection, group: Group, size: int, count: int, now: datetime
) -> tuple[CampaignId, Room]:
    """Return the campaign that takes the messages and where; the last one while it has room."""
    campaign_id = await store.open_campaign(
        connection, group, request_size=size, started_after=now - timedelta(hours=CAMPAIGN_HOURS)
    )
    if campaign_id is not None:
        place = await store.room(connection, group.workspace_id, campaign_id)
        if place is not None and place.first_id + count - 1 <= place.last_id:
            return campaign_id, place
    return await _new_campaign(connection, group, size, now)


async def _new_campaign(
    connection: Connection, group: Group, size: int, now: datetime
) -> tuple[CampaignId, Room]:
    month = now.astimezone(UTC).date()
    await ensure_partitions(connection, month)
    ids = size * REQUESTS_A_CAMPAIGN
    first_id = await take_ids(connection, month=month, first_id=first_message_id(month), size=ids)
    campaign_id = await store.add_campaign(
        connection,
        {
            **group.key,
            "name": f"Messages of {group.template} from {now:%Y-%m-%d %H:%M:%S} ({first_id})",
            "content": group.content,
            "first_id": first_id,
            "last_id": first_id + ids - 1,
            "request_size": size,
            "now": now,
        },
    )
    return campaign_id, Room(0, first_id, first_id + ids - 1)
