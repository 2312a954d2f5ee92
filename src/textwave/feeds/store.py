"""Rows of sources and feeds in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.feeds.address import SourceKind
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.feeds")


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it may be shown."""

    id: int
    name: str
    kind: str
    shown_address: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedSource:
    """A source as a worker opens it."""

    id: int
    name: str
    kind: str
    sealed_address: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Feed:
    """How a table is brought up to date; `options` are those of an import."""

    id: int
    workspace_id: WorkspaceId
    name: str
    source: str
    table_name: str
    query: str
    options: dict[str, Any]
    schedule: str
    next_run_at: datetime | None
    last_operation_id: OperationId | None
    last_run_at: datetime | None
    failed_at: datetime | None
    problem: dict[str, Any] | None
    created_by: str
    created_at: datetime


async def add_source(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    kind: SourceKind,
    sealed_address: bytes,
    shown_address: str,
    created_by: str,
) -> bool:
    """Add a source; False when the name is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "kind": kind,
        "sealed_address": sealed_address,
        "shown_address": shown_address,
        "created_by": created_by,
    }
    return await value(connection, _SQL["add_source"], parameters) is not None


async def sources(connection: Connection, workspace_id: WorkspaceId) -> list[Source]:
    """Return all sources of the workspace, by name."""
    return await many(connection, Source, _SQL["sources"], {"workspace_id": workspace_id})


async def sealed_source(
    connection: Connection, workspace_id: WorkspaceId, name: str
) -> SealedSource:
    """Read a source with its sealed address.

    Raises:
        NotFound: there is none of that name.
    """
    key = {"workspace_id": workspace_id, "name": name}
    found = await one(connection, SealedSource, _SQL["sealed_source"], key)
    if found is None:
        raise NotFound("source", name)
    return found


async def feeds_of_source(
    connection: Connection, workspace_id: WorkspaceId, name: str
) -> list[str]:
    """Return the names of the first ten feeds that need a source."""
    key = {"workspace_id": workspace_id, "name": name}
    rows = await many(connection, _Name, _SQL["feeds_of_source"], key)
    return [row.name for row in rows]


async def delete_source(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """Delete a source; False when there is none."""
    key = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["delete_source"], key) is not None


async def add_feed(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    source_id: int,
    table: str,
    query: str,
    options: Mapping[str, Any],
    schedule: str,
    next_run_at: datetime | None,
    created_by: str,
) -> bool:
    """Add a feed; False when the name is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "source_id": source_id,
        "table_name": table,
        "query": query,
        "options": Jsonb(dict(options)),
        "schedule": schedule,
        "next_run_at": next_run_at,
        "created_by": created_by,
    }
    return await value(connection, _SQL["add_feed"], parameters) is not None


async def feeds(connection: Connection, workspace_id: WorkspaceId) -> list[Feed]:
    """Return all feeds of the workspace, by name."""
    return await many(connection, Feed, _SQL["feeds"], {"workspace_id": workspace_id})


async def feed(connection: Connection, workspace_id: WorkspaceId, name: str) -> Feed:
    """Read a feed, and hold it until the transaction ends.

    Raises:
        NotFound: there is none of that name.
    """
    key = {"workspace_id": workspace_id, "name": name}
    found = await one(connection, Feed, _SQL["feed"], key)
    if found is None:
        raise NotFound("feed", name)
    return found


async def schedule_feed(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    schedule: str,
    next_run_at: datetime | None,
) -> None:
    """Give a feed another schedule."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "schedule": schedule,
        "next_run_at": next_run_at,
    }
    await execute(connection, _SQL["schedule_feed"], parameters)


async def delete_feed(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """Delete a feed; False when there is none."""
    key = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["delete_feed"], key) is not None


async def due_feeds(connection: Connection, *, now: datetime, limit: int) -> list[Feed]:
    """Return feeds whose time has come; needs the owner role."""
    return await many(connection, Feed, _SQL["due_feeds"], {"now": now, "limit": limit})


async def begun(
    connection: Connection,
    known: Feed,
    *,
    operation_id: OperationId,
    now: datetime,
    next_run_at: datetime | None,
) -> None:
    """Say that a run of the feed has begun."""
    parameters = {
        "id": known.id,
        "workspace_id": known.workspace_id,
        "operation_id": operation_id,
        "now": now,
        "next_run_at": next_run_at,
    }
    await execute(connection, _SQL["begun"], parameters)


async def ended(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    problem: Mapping[str, Any] | None,
) -> None:
    """Say on the feed, if one began the operation, how it ended."""
    parameters = {
        "workspace_id": workspace_id,
        "operation_id": operation_id,
        "problem": None if problem is None else Jsonb(dict(problem)),
    }
    await execute(connection, _SQL["ended"], parameters)


@dataclass(frozen=True, slots=True)
class _Name:
    name: str
