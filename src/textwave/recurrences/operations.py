"""Recurring campaigns as people see them: made, looked at, edited, paused, resumed, deleted.

Called by the API as the web role. A recurrence keeps a draft; each of its times makes a campaign
from it (`textwave.recurrences.run_operations`). Refused is a draft that could not be sent now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Final

from pydantic import TypeAdapter

from textwave.accounts.store import audit
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns import schedule_store, store
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import create_campaign
from textwave.campaigns.start_operations import check_approved
from textwave.campaigns.timing import FURTHEST
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.recurrences import store as recurrence_store
from textwave.recurrences.recurrence import (
    Rhythm,
    RhythmUnfit,
    Span,
    check_rhythm,
    check_span,
    describe,
    next_run,
    next_runs,
    write_rhythm,
)
from textwave.recurrences.store import Recurrence, Run
from textwave.storage.ledger import Connection

SHOWN_RUNS: Final = 5
_LONGEST_NAME: Final = 80
_MOST_RUNS: Final = 10_000
_drafts: Final = TypeAdapter(CampaignDraft)


@dataclass(frozen=True, slots=True)
class NewRecurrence:
    """A recurrence as the marketer gives it; the draft's own name and time are left out."""

    name: str
    draft: CampaignDraft
    rhythm: Rhythm
    starts_on: date | None = None
    ends_on: date | None = None
    max_runs: int | None = None
    refresh_audience: bool = True


@dataclass(frozen=True, slots=True)
class ShownRecurrence:
    """A recurrence, what it means in words, and its next times in the workspace's zone."""

    recurrence: Recurrence
    draft: CampaignDraft
    sentence: str
    next_runs: Sequence[datetime]


@dataclass(eq=False)
class RecurrenceEnded(Refusal):
    """The recurrence has had its last time."""

    code: ClassVar[str] = "recurrence_ended"
    recurrence: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.recurrence}” has ended: it has no further times. Make a new one with a later "
            "last day or more runs."
        )


async def create_recurrence(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    new: NewRecurrence,
    links_url: str,
    now: datetime,
    viewer: Viewer = SEES_ALL,
) -> ShownRecurrence:
    """Keep a draft that is sent at each time of a rhythm, from now on.

    Raises:
        InvalidValue, RhythmUnfit, AlreadyExists, NotReadyToStart (signature or template is not
            approved), and what creating the campaign would raise now.
    """
    parameters = await _checked(connection, workspace_id, new, now)
    await _try(connection, workspace_id, new, links_url, now, viewer)
    added = await recurrence_store.add(connection, {**parameters, "actor": actor})
    if added is None:
        raise AlreadyExists("recurrence", new.name)
    await _audit(connection, workspace_id, actor, "create", new.name)
    return await recurrence(connection, workspace_id, new.name, now=now)


async def edit_recurrence(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    change: Callable[[NewRecurrence], NewRecurrence],
    links_url: str,
    now: datetime,
    viewer: Viewer = SEES_ALL,
) -> ShownRecurrence:
    """Change what a recurrence says: its next run follows; a run that is due already does not.

    `change` gets it as it stands. Paused it stays paused.

    Raises:
        NotFound, RecurrenceEnded, and what creating a recurrence raises.
    """
    found = await _held(connection, workspace_id, name)
    new = change(_as_given(found))
    if new.max_runs is not None and new.max_runs <= found.runs:
        problem = f"it has had {found.runs} runs already. Give a higher number, or delete it."
        raise InvalidValue("max_runs", problem)
    parameters = await _checked(connection, workspace_id, new, now)
    if new.name != name:
        taken = await recurrence_store.recurrences(connection, workspace_id, name=new.name)
        if taken:
            raise AlreadyExists("recurrence", new.name)
    await _try(connection, workspace_id, new, links_url, now, viewer)
    await recurrence_store.edit(connection, found.id, parameters)
    await _audit(connection, workspace_id, actor, "edit", new.name)
    return await recurrence(connection, workspace_id, new.name, now=now)


def _as_given(kept: Recurrence) -> NewRecurrence:
    return NewRecurrence(
        name=kept.name,
        draft=read_draft(kept.draft),
        rhythm=kept.rule,
        starts_on=kept.starts_on,
        ends_on=kept.ends_on,
        max_runs=kept.max_runs,
        refresh_audience=kept.refresh_audience,
    )


async def _checked(
    connection: Connection, workspace_id: WorkspaceId, new: NewRecurrence, now: datetime
) -> dict[str, Any]:
    """Return a recurrence as it is kept, with its next time from now on."""
    _check_name(new)
    rhythm = check_rhythm(new.rhythm)
    zone = await schedule_store.time_zone(connection, workspace_id)
    span = Span(new.starts_on or now.astimezone(zone).date(), new.ends_on)
    if span.starts_on - now.date() > FURTHEST:
        raise RhythmUnfit("starts_on", "is more than a year away. Give an earlier day.")
    check_span(span, rhythm)
    first = next_run(rhythm, zone=zone, span=span, after=now)
    if first is None:
        raise RhythmUnfit("ends_on", "its last time is past. Give a later day.")
    return {
        "workspace_id": workspace_id,
        "name": new.name,
        "draft": write_draft(replace(new.draft, name=new.name)),
        "rhythm": write_rhythm(rhythm),
        "starts_on": span.starts_on,
        "ends_on": span.ends_on,
        "max_runs": new.max_runs,
        "refresh_audience": new.refresh_audience,
        "next_run_at": first,
    }


