"""How a campaign starts: what must be ready, the time it is put on, and being late.

Each function is a part of its caller's transaction. A start that is later than its campaign allows
goes on, waits or is cancelled as the campaign's rule says, and the campaign shows why.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from textwave.accounts.store import audit
from textwave.audiences.particulars import AudienceArchived
from textwave.campaigns import schedule_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.digital_operations import check_carriers, check_digital_signature
from textwave.campaigns.draft import NotReadyToStart
from textwave.campaigns.shares_operations import check_shares_ready
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.timing import Decision, Start, TimeUnfit, check_start, late_start, shown
from textwave.connections.store import platform_named
from textwave.content.capabilities import needed, refuse_unsupported
from textwave.content.operations import examine
from textwave.content.variables import parse
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection
from textwave.storage.queue import Job, defer

PLAN_TASK: Final = "campaigns.plan"
BEGIN_TASK: Final = "campaigns.begin"
_ACTOR: Final = "textwave"


async def begin_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    links_url: str,
    now: datetime,
) -> Decision | None:
    """Begin a scheduled campaign whose time has come, exactly once; None: there is nothing to do.

    Runs as the owner, and as often as wanted: only one finds the campaign scheduled and due.
    """
    if not await store.hold(connection, workspace_id, campaign_id):
        return None
    brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
    if brief.state != "scheduled" or brief.due_at is None:
        return None
    start = late_start(brief.due(brief.due_at), zone=brief.zone, now=now)
    if start.decision is Decision.WAIT and start.at == brief.due_at:
        return None  # not due yet: it was given another time
    if start.decision is Decision.GO:
        try:
            await check_ready(connection, brief, links_url=links_url, now=now)
        except Refusal as refusal:
            await store.move(connection, brief, CampaignEvent.FAIL, reason=refusal.sentence)
            return Decision.CANCEL
    await settle(connection, brief, start, CampaignEvent.BEGIN, now)
    return start.decision


async def settle_late_plan(connection: Connection, brief: Brief, now: datetime) -> bool:
    """Tell whether a plan is begun in time; else do what the campaign's rule says."""
    if brief.due_at is None or brief.due_at > now:
        return True
    start = late_start(brief.due(brief.due_at), zone=brief.zone, now=now)
    if start.decision is Decision.GO:
        if start.reason:
            await store.note_reason(connection, brief, start.reason)
            await schedule_store.note_late(connection, brief, start.reason)
            await record(connection, brief, _ACTOR, "start_late", {"reason": start.reason})
        return True
    await settle(connection, brief, start, CampaignEvent.BEGIN, now)
    return False


async def settle(
    connection: Connection, brief: Brief, start: Start, event: CampaignEvent, now: datetime
) -> None:
    """Do what was decided of a start: `event` and its plan, a later time, or the end."""
    reason = start.reason
    if reason:
        await schedule_store.note_late(connection, brief, reason)
    if start.decision is Decision.GO:
        await store.move(connection, brief, event, reason=reason, due_at=now)
        await defer_plan(connection, brief.workspace_id, brief.id)
        action = "start_late" if reason else "begin"
    elif start.at is not None:
        await put_on(connection, brief, CampaignEvent.POSTPONE, start.at, reason=reason)
        action = "postpone"
    else:
        await store.move(connection, brief, CampaignEvent.CANCEL, reason=reason)
        action = "cancel"
    await record(connection, brief, _ACTOR, action, {"reason": reason})


async def schedule(
    connection: Connection, brief: Brief, event: CampaignEvent, *, links_url: str, now: datetime
) -> None:
    """Put a campaign that has a time on it, if it could start at once and the time can be kept.

    Raises:
        NotReadyToStart, AudienceArchived, TimeUnfit, MoveNotAllowed.
    """
    if brief.scheduled_at is None:
        raise TimeUnfit("", "is missing. Give the campaign a time, such as 2026-12-01T09:00.")
    given = shown(brief.scheduled_at, brief.zone)
    check_start(given, brief.due(brief.scheduled_at), zone=brief.zone, now=now)
    await check_ready(connection, brief, links_url=links_url, now=now)
    await put_on(connection, brief, event, brief.scheduled_at)


