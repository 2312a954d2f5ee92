"""Recurring campaigns over HTTP: made, listed, edited, paused, resumed, deleted, and their runs."""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from textwave.api.campaign_routes import NewCampaign, Source
from textwave.api.entry import After, Limit, Name, Rt, Who, viewer_of
from textwave.api.shapes import Page, Shape, page_of
from textwave.api.timing_shapes import ClockTime, Weekday
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.numbers import NumberChoice
from textwave.limits.quiet import WhenQuiet
from textwave.recurrences import operations as recurrences
from textwave.recurrences.operations import NewRecurrence, ShownRecurrence
from textwave.recurrences.recurrence import Every, Rhythm
from textwave.wiring import links_url

routes = APIRouter(tags=["recurrences"])
Named = Annotated[Name, Path()]
_ANY_NAME = "recurrence"


class RecurrenceRule(BaseModel):
    """When a campaign recurs, in the workspace's time."""

    every: Every
    at: ClockTime = Field(
        description="Skipped by a clock change: the moment of the change; repeated: the first."
    )
    weekdays: Annotated[list[Weekday], Field(max_length=7)] = Field(
        default=[], description="Of a week; or the one of which `nth` is meant. 1 is Monday."
    )
    day: int | None = Field(default=None, ge=1, le=31, description="Of a month; 31: its last day.")
    nth: Literal[1, 2, 3, 4, -1] | None = Field(
        default=None, description="Of a month: which of its weekdays; -1: the last."
    )

    def rhythm(self) -> Rhythm:
        """Return it as the product takes it."""
        at = time.fromisoformat(self.at)
        return Rhythm(self.every, at, tuple(self.weekdays), self.day, self.nth)


class RecurringCampaign(NewCampaign):
    """The campaign of each run; its name is that of the recurrence with the day."""

    name: Name = Field(default=_ANY_NAME, description="Left out.")


class RecurrenceToMake(BaseModel):
    """A recurrence to be made."""

    name: Name
    campaign: RecurringCampaign
    rule: RecurrenceRule
    starts_on: date | None = Field(default=None, description="The first day; none: today.")
    ends_on: date | None = Field(default=None, description="The last day; none: for ever.")
    max_runs: int | None = Field(
        default=None, ge=1, le=10_000, description="Skipped runs count too."
    )
    refresh_audience: bool = Field(
        default=True, description="Before each run; when that fails, the run is skipped."
    )


class CampaignParts(BaseModel):
    """Parts of the campaign; what is left out stays as it is."""

    platform: Name | None = None
    signature: Name | None = None
    template: Name | None = None
    audience: Name | None = None
    variables: Annotated[dict[Name, Source], Field(max_length=50)] | None = None
    numbers: NumberChoice | None = None
    quiet: WhenQuiet | None = None

    def replaced(self, draft: CampaignDraft) -> CampaignDraft:
        """Return a draft with these parts in place of its own."""
        given = self.model_dump(exclude={"variables"}, exclude_none=True)
        if self.variables is not None:
            given["variables"] = {name: one.model_dump() for name, one in self.variables.items()}
        return replace(draft, **given)


class RecurrenceToChange(BaseModel):
    """What a recurrence says from now on; what is left out stays as it is."""

    name: Name | None = None
    campaign: RecurringCampaign | None = Field(default=None, description="The campaign, anew.")
    parts: CampaignParts = Field(default=CampaignParts(), description="Or parts of it.")
    rule: RecurrenceRule | None = None
    starts_on: date | None = None
    ends_on: date | None = Field(default=None, description="null: for ever.")
    max_runs: int | None = Field(default=None, ge=1, le=10_000, description="null: no end.")
    refresh_audience: bool | None = None

    def change(self, known: NewRecurrence) -> NewRecurrence:
        """Return a recurrence as it is after the change."""
        draft = known.draft if self.campaign is None else self.campaign.draft()
        draft = self.parts.replaced(draft)
        rhythm = known.rhythm if self.rule is None else self.rule.rhythm()
        said = self.model_dump(include={"name", "starts_on", "refresh_audience"}, exclude_none=True)
        ends = self.model_dump(include={"ends_on", "max_runs"} & self.model_fields_set)
        return replace(known, draft=draft, rhythm=rhythm, **said, **ends)