def _check_name(new: NewRecurrence) -> None:
    name = new.name
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidValue("name", f"use 1-{_LONGEST_NAME} printable characters on one line.")
    if new.max_runs is not None and not 1 <= new.max_runs <= _MOST_RUNS:
        raise InvalidValue("max_runs", f"give 1 to {_MOST_RUNS:,}, or nothing for no end.")
    if new.draft.content:
        problem = "leave it out: each run sends a template that is approved. Write it as one first."
        raise InvalidValue("content", problem)
    if new.draft.timing.at is not None:
        problem = "a recurring campaign has no time of its own; its times are those of the rule."
        raise InvalidValue("schedule.at", problem)


async def _try(
    connection: Connection,
    workspace_id: WorkspaceId,
    new: NewRecurrence,
    links_url: str,
    now: datetime,
    viewer: Viewer,
) -> None:
    """Create the campaign as a run would, and take it back: whatever is wrong is said now."""
    name = f"{new.name} {now:%Y-%m-%d %H:%M:%S}"
    async with connection.transaction(force_rollback=True):
        await create_campaign(
            connection,
            workspace_id=workspace_id,
            actor=new.name,
            draft=replace(new.draft, name=name),
            links_url=links_url,
            now=now,
            viewer=viewer,
        )
        check_approved(await store.brief(connection, workspace_id, name=name))


async def recurrences(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = 100,
) -> list[ShownRecurrence]:
    """Return the recurrences of the workspace, newest first."""
    found = await recurrence_store.recurrences(connection, workspace_id, before=before, limit=limit)
    return [_shown(one, now) for one in found]


async def recurrence(
    connection: Connection, workspace_id: WorkspaceId, name: str, *, now: datetime
) -> ShownRecurrence:
    """Return one recurrence with its next five times.

    Raises:
        NotFound: there is none of that name.
    """
    return _shown(await recurrence_store.recurrence(connection, workspace_id, name), now)


async def runs(
    connection: Connection,
    workspace_id: WorkspaceId,
    name: str,
    *,
    before: datetime | None = None,
    limit: int = 100,
) -> list[Run]:
    """Return what became of the last times of a recurrence, newest first.

    Raises:
        NotFound: there is none of that name.
    """
    found = await recurrence_store.recurrence(connection, workspace_id, name)
    return await recurrence_store.runs(connection, found, before=before, limit=limit)


async def pause_recurrence(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str, now: datetime
) -> ShownRecurrence:
    """Let no further run begin; a run that waits is skipped. Paused: no change.

    Raises:
        NotFound, RecurrenceEnded.
    """
    found = await _held(connection, workspace_id, name)
    if found.state == "active":
        await recurrence_store.set_state(connection, found, "paused", None)
        await _audit(connection, workspace_id, actor, "pause", name)
    return await recurrence(connection, workspace_id, name, now=now)


async def resume_recurrence(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str, now: datetime
) -> ShownRecurrence:
    """Go on with the next time from now; those in between are left out. Active: no change.

    Raises:
        NotFound, RecurrenceEnded: there is no further time.
    """
    found = await _held(connection, workspace_id, name)
    if found.state == "paused":
        following = following_run(found, after=now)
        if following is None:
            raise RecurrenceEnded(name)
        await recurrence_store.set_state(connection, found, "active", following)
        await _audit(connection, workspace_id, actor, "resume", name)
    return await recurrence(connection, workspace_id, name, now=now)


async def delete_recurrence(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Delete a recurrence; the campaigns that it has made stay.

    Raises:
        NotFound: there is none of that name.
    """
    found = await recurrence_store.recurrence(connection, workspace_id, name)
    await recurrence_store.delete(connection, found)
    await _audit(connection, workspace_id, actor, "delete", name)


def following_run(recurrence: Recurrence, *, after: datetime) -> datetime | None:
    """Return the next time of a recurrence; None when it has no more."""
    if recurrence.max_runs is not None and recurrence.runs >= recurrence.max_runs:
        return None
    return next_run(recurrence.rule, zone=recurrence.zone, span=recurrence.span, after=after)


def write_draft(draft: CampaignDraft) -> dict[str, Any]:
    """Return a draft as it is kept."""
    kept: dict[str, Any] = _drafts.dump_python(draft, mode="json")
    return kept


def read_draft(kept: Mapping[str, Any]) -> CampaignDraft:
    """Read what `write_draft` gave; what was not yet part of drafts then is as by default."""
    return _drafts.validate_python(kept)


def _shown(kept: Recurrence, now: datetime) -> ShownRecurrence:
    coming: list[datetime] = []
    if kept.state == "active":
        left = SHOWN_RUNS if kept.max_runs is None else min(SHOWN_RUNS, kept.max_runs - kept.runs)
        coming = next_runs(kept.rule, zone=kept.zone, span=kept.span, after=now, count=left)
    sentence = f"{describe(kept.rule)} ({kept.time_zone})"
    local = [moment.astimezone(kept.zone) for moment in coming]
    return ShownRecurrence(kept, read_draft(kept.draft), sentence, local)


async def _held(connection: Connection, workspace_id: WorkspaceId, name: str) -> Recurrence:
    found = await recurrence_store.recurrence(connection, workspace_id, name)
    held = await recurrence_store.held(connection, workspace_id, found.id)
    if held is None or held.state == "ended":
        raise RecurrenceEnded(name)
    return held


async def _audit(
    connection: Connection, workspace_id: WorkspaceId, actor: str, action: str, name: str
) -> None:
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=f"recurrence.{action}",
        object_name=name,
    )
