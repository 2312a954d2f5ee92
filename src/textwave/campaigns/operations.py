"""The life of a campaign, as people and reviews move it.

Called by the API as the web role: each is one transaction, and whatever takes long is deferred to a
job in the same transaction. Planning is in `textwave.campaigns.planning`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from textwave.audiences.particulars import AudienceArchived
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns import schedule_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.digital_operations import check_digital_signature
from textwave.campaigns.draft import (
    CampaignDraft,
    NotReadyToStart,
    check_name,
)
from textwave.campaigns.effort import check_effort
from textwave.campaigns.limits import check_opens
from textwave.campaigns.numbers import read_choice
from textwave.campaigns.own_text_operations import submit_own_text, with_own_text
from textwave.campaigns.own_text_store import set_own_text
from textwave.campaigns.shares import check_shares
from textwave.campaigns.shares_operations import (
    check_exclusions,
    check_shares_ready,
    check_texts,
    write_shares,
)
from textwave.campaigns.start_operations import (
    check_account,
    check_audience,
    check_signature,
    defer_plan,
    examine_text,
    record,
    schedule,
    settle,
)
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.store import Campaign
from textwave.campaigns.timing import approved_start, check_timing, scheduled_at
from textwave.kit.ids import CampaignId, OperationId, TemplateId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.limits import store as limits_store
from textwave.limits.quiet import QuietTimes, QuietZone
from textwave.platforms.contract import MessageType
from textwave.storage import progress
from textwave.storage.ledger import Connection
from textwave.storage.queue import Job, defer

DRY_RUN_TASK = "campaigns.dry_run"
RESUME_TASK = "campaigns.resume"
CANCEL_TASK = "campaigns.cancel"


async def create_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    draft: CampaignDraft,
    links_url: str,
    now: datetime,
    viewer: Viewer = SEES_ALL,
) -> Campaign:
    """Write a draft after checking that what it names exists and fits together.

    Raises:
        AlreadyExists, NotFound, AudienceArchived, TypeDiffers, VariableWithoutSource,
            ColumnUnknown, InvalidValue, TextNotReviewed, and what examining the text raises:
            CapabilityMissing, TextNotAcceptable …
    """
    check_draft(draft)
    if await store.campaigns(connection, workspace_id, name=draft.name):
        raise AlreadyExists("campaign", draft.name)
    draft, own = await with_own_text(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        draft=draft,
        links_url=links_url,
        now=now,
    )
    found = await find_parts(connection, workspace_id, draft, viewer)
    parameters = {**asdict(draft), **found, "workspace_id": workspace_id, "actor": actor}
    campaign_id = await store.add(connection, parameters)
    await set_own_text(connection, workspace_id, campaign_id, own=own)
    await write_particulars(connection, workspace_id, campaign_id, draft, now, viewer)
    brief = await check_written(connection, workspace_id, draft, links_url, now)
    await record(connection, brief, actor, "create")
    return await campaign(connection, workspace_id, draft.name)


def check_draft(draft: CampaignDraft) -> None:
    """Accept a draft as far as that needs no database.

    Raises:
        InvalidValue: something of it is none of its choices or out of its bounds.
    """
    check_name(draft.name)
    read_choice(draft.numbers)
    check_timing(draft.timing)
    check_effort(draft.effort)
    variants = check_shares(draft.shares).variants
    if not draft.template:
        if draft.content:
            return
        raise InvalidValue("template", "name one, write a text, or give variants.")
    if variants and draft.template != variants[0].template:
        problem = f"leave it out, or give that of the first variant: “{variants[0].template}”."
        raise InvalidValue("template", problem)


async def find_parts(
    connection: Connection, workspace_id: WorkspaceId, draft: CampaignDraft, viewer: Viewer
) -> dict[str, Any]:
    """Return the ids of what a draft names.

    Raises:
        NotFound: there is no such thing, or the viewer does not see it.
    """
    kinds = ("platform", "signature", "template", "audience")
    names = {kind: getattr(draft, kind) for kind in kinds}
    found = await store.parts_of_draft(connection, workspace_id, names, viewer)
    for kind, name in names.items():
        if getattr(found, f"{kind}_id") is None:
            raise NotFound(kind, name)
    return asdict(found)


async def write_particulars(
    connection: Connection,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    draft: CampaignDraft,
    now: datetime,
    viewer: Viewer,
) -> None:
    """Write what a draft says beyond its parts, over what is there; creating and editing do.

    Raises:
        TimeUnfit: its time cannot be kept.
        NotFound, AudienceArchived, OtherTable: an excluded audience or a variant's template.
    """
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    zone = await schedule_store.time_zone(connection, workspace_id)
    at = scheduled_at(draft.timing, zone, now)
    await schedule_store.write_timing(connection, key, draft.timing, at)
    await write_shares(connection, workspace_id, campaign_id, draft, viewer)
    await store.set_effort(connection, key, draft.effort)
    await _write_quiet(connection, key, draft, now)


async def _write_quiet(
    connection: Connection, key: Mapping[str, Any], draft: CampaignDraft, now: datetime
) -> None:
    """Write what happens in quiet hours, which must leave the campaign a time to send in."""
    await store.set_quiet(connection, key, draft.quiet)
    policy = await limits_store.policy(connection, key["workspace_id"])
    if draft.type != MessageType.notification and policy.quiet_zone == QuietZone.WORKSPACE:
        quiet = QuietTimes(policy.quiet_from, policy.quiet_until)
        check_opens(draft.timing.window, quiet, ZoneInfo(policy.time_zone), now)


async def check_written(
    connection: Connection,
    workspace_id: WorkspaceId,
    draft: CampaignDraft,
    links_url: str,
    now: datetime,
) -> Brief:
    """Accept a draft, written already in this transaction, whose parts fit together.

    Raises:
        AudienceArchived, TypeDiffers, VariableWithoutSource, ColumnUnknown, InvalidValue, and what
            examining the text raises.
    """
    brief = await store.brief(connection, workspace_id, name=draft.name)
    if brief.audience_archived:
        raise AudienceArchived(brief.audience)
    await check_texts(connection, brief, draft, links_url=links_url, now=now)
    await check_digital_signature(connection, brief)
    return brief


async def campaigns(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Campaign]:
    """Return the campaigns of the workspace, newest first; all, or those in one state."""
    return await store.campaigns(connection, workspace_id, state=state, before=before, limit=limit)


async def campaign(connection: Connection, workspace_id: WorkspaceId, name: str) -> Campaign:
    """Return one campaign.

    Raises:
        NotFound: there is none of that name.
    """
    found = await store.campaigns(connection, workspace_id, name=name)
    if not found:
        raise NotFound("campaign", name)
    return found[0]


async def start_dry_run(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> OperationId:
    """Begin to compute the plan without writing it."""
    brief = await store.brief(connection, workspace_id, name=name)
    check_audience(brief)
    await check_exclusions(connection, brief)
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=DRY_RUN_TASK, request={"campaign_id": brief.id}
    )


async def start_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    links_url: str,
    now: datetime,
) -> Campaign:
    """Start at the campaign's time; without one now, or as soon as the template is approved.

    Raises:
        NotReadyToStart: signature, template or audience cannot be sent with.
        TimeUnfit: its time is past.
        MoveNotAllowed: the campaign was started before.
    """
    await store.hold_template(connection, workspace_id, name)
    brief = await store.brief(connection, workspace_id, name=name)
    if brief.scheduled_at is not None:
        await schedule(connection, brief, CampaignEvent.SCHEDULE, links_url=links_url, now=now)
        await record(connection, brief, actor, "schedule")
        return await campaign(connection, workspace_id, name)
    check_signature(brief)
    check_audience(brief)
    await examine_text(connection, brief, links_url, now)
    await check_shares_ready(connection, brief, links_url=links_url, now=now)
    own = await submit_own_text(connection, brief, actor=actor, links_url=links_url, now=now)
    if brief.template_state == "approved":
        await store.move(connection, brief, CampaignEvent.START, due_at=now)
        await defer_plan(connection, workspace_id, brief.id)
    elif own or brief.template_state == "reviewing":
        reason = "Waits for the review of its template; starts by itself when it is approved."
        event = CampaignEvent.WAIT_FOR_REVIEW
        await store.move(connection, brief, event, reason=reason, due_at=now)
    else:
        problem = f"is {brief.template_state}. Submit it for review first. {brief.template_reason}"
        raise NotReadyToStart("template", brief.template, problem.strip())
    await record(connection, brief, actor, "start")
    return await campaign(connection, workspace_id, name)


async def template_decided(connection: Connection, template_id: TemplateId) -> int:
    """Start or reject the campaigns that waited for a template; return how many.

    Runs as the owner, in the transaction that recorded the review.
    """
    waiting = await store.waiting_for_template(connection, template_id)
    for one in waiting:
        brief = await store.brief(connection, one.workspace_id, campaign_id=one.id)
        if brief.template_state == "approved":
            await _start_if_sendable(connection, brief)
        elif brief.template_state == "rejected":
            reason = f"The platform rejected the template: {brief.template_reason}"
            await store.move(connection, brief, CampaignEvent.REJECT, reason=reason)
    return len(waiting)


async def _start_if_sendable(connection: Connection, brief: Brief) -> None:
    """Start it, unless the account has lost meanwhile what the text needs."""
    try:
        await check_account(connection, brief)
    except Refusal as refusal:
        await store.move(connection, brief, CampaignEvent.REJECT, reason=refusal.sentence)
    else:
        await _start_approved(connection, brief)


async def _start_approved(connection: Connection, brief: Brief) -> None:
    """Start a campaign that waited for its template, unless that took too long for it."""
    now = brief.template_decided_at
    if now is None or brief.due_at is None:
        await store.move(connection, brief, CampaignEvent.APPROVE)
        await defer_plan(connection, brief.workspace_id, brief.id)
        return
    start = approved_start(brief.due(brief.due_at), zone=brief.zone, now=now)
    await settle(connection, brief, start, CampaignEvent.APPROVE, now)


async def pause_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """Stop preparing batches; what has left already will still be answered."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.PAUSE, reason=f"Paused by {actor}.")
    await record(connection, brief, actor, "pause")
    return await campaign(connection, workspace_id, name)


async def resume_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """Go on with the batches that are not done."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.RESUME)
    args = {"workspace_id": workspace_id, "campaign_id": brief.id}
    await defer(connection, Job(RESUME_TASK, "campaigns", args, priority=10))
    await record(connection, brief, actor, "resume")
    return await campaign(connection, workspace_id, name)


async def cancel_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """End the campaign: nothing that has not been prepared leaves any more."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.CANCEL, reason=f"Cancelled by {actor}.")
    args = {"workspace_id": workspace_id, "campaign_id": brief.id}
    await defer(connection, Job(CANCEL_TASK, "campaigns", args, priority=10))
    await record(connection, brief, actor, "cancel")
    return await campaign(connection, workspace_id, name)


async def settle_cancelled(
    connection: Connection, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> int:
    """Account for the messages that a cancelled campaign will not send; return how many."""
    return await store.cancel_waiting(connection, workspace_id, campaign_id)
