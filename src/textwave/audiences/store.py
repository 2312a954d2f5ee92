"""Rows of audiences and snapshots in the ledger, and their members in the lake.

A snapshot exists when the ledger says so; members that no snapshot row names are never read.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

import duckdb
import ibis
import ibis.expr.types as ir
from psycopg.types.json import Jsonb

from textwave.audiences.compile import CUSTOMER
from textwave.audiences.rule import Rule, read_rule, write_rule
from textwave.audiences.surroundings_store import surroundings, tables
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.ids import AudienceId, SnapshotId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements
from textwave.storage.warehouse import Lake

__all__ = ["surroundings", "tables"]

MEMBERS: Final = "audience_member"
LONGEST_PAGE: Final = 200
_SQL = load_statements(__package__ or "textwave.audiences")


@dataclass(frozen=True, slots=True)
class Definition:
    """Whom an audience means: a customer table and a rule over it."""

    table: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The members of an audience as they were once computed on a version of the lake."""

    id: SnapshotId
    size: int
    lake_version: int
    computed_at: datetime
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is said of an audience besides its rule; `refresh` as `check_refresh` returns it."""

    description: str = ""
    folder: str = ""
    is_public: bool = True
    refresh: str = ""


@dataclass(frozen=True, slots=True)
class Refreshing:
    """When an audience is computed next by itself, and what stopped the last attempt."""

    next_at: datetime | None = None
    failed_at: datetime | None = None
    problem: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """A named definition, with its newest snapshot if it has been computed."""

    id: AudienceId
    workspace_id: WorkspaceId
    name: str
    definition: Definition
    created_by: str
    created_at: datetime
    snapshot: Snapshot | None
    changed_at: datetime
    version: int
    particulars: Particulars = field(default_factory=Particulars)
    refreshing: Refreshing = field(default_factory=Refreshing)
    archived_at: datetime | None = None


class Sort(StrEnum):
    """In which order audiences are listed."""

    CREATED_AT = "created_at"
    NAME = "name"
    SIZE = "size"
    COMPUTED_AT = "computed_at"


class Whose(StrEnum):
    """Whose audiences are listed."""

    ALL = "all"
    MINE = "mine"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which audiences are listed: a folder with those in it ('': in none), a text, whose."""

    folder: str | None = None
    search: str | None = None
    archived: bool = False
    whose: Whose = Whose.ALL
    sort: Sort = Sort.CREATED_AT


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


@dataclass(frozen=True, slots=True)
class _AudienceRow:
    id: int
    workspace_id: int
    name: str
    description: str
    folder: str
    table_name: str
    rule: dict[str, Any]
    is_public: bool
    created_by: str
    created_at: datetime
    changed_at: datetime
    version: int
    archived_at: datetime | None
    refresh: str
    next_refresh_at: datetime | None
    refresh_failed_at: datetime | None
    refresh_problem: dict[str, Any] | None
    snapshot_id: int | None
    size: int | None
    lake_version: int | None
    computed_at: datetime | None
    milliseconds: int | None


async def add_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    definition: Definition,
    created_by: str,
    particulars: Particulars | None = None,
    next_refresh_at: datetime | None = None,
) -> bool:
    """Add an audience; False when the name is taken."""
    said = particulars or Particulars()
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "table_name": definition.table,
        "rule": Jsonb(write_rule(definition.rule)),
        "created_by": created_by,
        "description": said.description,
        "folder": said.folder,
        "is_public": said.is_public,
        "refresh": said.refresh,
        "next_refresh_at": next_refresh_at,
    }
    return await value(connection, _SQL["add_audience"], parameters) is not None


