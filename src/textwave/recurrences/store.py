"""Rows of recurrences and of what became of each of their times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.recurrences.recurrence import Rhythm, Span, read_rhythm
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.recurrences")


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A campaign that is made anew at each of its times.

    `runs` counts its times so far, skipped ones too.
    """

    id: int
    workspace_id: WorkspaceId
    name: str
    draft: dict[str, Any]
    rhythm: dict[str, Any]
    starts_on: date
    ends_on: date | None
    max_runs: int | None
    refresh_audience: bool
    state: str
    next_run_at: datetime | None
    created_by: str
    created_at: datetime
    time_zone: str
    runs: int

    @property
    def rule(self) -> Rhythm:
        """When it recurs."""
        return read_rhythm(self.rhythm)

    @property
    def span(self) -> Span:
        """On which days."""
        return Span(self.starts_on, self.ends_on)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class RunKey:
    """One time of a recurrence; it is the key of its run."""

    workspace_id: WorkspaceId
    recurrence_id: int
    due_at: datetime

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Return the key as parameters of a statement."""
        return {
            "workspace_id": self.workspace_id,
            "id": self.recurrence_id,
            "due_at": self.due_at,
            **more,
        }


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that has not come to its end."""

    recurrence_id: int
    due_at: datetime
    begins_at: datetime
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class WaitingRun:
    """A run that should be under way."""

    recurrence_id: int
    workspace_id: WorkspaceId
    due_at: datetime
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one time."""

    due_at: datetime
    begins_at: datetime
    state: str
    reason: str
    campaign: str | None
    campaign_state: str | None


@dataclass(frozen=True, slots=True)
class DueRecurrence:
    """A recurrence whose time has come."""

    id: int
    workspace_id: WorkspaceId


async def add(connection: Connection, parameters: Mapping[str, Any]) -> int | None:
    """Add a recurrence; None when the name is taken."""
    draft, rhythm = Jsonb(parameters["draft"]), Jsonb(parameters["rhythm"])
    values = {**parameters, "draft": draft, "rhythm": rhythm}
    added: int | None = await value(connection, _SQL["add"], values)
    return added


async def edit(connection: Connection, recurrence_id: int, parameters: Mapping[str, Any]) -> None:
    """Write what a recurrence says over what it said."""
    draft, rhythm = Jsonb(parameters["draft"]), Jsonb(parameters["rhythm"])
    values = {**parameters, "draft": draft, "rhythm": rhythm, "id": recurrence_id}
    await execute(connection, _SQL["edit"], values)


async def recurrences(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str | None = None,
    recurrence_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Recurrence]:
    """Return recurrences, newest first; `before` is the id that the last page ended with."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "id": recurrence_id,
        "before": before,
        "limit": limit,
    }
    return await many(connection, Recurrence, _SQL["recurrences"], parameters)


async def recurrence(connection: Connection, workspace_id: WorkspaceId, name: str) -> Recurrence:
    """Return one recurrence.

    Raises:
        NotFound: there is none of that name.
    """
    found = await recurrences(connection, workspace_id, name=name)
    if not found:
        raise NotFound("recurrence", name)
    return found[0]


async def held(
    connection: Connection, workspace_id: WorkspaceId, recurrence_id: int
) -> Recurrence | None:
    """Return a recurrence that nobody else changes until the transaction ends; None: it is gone."""
    key = {"workspace_id": workspace_id, "id": recurrence_id}
    if await value(connection, _SQL["hold"], key) is None:
        return None
    [found] = await recurrences(connection, workspace_id, recurrence_id=recurrence_id)
    return found


async def set_state(
    connection: Connection, recurrence: Recurrence, state: str, next_run_at: datetime | None
) -> None:
    """Say where a recurrence stands."""
    parameters = {
        "workspace_id": recurrence.workspace_id,
        "id": recurrence.id,
        "state": state,
        "next_run_at": next_run_at,
    }
    await execute(connection, _SQL["set_state"], parameters)


async def delete(connection: Connection, recurrence: Recurrence) -> None:
    """Delete a recurrence and the notes of its runs; its campaigns stay."""
    key = {"workspace_id": recurrence.workspace_id, "id": recurrence.id}
    await execute(connection, _SQL["delete"], key)


async def due(connection: Connection, now: datetime, *, limit: int) -> list[DueRecurrence]:
    """Return recurrences whose time has come, at most so many."""
    return await many(connection, DueRecurrence, _SQL["due"], {"now": now, "limit": limit})


async def add_run(connection: Connection, key: RunKey) -> bool:
    """Add a run; False when it is there already."""
    return await execute(connection, _SQL["add_run"], key.parameters()) == 1


async def open_run(connection: Connection, key: RunKey) -> OpenRun | None:
    """Return a run, held until the transaction ends; None when it has come to its end."""
    return await one(connection, OpenRun, _SQL["open_run"], key.parameters())


async def change_run(
    connection: Connection,
    key: RunKey,
    state: str,
    *,
    reason: str = "",
    begins_at: datetime | None = None,
    campaign_id: CampaignId | None = None,
) -> None:
    """Say what became of a run, unless it has come to its end."""
    more = {"state": state, "reason": reason, "begins_at": begins_at, "campaign_id": campaign_id}
    await execute(connection, _SQL["change_run"], key.parameters(**more))


async def link_campaign(connection: Connection, key: RunKey, campaign_id: CampaignId) -> None:
    """Say of which recurrence a campaign is."""
    await execute(connection, _SQL["link_campaign"], key.parameters(campaign_id=campaign_id))


async def waiting_runs(
    connection: Connection, before: datetime, *, limit: int
) -> Sequence[WaitingRun]:
    """Return open runs that were to begin before a time, at most so many."""
    parameters = {"before": before, "limit": limit}
    return await many(connection, WaitingRun, _SQL["waiting_runs"], parameters)


async def runs(
    connection: Connection,
    recurrence: Recurrence,
    *,
    before: datetime | None = None,
    limit: int = 100,
) -> list[Run]:
    """Return what became of the last runs, newest first."""
    parameters = {
        "workspace_id": recurrence.workspace_id,
        "id": recurrence.id,
        "before": before,
        "limit": limit,
    }
    return await many(connection, Run, _SQL["runs"], parameters)