class Recurrence(BaseModel):
    """A recurrence, its rule in words, and its next five times."""

    id: int
    name: str
    state: str = Field(description="active, paused or ended")
    sentence: str
    rule: dict[str, Any]
    campaign: dict[str, Any]
    starts_on: date
    ends_on: date | None
    max_runs: int | None
    runs: int
    refresh_audience: bool
    time_zone: str
    next_runs: list[datetime]
    created_by: str
    created_at: datetime


class RecurrenceRun(Shape):
    """What became of one time of a recurrence."""

    due_at: datetime
    begins_at: datetime = Field(description="Later than `due_at` when it was postponed.")
    state: str = Field(description="planned, refreshing, started or skipped")
    reason: str
    campaign: str | None
    campaign_state: str | None


class RecurrenceRuns(BaseModel):
    """What became of the last times, newest first."""

    items: list[RecurrenceRun]


@routes.get("/recurrences", summary="List the recurrences.")
async def list_recurrences(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Recurrence]:
    """Return recurrences, newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await recurrences.recurrences(
            connection, caller.workspace_id, now=runtime.clock.now(), before=after, limit=limit
        )
    return page_of(found, limit, _shape, lambda one: one.recurrence.id)


@routes.post("/recurrences", status_code=201, summary="Make a recurring campaign.")
async def create_recurrence(runtime: Rt, caller: Who, new: RecurrenceToMake) -> Recurrence:
    """Keep a campaign that is made and started at each of its times, if it could be now."""
    given = new.model_dump(exclude={"campaign", "rule"})
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await recurrences.create_recurrence(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            new=NewRecurrence(**given, draft=new.campaign.draft(), rhythm=new.rule.rhythm()),
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
            viewer=viewer_of(caller),
        )
    return _shape(made)


@routes.post("/recurrences/{name:path}/pause", summary="Pause a recurrence.")
async def pause_recurrence(runtime: Rt, caller: Who, name: Named) -> Recurrence:
    """Let no further run begin."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await recurrences.pause_recurrence(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            now=runtime.clock.now(),
        )
    return _shape(moved)


@routes.post("/recurrences/{name:path}/resume", summary="Resume a recurrence.")
async def resume_recurrence(runtime: Rt, caller: Who, name: Named) -> Recurrence:
    """Go on with the next time; those in between are left out."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await recurrences.resume_recurrence(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            now=runtime.clock.now(),
        )
    return _shape(moved)


@routes.get("/recurrences/{name:path}/runs", summary="List the runs of a recurrence.")
async def list_runs(
    runtime: Rt,
    caller: Who,
    name: Named,
    before: Annotated[AwareDatetime | None, Query(description="Only those due before.")] = None,
    limit: Limit = 100,
) -> RecurrenceRuns:
    """Return what became of the last times, newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await recurrences.runs(
            connection, caller.workspace_id, name, before=before, limit=limit
        )
    return RecurrenceRuns(items=[RecurrenceRun.model_validate(one) for one in found])


@routes.get("/recurrences/{name:path}", summary="Read a recurrence.")
async def read_recurrence(runtime: Rt, caller: Who, name: Named) -> Recurrence:
    """Return a recurrence with its next five times."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await recurrences.recurrence(
            connection, caller.workspace_id, name, now=runtime.clock.now()
        )
    return _shape(found)


@routes.put("/recurrences/{name:path}", summary="Change a recurrence.")
async def edit_recurrence(
    runtime: Rt, caller: Who, name: Named, changed: RecurrenceToChange
) -> Recurrence:
    """Change what it says from its next run on; a run that is due already is as it was."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        edited = await recurrences.edit_recurrence(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            change=changed.change,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
            viewer=viewer_of(caller),
        )
    return _shape(edited)


@routes.delete("/recurrences/{name:path}", status_code=204, summary="Delete a recurrence.")
async def delete_recurrence(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a recurrence; the campaigns that it has made stay."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await recurrences.delete_recurrence(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )


def _shape(shown: ShownRecurrence) -> Recurrence:
    kept = shown.recurrence
    return Recurrence(
        id=kept.id,
        name=kept.name,
        state=kept.state,
        sentence=shown.sentence,
        rule=kept.rhythm,
        campaign={name: said for name, said in kept.draft.items() if name != "name"},
        starts_on=kept.starts_on,
        ends_on=kept.ends_on,
        max_runs=kept.max_runs,
        runs=kept.runs,
        refresh_audience=kept.refresh_audience,
        time_zone=kept.time_zone,
        next_runs=list(shown.next_runs),
        created_by=kept.created_by,
        created_at=kept.created_at,
    )
