"""Rows of the allowlist: audiences to whom no limit but opt-outs and the deny list applies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textwave.kit.ids import AudienceId, SnapshotId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.arrays import bigints
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.limits", "allowlist_store.sql")
MOST_NUMBERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class AllowlistEntry:
    """An audience on the allowlist; its numbers are those of the snapshot, once it is there."""

    audience_id: AudienceId
    audience: str
    numbers: int
    problem: str
    added_by: str
    added_at: datetime
    snapshot_id: SnapshotId | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An audience with its newest snapshot, if it has been computed."""

    id: AudienceId
    name: str
    table_name: str
    snapshot_id: SnapshotId | None
    size: int | None


@dataclass(frozen=True, slots=True)
class StaleEntry:
    """An audience on an allowlist whose numbers are older than its newest snapshot."""

    workspace_id: WorkspaceId
    audience_id: AudienceId


async def on_list(
    connection: Connection, workspace_id: WorkspaceId, mobiles: Sequence[int]
) -> set[int]:
    """Return those of the numbers that no limit applies to."""
    key = {"workspace_id": workspace_id, "mobiles": bigints(mobiles)}
    cursor = await connection.execute(_SQL["on_list"], key)
    return {row[0] for row in await cursor.fetchall()}


async def entries(
    connection: Connection, workspace_id: WorkspaceId, viewer: str | None
) -> list[AllowlistEntry]:
    """Return the audiences on the allowlist that the viewer sees; None sees all."""
    key = {"workspace_id": workspace_id, "viewer": viewer}
    return await many(connection, AllowlistEntry, _SQL["entries"], key)


async def candidate(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str | None = None,
    audience_id: AudienceId | None = None,
    viewer: str | None = None,
) -> Candidate:
    """Read an audience by its name or id.

    Raises:
        NotFound: there is none, or the viewer does not see it.
    """
    key = {"workspace_id": workspace_id, "name": name, "audience_id": audience_id}
    found = await one(connection, Candidate, _SQL["candidate"], {**key, "viewer": viewer})
    if found is None:
        raise NotFound("audience", name or str(audience_id))
    return found


async def add(
    connection: Connection, workspace_id: WorkspaceId, audience_id: AudienceId, actor: str
) -> bool:
    """Put an audience on the allowlist; False when it is there."""
    key = {"workspace_id": workspace_id, "audience_id": audience_id, "actor": actor}
    return await value(connection, _SQL["add"], key) is not None


async def delete(
    connection: Connection, workspace_id: WorkspaceId, audience_id: AudienceId
) -> bool:
    """Take an audience off the allowlist, with its numbers; False when it is not there."""
    key = {"workspace_id": workspace_id, "audience_id": audience_id}
    return await value(connection, _SQL["delete"], key) is not None


async def stale(connection: Connection) -> list[StaleEntry]:
    """Return the entries whose numbers have to be taken anew, in any workspace."""
    return await many(connection, StaleEntry, _SQL["stale"])


async def replace_numbers(
    connection: Connection,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
    *,
    snapshot_id: SnapshotId,
    mobiles: Sequence[int],
    problem: str,
) -> None:
    """Let these be the numbers of an audience on the allowlist; the problem says why none are."""
    key = {"workspace_id": workspace_id, "audience_id": audience_id}
    await execute(connection, _SQL["clear_numbers"], key)
    await execute(connection, _SQL["add_numbers"], {**key, "mobiles": bigints(mobiles)})
    noted = {"snapshot_id": snapshot_id, "numbers": len(mobiles), "problem": problem}
    await execute(connection, _SQL["note_filled"], {**key, **noted})
