"""Rows of models and of their runs in the ledger.

A run exists when the ledger says so, which it does after its rows are in the lake; rows of the lake
that no run names are never read and removed with the next refresh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NewType

from psycopg.types.json import Jsonb

from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

ModelId = NewType("ModelId", int)
RunId = NewType("RunId", int)
RFM, AIPL = "rfm", "aipl"
LONGEST_PAGE: Final = 200
_MOST_DUE: Final = 100
_MOST_USERS: Final = 20
_SQL = load_statements(__package__ or "textwave.models")


@dataclass(frozen=True, slots=True)
class Model:
    """A named model with its newest run; `run_id` and what follows are None before the first."""

    id: ModelId
    workspace_id: WorkspaceId
    name: str
    kind: str
    definition: dict[str, Any]
    refresh: str
    next_refresh_at: datetime | None
    refresh_failed_at: datetime | None
    refresh_problem: dict[str, Any] | None
    created_by: str
    created_at: datetime
    run_id: RunId | None
    day: date | None
    lake_version: int | None
    result: dict[str, Any] | None
    milliseconds: int | None
    computed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """The newest computation of a model for a day."""

    id: RunId
    day: date
    result: dict[str, Any]
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class NewModel:
    """A model to be added; `refresh` is checked and `next_refresh_at` follows from it."""

    name: str
    kind: str
    definition: Mapping[str, Any]
    refresh: str
    next_refresh_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose rows are all in the lake."""

    id: RunId
    model_id: ModelId
    day: date
    lake_version: int
    result: Mapping[str, Any]
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A model that is refreshed after imports."""

    id: ModelId
    name: str
    kind: str
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Due:
    """A model whose time to be refreshed has come."""

    id: ModelId
    workspace_id: WorkspaceId
    name: str
    refresh: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class User:
    """What names a model: an audience or another model."""

    kind: str
    name: str


async def add_model(connection: Connection, workspace_id: WorkspaceId, new: NewModel) -> bool:
    """Add a model; False when the name is taken."""
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "name": new.name,
        "kind": new.kind,
        "definition": Jsonb(dict(new.definition)),
        "refresh": new.refresh,
        "next_refresh_at": new.next_refresh_at,
        "created_by": new.created_by,
    }
    return await value(connection, _SQL["add_model"], parameters) is not None


async def models(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    kind: str | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[Model]:
    """Return a page of at most 200 models in the order in which they were made."""
    parameters = {
        "workspace_id": workspace_id,
        "kind": kind,
        "name": None,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, Model, _SQL["models"], parameters)


async def model(
    connection: Connection, workspace_id: WorkspaceId, name: str, kind: str | None = None
) -> Model:
    """Read a model by its name, of any kind or of this one.

    Raises:
        NotFound: the workspace has none.
    """
    parameters = {"workspace_id": workspace_id, "kind": kind, "name": name, "after": 0, "limit": 1}
    found = await one(connection, Model, _SQL["models"], parameters)
    if found is None:
        raise NotFound("model" if kind is None else f"{kind.upper()} model", name)
    return found


async def runs(
    connection: Connection,
    workspace_id: WorkspaceId,
    model_id: ModelId,
    *,
    until: date = date.max,
    limit: int,
) -> list[Run]:
    """Return the newest run of each of the last days until a day, the newest day first."""
    parameters = {
        "workspace_id": workspace_id,
        "model_id": model_id,
        "until": until,
        "limit": limit,
    }
    return await many(connection, Run, _SQL["runs"], parameters)


async def begin_run(
    connection: Connection, workspace_id: WorkspaceId, model_id: ModelId
) -> RunId | None:
    """Take an id that no other run has or will have; None when the model is gone."""
    parameters = {"workspace_id": workspace_id, "model_id": model_id}
    number: int | None = await value(connection, _SQL["begin_run"], parameters)
    return None if number is None else RunId(number)


async def add_run(connection: Connection, workspace_id: WorkspaceId, run: Finished) -> bool:
    """Make a run visible; False when another refresh of the model began meanwhile."""
    parameters: dict[str, Any] = {
        "id": run.id,
        "workspace_id": workspace_id,
        "model_id": run.model_id,
        "day": run.day,
        "lake_version": run.lake_version,
        "result": Jsonb(dict(run.result)),
        "milliseconds": run.milliseconds,
    }
    return await value(connection, _SQL["add_run"], parameters) is not None


async def note_failure(
    connection: Connection,
    workspace_id: WorkspaceId,
    model_id: ModelId,
    problem: Mapping[str, Any],
) -> None:
    """Say on the model why it could not be refreshed."""
    parameters = {
        "workspace_id": workspace_id,
        "model_id": model_id,
        "problem": Jsonb(dict(problem)),
    }
    await execute(connection, _SQL["note_failure"], parameters)


async def kept_runs(connection: Connection, workspace_id: WorkspaceId, kind: str) -> list[RunId]:
    """Return the runs of all models of a kind whose rows stay in the lake."""
    parameters = {"workspace_id": workspace_id, "kind": kind}
    rows = await connection.execute(_SQL["kept_runs"], parameters)
    return [RunId(row[0]) for row in await rows.fetchall()]


async def forget_labels(
    connection: Connection, workspace_id: WorkspaceId, model_id: ModelId, *, days: int
) -> None:
    """Forget the days of an AIPL model that lie so many days or more before its newest."""
    parameters = {"workspace_id": workspace_id, "model_id": model_id, "days": days}
    await execute(connection, _SQL["forget_labels"], parameters)


async def users(connection: Connection, workspace_id: WorkspaceId, name: str) -> list[User]:
    """Return at most 20 audiences and models whose rules name the model."""
    parameters = {"workspace_id": workspace_id, "name": name, "limit": _MOST_USERS}
    return await many(connection, User, _SQL["users"], parameters)


async def delete_model(
    connection: Connection, workspace_id: WorkspaceId, model_id: ModelId
) -> None:
    """Delete a model and its runs."""
    parameters = {"workspace_id": workspace_id, "model_id": model_id}
    await execute(connection, _SQL["delete_model"], parameters)


async def waiting_for_imports(connection: Connection, workspace_id: WorkspaceId) -> list[Waiting]:
    """Return the models that are refreshed after imports, in the order to refresh them."""
    parameters = {"workspace_id": workspace_id}
    return await many(connection, Waiting, _SQL["waiting_for_imports"], parameters)


async def take_due(connection: Connection, now: datetime) -> list[Due]:
    """Take at most 100 models of all workspaces whose time has come."""
    return await many(connection, Due, _SQL["take_due"], {"now": now, "limit": _MOST_DUE})


async def set_next_refreshes(connection: Connection, times: Mapping[ModelId, datetime]) -> None:
    """Write when each model is due again."""
    moments: Sequence[datetime] = list(times.values())
    parameters = {"ids": list(times), "times": moments}
    await execute(connection, _SQL["set_next_refreshes"], parameters)