async def put_on(
    connection: Connection, brief: Brief, event: CampaignEvent, at: datetime, *, reason: str = ""
) -> None:
    """Let the campaign begin at a time; a job for an earlier time will find nothing to do."""
    await store.move(connection, brief, event, reason=reason, due_at=at)
    args = {"workspace_id": brief.workspace_id, "campaign_id": brief.id}
    job = Job(BEGIN_TASK, "campaigns", args, lock=f"begin-{brief.id}", priority=5, at=at)
    await defer(connection, job)


async def defer_plan(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Have the campaign planned."""
    args = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    lock = f"plan-{campaign_id}"
    await defer(connection, Job(PLAN_TASK, "campaigns", args, lock=lock, priority=5))


async def check_ready(
    connection: Connection, brief: Brief, *, links_url: str, now: datetime
) -> None:
    """Accept a campaign that can start without waiting for anybody's approval.

    Raises:
        NotReadyToStart, AudienceArchived, and what examining the text raises.
    """
    check_signature(brief)
    check_audience(brief)
    await examine_text(connection, brief, links_url, now)
    await check_shares_ready(connection, brief, links_url=links_url, now=now)
    if brief.template_state != "approved":
        problem = (
            f"is {brief.template_state}. A campaign can be given a time only when its template is "
            "approved. Wait for the approval, or start the campaign without a time: it then goes "
            "when the template is approved."
        )
        raise NotReadyToStart("template", brief.template, problem)


def check_approved(brief: Brief) -> None:
    """Accept an approved signature and an approved template."""
    check_signature(brief)
    if brief.template_state != "approved":
        problem = (
            f"is {brief.template_state}. A campaign can be given a time only when its template is "
            "approved. Wait for the approval, or start the campaign without a time: it then goes "
            "when the template is approved."
        )
        raise NotReadyToStart("template", brief.template, problem)


def check_signature(brief: Brief) -> None:
    """Accept an approved signature."""
    if brief.signature_state != "approved":
        problem = f"is {brief.signature_state}. Only an approved signature can be sent with."
        raise NotReadyToStart("signature", brief.signature, problem)


def check_audience(brief: Brief) -> None:
    """Accept an audience that is computed, and not empty."""
    if brief.audience_archived:
        raise AudienceArchived(brief.audience)
    if brief.newest_snapshot_id is None:
        problem = "has not been computed yet. Refresh it and wait until it is done."
        raise NotReadyToStart("audience", brief.audience, problem)
    if not brief.audience_size:
        problem = "is empty: nobody would get a message. Change its rule or refresh it."
        raise NotReadyToStart("audience", brief.audience, problem)


async def examine_text(connection: Connection, brief: Brief, links_url: str, now: datetime) -> None:
    """Check the text again: the account, the links and the carriers' word may have changed."""
    account = await platform_named(connection, workspace_id=brief.workspace_id, name=brief.platform)
    await examine(
        connection,
        workspace_id=brief.workspace_id,
        account=account,
        message_type=MessageType(brief.type),
        content=brief.template_content,
        links_url=links_url,
        now=now,
        until=brief.leaves_until(now),
    )
    await check_digital_signature(connection, brief)
    await check_carriers(connection, brief)


async def check_account(connection: Connection, brief: Brief) -> None:
    """Accept a campaign whose account is still there and can still send its text.

    Raises:
        NotFound: the workspace may use the account no longer.
        TypeNotOffered, CapabilityMissing.
    """
    account = await platform_named(connection, workspace_id=brief.workspace_id, name=brief.platform)
    template = parse(brief.template_content)
    refuse_unsupported(MessageType(brief.type), account, needed(template, short_links=0))


async def record(
    connection: Connection,
    brief: Brief,
    actor: str,
    action: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what."""
    await audit(
        connection,
        workspace_id=brief.workspace_id,
        actor=actor,
        action=f"campaign.{action}",
        object_name=brief.name,
        detail=detail or {},
    )
