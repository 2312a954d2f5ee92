"""Settling requests in doubt: by what came back, by a person's word, by time, in this order.

People say something as the web role; a job carries it out as the owner. What came back wins over
what was said: a receipt shows that the platform took the request as a whole, so the rest of its
messages wait for receipts of their own like those of any accepted request.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import structlog

from textwave.accounts.store import audit
from textwave.dispatch import doubt_store as store
from textwave.dispatch.doubt import (
    CAUSE_IN_DOUBT,
    CAUSE_NOT_SENT,
    AlreadySettled,
    DoubtCase,
    DoubtGroup,
    RequestKey,
    SettledAs,
    check_settlement,
    read_key,
)
from textwave.dispatch.doubt_store import CampaignKey, Said
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer

SETTLE_TASK: Final = "dispatch.settle_doubts"
_REQUESTS_AT_ONCE: Final = 20
log = structlog.get_logger(__name__)
Step = Callable[[Connection], Awaitable[int]]


async def doubts(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    campaign: str | None = None,
    platform: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[DoubtCase]:
    """Return requests in doubt with their evidence, the oldest campaign's first."""
    return await store.cases(
        connection,
        workspace_id,
        campaign=campaign,
        platform=platform,
        after=read_key(after) if after else None,
        limit=limit,
    )


async def doubt_groups(connection: Connection, workspace_id: WorkspaceId) -> list[DoubtGroup]:
    """Return how much is in doubt, by campaign and platform."""
    return await store.groups(connection, workspace_id)


async def doubt(connection: Connection, workspace_id: WorkspaceId, request: str) -> DoubtCase:
    """Return one request in doubt with its evidence.

    Raises:
        NotFound, AlreadySettled: it is not in doubt any more.
    """
    key = read_key(request)
    case = await store.case(connection, workspace_id, key)
    if case is None:
        raise await _no_case(connection, workspace_id, key)
    return case


async def settle(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    request: str,
    settled_as: SettledAs,
    confirmed: bool = False,
) -> DoubtCase:
    """Say what a request in doubt was, and have it carried out; of two people one succeeds.

    Raises:
        NotFound, AlreadySettled, SettlesItself, SendsNoMore, SendAgainUnconfirmed.
    """
    case = await doubt(connection, workspace_id, request)
    key = case.key
    check_settlement(case, settled_as, confirmed=confirmed)
    campaign = CampaignKey(workspace_id, key.campaign_id)
    if not await store.say(connection, campaign, key, settled_as=settled_as, actor=actor):
        raise AlreadySettled(str(key))
    await _carry_out_soon(connection, campaign)
    await _audit(connection, workspace_id, actor, case.campaign, settled_as, request=str(key))
    return await store.case(connection, workspace_id, key) or case


async def settle_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    campaign: str,
    settled_as: SettledAs,
    confirmed: bool = False,
) -> int:
    """Say the same of all requests of a campaign that are in doubt now; return how many.

    Raises:
        NotFound: nothing of such a campaign is in doubt.
        SettlesItself, SendsNoMore, SendAgainUnconfirmed.
    """
    found = [g for g in await store.groups(connection, workspace_id) if g.campaign == campaign]
    if not found:
        raise NotFound("campaign in doubt", campaign)
    check_settlement(found[0], settled_as, confirmed=confirmed)
    key = CampaignKey(workspace_id, found[0].campaign_id)
    said = await store.say(connection, key, None, settled_as=settled_as, actor=actor)
    if said:
        await _carry_out_soon(connection, key)
        await _audit(connection, workspace_id, actor, campaign, settled_as, requests=said)
    return said


async def end_doubts(
    ledger: Ledger,
    *,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    now: datetime,
    in_doubt_hours: int,
) -> int:
    """Settle what can be settled in a campaign; return how many requests. Harmless again."""
    key = CampaignKey(workspace_id, campaign_id)
    before = now - timedelta(hours=in_doubt_hours)

    async def by_evidence(connection: Connection) -> int:
        found = await store.shown_taken(connection, key, before=before, limit=_REQUESTS_AT_ONCE)
        await store.accept(connection, key, found, detail="a message of it came back")
        return len(found)

    async def by_word(connection: Connection) -> int:
        found = await store.said(connection, key, limit=_REQUESTS_AT_ONCE)
        await _carry_out(connection, key, found)
        return len(found)

    async def by_time(connection: Connection) -> int:
        found = await store.overdue(connection, key, before=before, limit=_REQUESTS_AT_ONCE)
        detail = f"nobody settled it within {in_doubt_hours} hours"
        await store.fail(connection, key, found, cause=CAUSE_IN_DOUBT, detail=detail)
        return len(found)

    steps: tuple[Step, ...] = (by_evidence, by_word, by_time)
    settled = sum([await _until_none(ledger, key, step) for step in steps])
    async with ledger.transaction() as connection:
        await store.close(connection, key)
    if settled:
        log.info("doubts settled", campaign=campaign_id, requests=settled)
    return settled


async def end_all_doubts(ledger: Ledger, *, now: datetime, in_doubt_hours: int) -> int:
    """Settle what can be settled in all campaigns; the periodic safety net and time limit."""
    before = now - timedelta(hours=in_doubt_hours)
    async with ledger.transaction() as connection:
        await store.doubt_unanswered(connection, before=before)
        campaigns = await store.campaigns_in_doubt(connection)
    return sum(
        [
            await end_doubts(
                ledger,
                workspace_id=key.workspace_id,
                campaign_id=key.campaign_id,
                now=now,
                in_doubt_hours=in_doubt_hours,
            )
            for key in campaigns
        ]
    )


async def _until_none(ledger: Ledger, key: CampaignKey, step: Step) -> int:
    """Settle block after block, each with the end of its batches in one transaction."""
    total = 0
    while True:
        async with ledger.transaction() as connection:
            await store.become_the_one_writer(connection)
            settled = await step(connection)
            if settled:
                await store.close(connection, key)
                await store.wake_account(connection, key)
        if not settled:
            return total
        total += settled


async def _carry_out(connection: Connection, key: CampaignKey, found: Sequence[Said]) -> None:
    for (settled_as, actor), group in groupby(found, lambda one: (one.settled_as, one.settled_by)):
        requests, detail = list(group), f"settled as {settled_as} by {actor}"
        match SettledAs(settled_as):
            case SettledAs.SENT:
                await store.accept(connection, key, requests, detail=detail)
            case SettledAs.NOT_SENT:
                await store.fail(connection, key, requests, cause=CAUSE_NOT_SENT, detail=detail)
            case SettledAs.SEND_AGAIN:
                await store.send_again(connection, key, requests, detail=detail)


async def _carry_out_soon(connection: Connection, key: CampaignKey) -> None:
    lock = f"doubts-{key.campaign_id}"
    await defer(connection, Job(SETTLE_TASK, "campaigns", key.parameters(), lock=lock, priority=10))


async def _no_case(
    connection: Connection, workspace_id: WorkspaceId, key: RequestKey
) -> AlreadySettled | NotFound:
    if await store.exists(connection, workspace_id, key):
        return AlreadySettled(str(key))
    return NotFound("request in doubt", str(key))


async def _audit(
    connection: Connection,
    workspace_id: WorkspaceId,
    actor: str,
    campaign: str,
    settled_as: SettledAs,
    **which: str | int,
) -> None:
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="doubt.settle",
        object_name=campaign,
        detail={"as": str(settled_as), **which},
    )
