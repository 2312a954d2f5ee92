"""Rows of campaigns, their plans and batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from textwave.audiences.visibility import Viewer
from textwave.campaigns.brief import Brief
from textwave.campaigns.effort import Effort, ErrorBudget, Priority, read_effort
from textwave.campaigns.states import CAMPAIGN_STATES, CampaignEvent, CampaignState
from textwave.campaigns.timing import (
    check_window,
    write_window,
)
from textwave.kit.ids import (
    AudienceId,
    CampaignId,
    MessageId,
    PlatformId,
    SignatureId,
    TemplateId,
    WorkspaceId,
)
from textwave.kit.refusal import NotFound
from textwave.limits.quiet import WhenQuiet
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns")
_STARTS = (CampaignEvent.START, CampaignEvent.WAIT_FOR_REVIEW, CampaignEvent.BEGIN)
_ENDED = frozenset(
    {
        CampaignState.COMPLETED,
        CampaignState.CANCELLED,
        CampaignState.FAILED,
        CampaignState.REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The time that a campaign was given, and when it starts: later if it was postponed."""

    at: datetime | None
    starts_at: datetime | None
    time_zone: str
    late_minutes: int
    late_rule: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as people see it."""

    id: CampaignId
    workspace_id: WorkspaceId
    name: str
    type: str
    state: str
    reason: str
    platform: str
    signature: str
    template: str
    audience: str
    variables: dict[str, Any]
    numbers: str
    quiet: str
    rank: int
    error_budget_percent: int | None
    error_budget_after: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    planned_at: datetime | None
    completed_at: datetime | None
    scheduled_at: datetime | None
    due_at: datetime | None
    late_minutes: int
    late_rule: str
    late_reason: str
    window_from: time | None
    window_until: time | None
    window_days: list[int]
    spread_minutes: int
    time_zone: str
    recurrence: str | None
    copied_from: str | None
    purpose: str
    own_text: bool
    seed: int
    control_share_milli: int | None
    control_size: int | None
    test_share_milli: int | None
    winner_by: str | None
    winner_after_minutes: int | None
    winner_chosen_at: datetime | None
    winner_reason: str
    exclude: list[str]
    variants: list[dict[str, Any]]
    winner_name: str | None

    @property
    def effort(self) -> Effort:
        """Return how it is sent among others, and how much of it may fail."""
        return read_effort(self.rank, self.error_budget_percent, self.error_budget_after)

    @property
    def priority(self) -> Priority:
        """Which of the workspace's campaigns at the account goes first."""
        return self.effort.priority

    @property
    def error_budget(self) -> ErrorBudget:
        """How much may fail before it pauses itself."""
        return self.effort.error_budget

    @property
    def control(self) -> dict[str, Any] | None:
        """Who is held out; None: nobody."""
        if self.control_share_milli is not None:
            return {"share": self.control_share_milli / 1000}
        return None if self.control_size is None else {"size": self.control_size}

    @property
    def winner(self) -> dict[str, Any] | None:
        """How the text of most is chosen, and what was; None: everybody gets one of the texts."""
        if self.test_share_milli is None:
            return None
        return {
            "test_share": self.test_share_milli / 1000,
            "by": self.winner_by,
            "after_minutes": self.winner_after_minutes,
            "chosen": self.winner_name,
            "chosen_at": self.winner_chosen_at,
            "reason": self.winner_reason,
        }

    @property
    def schedule(self) -> Schedule:
        """When it starts, in the workspace's zone."""
        zone = ZoneInfo(self.time_zone)
        at = self.scheduled_at and self.scheduled_at.astimezone(zone)
        waits = self.state == CampaignState.SCHEDULED and self.due_at is not None
        due = self.due_at.astimezone(zone) if waits and self.due_at else None
        return Schedule(at, due, self.time_zone, self.late_minutes, self.late_rule)

    @property
    def window(self) -> dict[str, Any] | None:
        """When its messages may leave; None: always."""
        return write_window(check_window(self.window_from, self.window_until, self.window_days))