async def audiences(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    wanted: Wanted | None = None,
    viewer: Viewer = SEES_ALL,
    after: AudienceId | None = None,
    limit: int = LONGEST_PAGE,
) -> list[Audience]:
    """Return a page of at most 200 audiences after one of them, in the wanted order.

    Names rise; the largest, the newest computed and the first made come first.
    """
    which = wanted or Wanted()
    parameters = {
        "workspace_id": workspace_id,
        "viewer": viewer.bound_name,
        "own_name": viewer.name,
        "folder": which.folder,
        "search": which.search,
        "archived": which.archived,
        "whose": which.whose,
        "sort": which.sort,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    rows = await many(connection, _AudienceRow, _SQL["audiences"], parameters)
    return [_audience(row) for row in rows]


async def audience(
    connection: Connection, workspace_id: WorkspaceId, name: str, viewer: Viewer = SEES_ALL
) -> Audience:
    """Read an audience by its name.

    Raises:
        NotFound: the workspace has none of that name, or none that the viewer sees.
    """
    parameters = {"workspace_id": workspace_id, "name": name, "viewer": viewer.bound_name}
    row = await one(connection, _AudienceRow, _SQL["audience"], parameters)
    if row is None:
        raise NotFound("audience", name)
    return _audience(row)


async def names_seen(
    connection: Connection, workspace_id: WorkspaceId, names: Collection[str], viewer: Viewer
) -> frozenset[str]:
    """Return those of the names by which the viewer sees an audience."""
    parameters = {"workspace_id": workspace_id, "names": list(names), "viewer": viewer.bound_name}
    rows = await many(connection, _Named, _SQL["names_seen"], parameters)
    return frozenset(row.name for row in rows)


async def audience_by_id(
    connection: Connection, workspace_id: WorkspaceId, audience_id: AudienceId
) -> Audience:
    """Read an audience by its id, whatever it is called by now.

    Raises:
        NotFound: the workspace has none of that id.
    """
    parameters = {"workspace_id": workspace_id, "audience_id": audience_id}
    row = await one(connection, _AudienceRow, _SQL["audience_by_id"], parameters)
    if row is None:
        raise NotFound("audience", str(audience_id))
    return _audience(row)


async def ledger_now(connection: Connection) -> datetime:
    """Return the ledger's time, which all processes share."""
    now: datetime = await value(connection, _SQL["ledger_now"])
    return now


async def next_snapshot_id(connection: Connection) -> SnapshotId:
    """Take an id that no other snapshot has or will have."""
    return SnapshotId(await value(connection, _SQL["next_snapshot_id"]))


async def add_snapshot(
    connection: Connection,
    *,
    snapshot_id: SnapshotId,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
    size: int,
    lake_version: int,
    milliseconds: int,
) -> Snapshot:
    """Make a snapshot visible whose members are all in the lake."""
    parameters = {
        "id": snapshot_id,
        "workspace_id": workspace_id,
        "audience_id": audience_id,
        "size": size,
        "lake_version": lake_version,
        "milliseconds": milliseconds,
    }
    await execute(connection, _SQL["refresh_succeeded"], parameters)
    return cast("Snapshot", await one(connection, Snapshot, _SQL["add_snapshot"], parameters))


async def note_failed_refresh(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
    problem: dict[str, Any],
) -> None:
    """Say on the audience what stopped its refresh, until one succeeds."""
    parameters = {
        "workspace_id": workspace_id,
        "audience_id": audience_id,
        "problem": Jsonb(problem),
    }
    await execute(connection, _SQL["refresh_failed"], parameters)


def write_members(lake: Lake, snapshot_id: SnapshotId, customers: ir.Table) -> tuple[int, int]:
    """Write the selected customers as members; return their number and the lake's version read."""
    _ensure_members(lake)
    members = customers.select(
        snapshot_id=ibis.literal(snapshot_id, "int64"), customer=customers[CUSTOMER]
    )
    with lake.transaction():
        version = lake.version()
        return lake.append(MEMBERS, members), version


def member_ids(lake: Lake, snapshot_id: SnapshotId) -> ir.Table:
    """Return the members of a snapshot: one column `customer`, each once."""
    members = lake.table(MEMBERS)
    return members.filter(members["snapshot_id"] == snapshot_id).select(CUSTOMER)


def remove_members(lake: Lake, snapshot_ids: Sequence[SnapshotId]) -> None:
    """Take the members of snapshots out of the lake; those that have none are no matter."""
    if snapshot_ids and lake.has_table(MEMBERS):
        ids = ", ".join(str(int(one)) for one in snapshot_ids)  # written out: files are skipped
        lake.duckdb.execute(f"DELETE FROM {lake.qualified(MEMBERS)} WHERE snapshot_id IN ({ids})")  # noqa: S608 - numbers


def _ensure_members(lake: Lake) -> None:
    statement = (
        f"CREATE TABLE IF NOT EXISTS {lake.qualified(MEMBERS)} "
        "(snapshot_id BIGINT NOT NULL, customer VARCHAR NOT NULL)"
    )
    try:
        if not lake.has_table(MEMBERS):
            lake.duckdb.execute(statement)
    except duckdb.Error:
        if not lake.has_table(MEMBERS):  # else another worker made it in the same moment
            raise


def _audience(row: _AudienceRow) -> Audience:
    return Audience(
        id=AudienceId(row.id),
        workspace_id=WorkspaceId(row.workspace_id),
        name=row.name,
        definition=Definition(row.table_name, read_rule(row.rule)),
        created_by=row.created_by,
        created_at=row.created_at,
        snapshot=_snapshot(row),
        changed_at=row.changed_at,
        version=row.version,
        particulars=Particulars(row.description, row.folder, row.is_public, row.refresh),
        refreshing=Refreshing(row.next_refresh_at, row.refresh_failed_at, row.refresh_problem),
        archived_at=row.archived_at,
    )


def _snapshot(row: _AudienceRow) -> Snapshot | None:
    if row.snapshot_id is None:
        return None
    return Snapshot(
        id=SnapshotId(row.snapshot_id),
        size=cast("int", row.size),
        lake_version=cast("int", row.lake_version),
        computed_at=cast("datetime", row.computed_at),
        milliseconds=cast("int", row.milliseconds),
    )
