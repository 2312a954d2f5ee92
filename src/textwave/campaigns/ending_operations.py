"""Ending campaigns whose time in a state has run out; runs by the clock, as the owner.

Reviews that never end and pauses that nobody ends are cancelled, with the reason and in the audit
log. What stands still while it is sent is ended by dispatch.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

import structlog

from textwave.accounts.store import audit
from textwave.campaigns import ending_store, store
from textwave.campaigns.ending_store import CampaignKey
from textwave.campaigns.operations import CANCEL_TASK
from textwave.campaigns.start_operations import defer_plan
from textwave.campaigns.states import CampaignEvent, CampaignState
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.states import MoveNotAllowed
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer

_ACTOR: Final = "textwave"
_FORGOTTEN_AFTER: Final = timedelta(minutes=5)
log = structlog.get_logger(__name__)


async def cancel_overdue(
    ledger: Ledger, *, now: datetime, review_days: int, paused_days: int
) -> int:
    """Cancel campaigns that were under review or paused for too long; return how many."""
    limits = {
        CampaignState.REVIEWING: (
            review_days,
            f"Cancelled: the review of its template took longer than {review_days} days.",
        ),
        CampaignState.PAUSED: (paused_days, f"Cancelled: paused for {paused_days} days."),
    }
    cancelled = 0
    for state, (days, reason) in limits.items():
        async with ledger.transaction() as connection:
            overdue = await ending_store.overdue(
                connection, state=state, before=now - timedelta(days=days)
            )
        for key in overdue:
            cancelled += await _cancel(ledger, key, reason)
    return cancelled


async def plan_within_limit(
    ledger: Ledger,
    *,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    most: int,
    plan: Callable[[], Awaitable[None]],
) -> None:
    """Make one attempt more to plan, keeping what stops it; after the last one fail the campaign.

    An attempt counts when it begins, so one whose worker is killed counts, too.
    """
    key = CampaignKey(workspace_id, campaign_id)
    async with ledger.transaction() as connection:
        attempt = await ending_store.count_attempt(connection, key)
        if attempt is not None and attempt.number > most:
            await _give_up(connection, key, most, attempt.problem)
            return
    try:
        await plan()
    except Exception as error:
        problem = f"The last problem was {type(error).__name__}: {error}"
        async with ledger.transaction() as connection:
            await ending_store.note_problem(connection, key, problem)
        raise


async def defer_forgotten_plans(ledger: Ledger, *, now: datetime) -> int:
    """Give a job to plans that have none; return how many. A safety net."""
    async with ledger.transaction() as connection:
        before = now - _FORGOTTEN_AFTER
        forgotten = await ending_store.forgotten_plans(connection, before=before)
        for key in forgotten:
            await defer_plan(connection, key.workspace_id, key.campaign_id)
    return len(forgotten)


async def _give_up(connection: Connection, key: CampaignKey, most: int, problem: str) -> None:
    brief = await store.brief(connection, key.workspace_id, campaign_id=key.campaign_id)
    if brief.first_message_id is not None:
        span = {"first_id": brief.first_message_id, "last_id": brief.last_message_id}
        await store.clear_plan(connection, {**asdict(key), **span})
    problem = problem or "The worker that made it ended each time without a word."
    reason = f"The plan was begun {most} times and never ended. {problem}"
    await store.move(connection, brief, CampaignEvent.FAIL, reason=reason)
    log.error("plan given up", campaign=key.campaign_id, attempts=most)


async def _cancel(ledger: Ledger, key: CampaignKey, reason: str) -> bool:
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, key.workspace_id, campaign_id=key.campaign_id)
        try:
            await store.move(connection, brief, CampaignEvent.CANCEL, reason=reason)
        except MoveNotAllowed:  # somebody was first
            return False
        await defer(connection, Job(CANCEL_TASK, "campaigns", asdict(key), priority=10))
        await audit(
            connection,
            workspace_id=key.workspace_id,
            actor=_ACTOR,
            action="campaign.cancel",
            object_name=brief.name,
            detail={"reason": reason},
        )
    log.warning("campaign cancelled", campaign=key.campaign_id, state=brief.state)
    return True