@dataclass(frozen=True, slots=True)
class DraftParts:
    """The ids behind the names of a draft; None where nothing has that name."""

    platform_id: PlatformId | None
    signature_id: SignatureId | None
    template_id: TemplateId | None
    audience_id: AudienceId | None


@dataclass(frozen=True, slots=True)
class WaitingCampaign:
    """A campaign that waits for its template's review, or for its time."""

    id: CampaignId
    workspace_id: WorkspaceId
    name: str


@dataclass(frozen=True, slots=True)
class BatchNumber:
    """One batch of a campaign."""

    number: int


async def set_quiet(connection: Connection, key: Mapping[str, Any], quiet: WhenQuiet) -> None:
    """Say what becomes of a campaign's messages in quiet hours."""
    await execute(connection, _SQL["set_quiet"], {**key, "quiet": quiet})


async def set_effort(connection: Connection, key: Mapping[str, Any], effort: Effort) -> None:
    """Say how a campaign is sent among others, and how much of it may fail."""
    budget = effort.error_budget
    values = {"priority": effort.rank, "percent": budget.percent, "after": budget.after}
    await execute(connection, _SQL["set_effort"], {**key, **values})


async def parts_of_draft(
    connection: Connection, workspace_id: WorkspaceId, names: Mapping[str, str], viewer: Viewer
) -> DraftParts:
    """Look up what a draft names; a private audience only for those who see it."""
    parameters = {"workspace_id": workspace_id, "viewer": viewer.bound_name, **names}
    found = await one(connection, DraftParts, _SQL["parts_of_draft"], parameters)
    return found or DraftParts(None, None, None, None)


async def add(connection: Connection, parameters: Mapping[str, Any]) -> CampaignId:
    """Add a draft and its empty tally."""
    variables = Jsonb(parameters["variables"])
    values = {**parameters, "variables": variables}
    return CampaignId(await value(connection, _SQL["add"], values))


async def campaigns(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Campaign]:
    """Return campaigns, newest first; `before` is the id that the last page ended with."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "state": state,
        "before": before,
        "limit": limit,
    }
    return await many(connection, Campaign, _SQL["campaigns"], parameters)


async def brief(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str | None = None,
    campaign_id: CampaignId | None = None,
) -> Brief:
    """Read a campaign with everything it refers to.

    Raises:
        NotFound: there is no such campaign in the workspace.
    """
    parameters = {"workspace_id": workspace_id, "name": name, "campaign_id": campaign_id}
    found = await one(connection, Brief, _SQL["brief"], parameters)
    if found is None:
        raise NotFound("campaign", name or str(campaign_id))
    return found


async def hold_template(connection: Connection, workspace_id: WorkspaceId, name: str) -> None:
    """Keep the state of a campaign's template as it is until the transaction ends."""
    parameters = {"workspace_id": workspace_id, "name": name}
    await execute(connection, _SQL["hold_template"], parameters)


async def hold(connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId) -> bool:
    """Keep others from changing a campaign until the transaction ends; False: it is gone."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await execute(connection, _SQL["lock"], key) == 1


async def note_reason(connection: Connection, campaign: Brief, reason: str) -> None:
    """Show why a campaign is as it is."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    await execute(connection, _SQL["note_reason"], {**key, "reason": reason})


