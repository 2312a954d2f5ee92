"""The life of a campaign, as people and reviews move it.

Called by the API as the web role: each is one transaction, and whatever takes long is deferred to a
job in the same transaction. Planning is in `textwave.campaigns.planning`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from textwave.accounts.store import audit
from textwave.audiences.particulars import AudienceArchived
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns import store
from textwave.campaigns.draft import (
    CampaignDraft,
    NotReadyToStart,
    TypeDiffers,
    check_name,
    check_sources,
)
from textwave.campaigns.numbers import read_choice
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.store import Brief, Campaign
from textwave.content.operations import examine
from textwave.content.store import platform_named
from textwave.content.variables import parse
from textwave.content.wording import full_text
from textwave.kit.ids import CampaignId, OperationId, TemplateId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, NotFound
from textwave.platforms.contract import MessageType
from textwave.storage import progress
from textwave.storage.ledger import Connection
from textwave.storage.queue import Job, defer

PLAN_TASK = "campaigns.plan"
SEND_TASK = "dispatch.send_batch"
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
            ColumnUnknown, InvalidValue, and what examining the text raises:
            CapabilityMissing, TextNotAcceptable …
    """
    check_name(draft.name)
    read_choice(draft.numbers)
    if await store.campaigns(connection, workspace_id, name=draft.name):
        raise AlreadyExists("campaign", draft.name)
    kinds = ("platform", "signature", "template", "audience")
    names = {kind: getattr(draft, kind) for kind in kinds}
    found = await store.parts_of_draft(connection, workspace_id, names, viewer)
    for kind, name in names.items():
        if getattr(found, f"{kind}_id") is None:
            raise NotFound(kind, name)
    await store.add(
        connection,
        {
            **asdict(draft),
            **asdict(found),
            "workspace_id": workspace_id,
            "actor": actor,
        },
    )
    brief = await store.brief(connection, workspace_id, name=draft.name)
    if brief.audience_archived:
        raise AudienceArchived(brief.audience)
    _check_fit(brief, draft)
    await _examine(connection, brief, links_url, now)
    await _audit(connection, brief, actor, "create")
    return await campaign(connection, workspace_id, draft.name)


def _check_fit(brief: Brief, draft: CampaignDraft) -> None:
    if brief.template_type != draft.type:
        raise TypeDiffers(draft.type, brief.template_type)
    text = full_text(brief.template_content, MessageType(brief.type), brief.opt_out_text)
    check_sources(parse(text), draft.variables, brief.table_name, brief.table_columns or [])


async def _examine(connection: Connection, brief: Brief, links_url: str, now: datetime) -> None:
    """Check the text again: what the account can do and the links may have changed."""
    account = await platform_named(connection, workspace_id=brief.workspace_id, name=brief.platform)
    await examine(
        connection,
        workspace_id=brief.workspace_id,
        account=account,
        message_type=MessageType(brief.type),
        content=brief.template_content,
        links_url=links_url,
        now=now,
    )


async def campaigns(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Campaign]:
    """Return the campaigns of the workspace, newest first."""
    return await store.campaigns(connection, workspace_id, before=before, limit=limit)


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
    _check_audience(brief)
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
    """Start now, or as soon as the template is approved.

    Raises:
        NotReadyToStart: signature, template or audience cannot be sent with.
        MoveNotAllowed: the campaign was started before.
    """
    await store.hold_template(connection, workspace_id, name)
    brief = await store.brief(connection, workspace_id, name=name)
    if brief.signature_state != "approved":
        problem = f"is {brief.signature_state}. Only an approved signature can be sent with."
        raise NotReadyToStart("signature", brief.signature, problem)
    _check_audience(brief)
    await _examine(connection, brief, links_url, now)
    if brief.template_state == "approved":
        await store.move(connection, brief, CampaignEvent.START)
        await _defer_plan(connection, workspace_id, brief.id)
    elif brief.template_state == "reviewing":
        reason = "Waits for the review of its template; starts by itself when it is approved."
        await store.move(connection, brief, CampaignEvent.WAIT_FOR_REVIEW, reason=reason)
    else:
        problem = f"is {brief.template_state}. Submit it for review first. {brief.template_reason}"
        raise NotReadyToStart("template", brief.template, problem.strip())
    await _audit(connection, brief, actor, "start")
    return await campaign(connection, workspace_id, name)


def _check_audience(brief: Brief) -> None:
    if brief.audience_archived:
        raise AudienceArchived(brief.audience)
    if brief.newest_snapshot_id is None:
        problem = "has not been computed yet. Refresh it and wait until it is done."
        raise NotReadyToStart("audience", brief.audience, problem)
    if not brief.audience_size:
        problem = "is empty: nobody would get a message. Change its rule or refresh it."
        raise NotReadyToStart("audience", brief.audience, problem)


async def template_decided(connection: Connection, template_id: TemplateId) -> int:
    """Start or reject the campaigns that waited for a template; return how many.

    Runs as the owner, in the transaction that recorded the review.
    """
    waiting = await store.waiting_for_template(connection, template_id)
    for one in waiting:
        brief = await store.brief(connection, one.workspace_id, campaign_id=one.id)
        if brief.template_state == "approved":
            await store.move(connection, brief, CampaignEvent.APPROVE)
            await _defer_plan(connection, brief.workspace_id, brief.id)
        elif brief.template_state == "rejected":
            reason = f"The platform rejected the template: {brief.template_reason}"
            await store.move(connection, brief, CampaignEvent.REJECT, reason=reason)
    return len(waiting)


async def pause_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """Stop preparing batches; what has left already will still be answered."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.PAUSE, reason=f"Paused by {actor}.")
    await _audit(connection, brief, actor, "pause")
    return await campaign(connection, workspace_id, name)


async def resume_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """Go on with the batches that are not done."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.RESUME)
    args = {"workspace_id": workspace_id, "campaign_id": brief.id}
    await defer(connection, Job(RESUME_TASK, "campaigns", args, priority=10))
    await _audit(connection, brief, actor, "resume")
    return await campaign(connection, workspace_id, name)


async def cancel_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> Campaign:
    """End the campaign: nothing that has not been prepared leaves any more."""
    brief = await store.brief(connection, workspace_id, name=name)
    await store.move(connection, brief, CampaignEvent.CANCEL, reason=f"Cancelled by {actor}.")
    args = {"workspace_id": workspace_id, "campaign_id": brief.id}
    await defer(connection, Job(CANCEL_TASK, "campaigns", args, priority=10))
    await _audit(connection, brief, actor, "cancel")
    return await campaign(connection, workspace_id, name)


async def settle_cancelled(
    connection: Connection, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> int:
    """Account for the messages that a cancelled campaign will not send; return how many."""
    return await store.cancel_waiting(connection, workspace_id, campaign_id)


async def _defer_plan(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    args = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    lock = f"plan-{campaign_id}"
    await defer(connection, Job(PLAN_TASK, "campaigns", args, lock=lock, priority=5))


async def _audit(connection: Connection, brief: Brief, actor: str, action: str) -> None:
    await audit(
        connection,
        workspace_id=brief.workspace_id,
        actor=actor,
        action=f"campaign.{action}",
        object_name=brief.name,
    )
