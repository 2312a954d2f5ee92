"""What people do with a campaign's time: give it one, take it back, edit and delete before it.

Called by the API as the web role. Until five minutes before its time a scheduled campaign can be
changed; after that it can only be cancelled. `begin_due` is the safety net under the jobs that
begin campaigns, and runs as the owner.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog

from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns import schedule_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import (
    campaign,
    check_draft,
    check_written,
    find_parts,
    write_particulars,
)
from textwave.campaigns.own_text_operations import with_own_text
from textwave.campaigns.own_text_store import set_own_text
from textwave.campaigns.start_operations import begin_campaign, record, schedule
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.store import Campaign
from textwave.campaigns.timing import Timing, check_timing, scheduled_at, shown
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, Refusal
from textwave.storage.ledger import Connection, Ledger

CLOSED: Final = timedelta(minutes=5)
_MOST_DUE: Final = 100
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class CampaignTooClose(Refusal):
    """A scheduled campaign begins so soon that it cannot be changed any more."""

    code: ClassVar[str] = "campaign_too_close"
    campaign: str
    starts_at: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.campaign}” starts at {self.starts_at}: less than five minutes before, it can "
            "only be cancelled."
        )


async def schedule_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    timing: Timing,
    links_url: str,
    now: datetime,
) -> Campaign:
    """Put a campaign on a time (of `timing` only the time and what happens late), or on another.

    Raises:
        TimeUnfit, NotReadyToStart, CampaignTooClose, MoveNotAllowed.
    """
    check_timing(timing)
    await store.hold_template(connection, workspace_id, name)
    brief = await _held(connection, workspace_id, name, now)
    given = Timing(timing.at, timing.late_minutes, timing.late_rule, brief.window)
    at = scheduled_at(given, brief.zone, now)
    await schedule_store.set_time(connection, brief, at, timing)
    brief = await store.brief(connection, workspace_id, name=name)
    again = brief.state == "scheduled"
    event = CampaignEvent.EDIT if again else CampaignEvent.SCHEDULE
    await schedule(connection, brief, event, links_url=links_url, now=now)
    await record(connection, brief, actor, "schedule", {"at": _written(at)})
    return await campaign(connection, workspace_id, name)


async def unschedule_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str, now: datetime
) -> Campaign:
    """Take a campaign off its time: it is a draft again.

    Raises:
        CampaignTooClose, MoveNotAllowed.
    """
    brief = await _held(connection, workspace_id, name, now)
    await store.move(connection, brief, CampaignEvent.UNSCHEDULE)
    await schedule_store.forget_time(connection, brief)
    await record(connection, brief, actor, "unschedule")
    return await campaign(connection, workspace_id, name)


async def edit_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    draft: CampaignDraft,
    links_url: str,
    now: datetime,
    viewer: Viewer = SEES_ALL,
) -> Campaign:
    """Write a draft over a campaign that is one, was rejected, or is scheduled and stays so.

    Raises:
        CampaignTooClose, MoveNotAllowed, and what creating a campaign and scheduling it raise.
    """
    check_draft(draft)
    brief = await _held(connection, workspace_id, name, now)
    state = await store.move(connection, brief, CampaignEvent.EDIT, due_at=brief.due_at)
    if draft.name != name and await store.campaigns(connection, workspace_id, name=draft.name):
        raise AlreadyExists("campaign", draft.name)
    draft, own = await with_own_text(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        draft=draft,
        links_url=links_url,
        now=now,
        before=brief,
    )
    found = await find_parts(connection, workspace_id, draft, viewer)
    parameters = {**asdict(draft), **found, "workspace_id": workspace_id}
    await schedule_store.edit(connection, brief.id, parameters)
    await set_own_text(connection, workspace_id, brief.id, own=own)
    await write_particulars(connection, workspace_id, brief.id, draft, now, viewer)
    edited = await check_written(connection, workspace_id, draft, links_url, now)
    if state == "scheduled":
        await store.hold_template(connection, workspace_id, draft.name)
        edited = await store.brief(connection, workspace_id, campaign_id=brief.id)
        event = CampaignEvent.EDIT
        await schedule(connection, edited, event, links_url=links_url, now=now)
    await record(connection, edited, actor, "edit", {"before": name})
    return await campaign(connection, workspace_id, draft.name)


async def delete_campaign(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str, now: datetime
) -> None:
    """Delete a campaign that has sent nothing: a draft, a rejected or a scheduled one.

    Raises:
        CampaignTooClose, MoveNotAllowed.
    """
    brief = await _held(connection, workspace_id, name, now)
    await store.move(connection, brief, CampaignEvent.EDIT)  # what can be edited can be deleted
    await schedule_store.delete(connection, brief)
    await record(connection, brief, actor, "delete", {"state": brief.state})


async def begin_due(ledger: Ledger, *, links_url: str, now: datetime) -> int:
    """Begin scheduled campaigns whose job was lost; return how many were looked at."""
    async with ledger.transaction() as connection:
        due = await schedule_store.due(connection, now, limit=_MOST_DUE)
    for one in due:
        async with ledger.transaction() as connection:
            decision = await begin_campaign(
                connection,
                workspace_id=one.workspace_id,
                campaign_id=one.id,
                links_url=links_url,
                now=now,
            )
        log.info("campaign was due", campaign=one.id, decision=decision)
    return len(due)


async def _held(
    connection: Connection, workspace_id: WorkspaceId, name: str, now: datetime
) -> Brief:
    """Read a campaign that may still be changed, while nobody else changes it."""
    found = await store.brief(connection, workspace_id, name=name)
    await store.hold(connection, workspace_id, found.id)
    brief = await store.brief(connection, workspace_id, campaign_id=found.id)
    if brief.state == "scheduled" and brief.due_at is not None and brief.due_at - now <= CLOSED:
        raise CampaignTooClose(name, shown(brief.due_at, brief.zone))
    return brief


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