async def withdraw_reason(connection: Connection, campaign: Brief, reason: str) -> None:
    """Show no reason any more, if it is still this one."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    await execute(connection, _SQL["withdraw_reason"], {**key, "reason": reason})


async def move(
    connection: Connection,
    campaign: Brief,
    event: CampaignEvent,
    *,
    reason: str = "",
    due_at: datetime | None = None,
) -> CampaignState:
    """Make one move of the lifecycle, if nobody was first; `due_at` is when the start is due.

    Raises:
        MoveNotAllowed: the campaign is in no state that this event leads out of.
    """
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    state = CampaignState(await value(connection, _SQL["lock"], key))
    target = CAMPAIGN_STATES.after(state, event)
    await execute(
        connection,
        _SQL["move"],
        {
            **key,
            "state": target,
            "reason": reason,
            "sources": [state],
            "started": event in _STARTS,
            "due_at": due_at,
            "ended": target in _ENDED,
        },
    )
    return target


async def waiting_for_template(
    connection: Connection, template_id: TemplateId
) -> list[WaitingCampaign]:
    """Return the campaigns that wait for this template's review."""
    parameters = {"template_id": template_id}
    return await many(connection, WaitingCampaign, _SQL["waiting_for_template"], parameters)


async def take_ids(
    connection: Connection, *, month: date, first_id: MessageId, size: int
) -> MessageId:
    """Take so many consecutive message ids of a month; return the first."""
    parameters = {"month": month.replace(day=1), "first_id": first_id, "size": size}
    return MessageId(await value(connection, _SQL["take_ids"], parameters))


async def freeze(connection: Connection, parameters: Mapping[str, Any]) -> bool:
    """Fix what the plan is made from; False when the campaign is not planning any more."""
    return await execute(connection, _SQL["freeze"], parameters) == 1


async def clear_plan(connection: Connection, parameters: Mapping[str, Any]) -> None:
    """Remove what an interrupted plan left behind in its block of ids."""
    await execute(connection, _SQL["clear_messages"], parameters)
    await execute(connection, _SQL["clear_drops"], parameters)


@dataclass(frozen=True, slots=True)
class BatchSpan:
    """Messages of one text that become batches; those that wait are not due until somebody says."""

    variant: int | None
    first_id: int
    messages: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """What a plan came to."""

    audience: int
    messages: int
    parts: int
    drops: dict[str, int]


async def finish_plan(
    connection: Connection,
    campaign: Brief,
    *,
    first_id: int,
    spans: Sequence[BatchSpan],
    batch_size: int,
    counts: PlanCounts,
) -> list[int] | None:
    """Begin sending: tallies and batches; return batch numbers.

    None: it is not planned any more, or by another plan than the one with this first id.
    """
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    if await value(connection, _SQL["finish_plan"], {**key, "first_id": first_id}) is None:
        return None
    await execute(
        connection,
        _SQL["tally_plan"],
        {
            **key,
            "audience": counts.audience,
            "messages": counts.messages,
            "parts": counts.parts,
        },
    )
    reasons, numbers = list(counts.drops), list(counts.drops.values())
    await execute(connection, _SQL["tally_drops"], {**key, "reasons": reasons, "counts": numbers})
    await execute(connection, _SQL["note_drops"], {**key, "drops": sum(numbers)})
    parameters = {
        **key,
        "batch_size": batch_size,
        "variants": [span.variant for span in spans],
        "firsts": [span.first_id for span in spans],
        "counts": [span.messages for span in spans],
        "waits": [span.waits for span in spans],
    }
    added = await many(connection, BatchNumber, _SQL["add_batches"], parameters)
    return [batch.number for batch in added]


async def add_tally(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Add the campaign's row of counters."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    await execute(connection, _SQL["add_tally"], key)


async def hold_tally(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Wait for whoever counts messages or ends batches of the campaign; then be the only one."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    await execute(connection, _SQL["hold_tally"], key)


async def open_batches(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> Sequence[int]:
    """Return the numbers of the batches that are not done, after whoever ends one just now."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    await hold_tally(connection, workspace_id, campaign_id)
    return [b.number for b in await many(connection, BatchNumber, _SQL["open_batches"], key)]


async def cancel_waiting(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> int:
    """End the batches that never began; return how many messages will not be sent."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    count: int = await value(connection, _SQL["cancel_waiting"], key)
    if count:
        await execute(connection, _SQL["tally_cancelled"], {**key, "count": count})
    return count
