"""What becomes of audiences in the ledger: edits, names, folders, the archive, their history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.audiences.rule import Rule, write_rule
from textwave.audiences.store import LONGEST_PAGE, Audience, Particulars, Snapshot
from textwave.audiences.uses import Uses, renamed
from textwave.audiences.visibility import Viewer
from textwave.kit.ids import AudienceId, SnapshotId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

_SQL = load_statements("textwave.audiences", "life_store.sql")
_MOST_USERS = 20
_MOST_DUE = 1_000
_MOST_FORGOTTEN = 10_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What an audience is computed from, and by what it is refreshed."""

    id: AudienceId
    uses: Uses
    refresh: str
    archived: bool


@dataclass(frozen=True, slots=True)
class User:
    """Something that cannot do without an audience."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and how many audiences are directly in it; '' has those that are in none."""

    name: str
    audiences: int


@dataclass(frozen=True, slots=True)
class PastSnapshot(Snapshot):
    """A snapshot of the past; its members may have left the warehouse."""

    members_removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """An audience whose time has come."""

    id: AudienceId
    workspace_id: WorkspaceId
    refresh: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class _UsesRow:
    id: int
    name: str
    table_name: str
    refresh: str
    archived: bool
    audiences: list[str]
    models: list[str]
    tables: list[str]


@dataclass(frozen=True, slots=True)
class _RuleRow:
    id: int
    name: str
    rule: dict[str, Any]


async def hold(connection: Connection, workspace_id: WorkspaceId) -> None:
    """Keep others from changing audiences of the workspace until the transaction ends."""
    await execute(connection, _SQL["hold"], {"workspace_id": workspace_id})


async def uses(connection: Connection, workspace_id: WorkspaceId) -> dict[str, Kept]:
    """Return what each audience of the workspace is computed from, by its name."""
    rows = await many(connection, _UsesRow, _SQL["uses"], {"workspace_id": workspace_id})
    return {
        row.name: Kept(
            AudienceId(row.id),
            Uses(
                row.name,
                row.table_name,
                frozenset(row.tables),
                frozenset(row.audiences),
                frozenset(row.models),
            ),
            row.refresh,
            row.archived,
        )
        for row in rows
    }


async def users(connection: Connection, audience: Audience) -> list[User]:
    """Return the first 20 things that cannot do without the audience."""
    parameters = {**_key(audience), "name": audience.name, "limit": _MOST_USERS}
    return await many(connection, User, _SQL["users"], parameters)


async def edit(
    connection: Connection,
    audience: Audience,
    *,
    rule: Rule,
    particulars: Particulars,
    next_refresh_at: datetime | None,
) -> bool:
    """Change the audience as it was read; False when somebody has changed it since."""
    parameters = {
        **_key(audience),
        "version": audience.version,
        "rule": Jsonb(write_rule(rule)),
        "description": particulars.description,
        "folder": particulars.folder,
        "is_public": particulars.is_public,
        "refresh": particulars.refresh,
        "next_refresh_at": next_refresh_at,
    }
    return await value(connection, _SQL["edit"], parameters) is not None


async def rename(connection: Connection, audience: Audience, new_name: str) -> list[str] | None:
    """Rename the audience in its row and in every rule that names it.

    Returns the names of the audiences whose rules were rewritten; None when the name is taken.
    """
    parameters = {**_key(audience), "name": audience.name, "new_name": new_name}
    if await value(connection, _SQL["rename"], parameters) is None:
        return None
    naming = await many(connection, _RuleRow, _SQL["rules_naming"], parameters)
    rules = [Jsonb(renamed(row.rule, audience.name, new_name)) for row in naming]
    rewritten = {**parameters, "ids": [row.id for row in naming], "rules": rules}
    await execute(connection, _SQL["rewrite_rules"], rewritten)
    return [row.name for row in naming]


async def archive(connection: Connection, audience: Audience) -> bool:
    """Put the audience away; False when it was already."""
    return await execute(connection, _SQL["archive"], _key(audience)) == 1


async def unarchive(
    connection: Connection, audience: Audience, *, next_refresh_at: datetime | None
) -> bool:
    """Take the audience out of the archive; False when it was not in it."""
    parameters = {**_key(audience), "next_refresh_at": next_refresh_at}
    return await execute(connection, _SQL["unarchive"], parameters) == 1


async def folders(
    connection: Connection, workspace_id: WorkspaceId, viewer: Viewer
) -> list[Folder]:
    """Return the folders of the audiences that the viewer sees."""
    parameters = {"workspace_id": workspace_id, "viewer": viewer.bound_name}
    return await many(connection, Folder, _SQL["folders"], parameters)


async def snapshots(
    connection: Connection,
    audience: Audience,
    *,
    before: SnapshotId | None = None,
    limit: int = LONGEST_PAGE,
) -> list[PastSnapshot]:
    """Return a page of at most 200 snapshots of an audience, newest first."""
    parameters = {**_key(audience), "before": before, "limit": min(limit, LONGEST_PAGE)}
    return await many(connection, PastSnapshot, _SQL["snapshots"], parameters)


async def take_due(connection: Connection, now: datetime) -> list[Due]:
    """Take up to 1,000 audiences whose time has come; others do not see them until the commit."""
    return await many(connection, Due, _SQL["due"], {"now": now, "limit": _MOST_DUE})


async def set_next_refreshes(connection: Connection, times: Mapping[AudienceId, datetime]) -> None:
    """Say when the audiences are due next."""
    parameters = {"ids": list(times), "times": list(times.values())}
    await execute(connection, _SQL["set_next_refreshes"], parameters)


async def workspaces_with_members(connection: Connection) -> list[WorkspaceId]:
    """Return the workspaces that have snapshots with members."""
    cursor = await connection.execute(_SQL["workspaces_with_members"])
    return [WorkspaceId(row[0]) for row in await cursor.fetchall()]


async def forgettable(
    connection: Connection, workspace_id: WorkspaceId, *, kept: int
) -> list[SnapshotId]:
    """Return up to 10,000 snapshots, besides the newest `kept` of each audience, without use."""
    parameters = {"workspace_id": workspace_id, "kept": kept, "limit": _MOST_FORGOTTEN}
    cursor = await connection.execute(_SQL["forgettable"], parameters)
    return [SnapshotId(row[0]) for row in await cursor.fetchall()]


async def note_members_removed(
    connection: Connection, workspace_id: WorkspaceId, snapshot_ids: Sequence[SnapshotId]
) -> None:
    """Say that the snapshots have no members in the lake any more."""
    parameters = {"workspace_id": workspace_id, "ids": list(snapshot_ids)}
    await execute(connection, _SQL["members_removed"], parameters)


async def unknown_snapshots(
    connection: Connection,
    workspace_id: WorkspaceId,
    ids: Sequence[int],
    *,
    before: datetime,
) -> list[SnapshotId]:
    """Return those of the ids that no snapshot has and that were taken before a time."""
    parameters = {"workspace_id": workspace_id, "ids": list(ids), "before": before}
    cursor = await connection.execute(_SQL["unknown_snapshots"], parameters)
    return [SnapshotId(row[0]) for row in await cursor.fetchall()]


def _key(audience: Audience) -> dict[str, Any]:
    return {"workspace_id": audience.workspace_id, "audience_id": audience.id}
