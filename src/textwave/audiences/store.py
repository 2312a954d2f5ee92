"""Rows of audiences and snapshots in the ledger, and their members in the lake.

A snapshot exists when the ledger says so; members that no snapshot row names are never read.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import duckdb
import ibis
import ibis.expr.types as ir
from psycopg.types.json import Jsonb

from textwave.audiences.compile import CUSTOMER
from textwave.audiences.rule import Rule, read_rule, write_rule
from textwave.audiences.tables import CustomerTable, read_columns
from textwave.customers.columns import TableKind
from textwave.kit.ids import AudienceId, SnapshotId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, many, one, value
from textwave.storage.statements import load_statements
from textwave.storage.warehouse import Lake

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
class Audience:
    """A named definition, with its newest snapshot if it has been computed."""

    id: AudienceId
    workspace_id: WorkspaceId
    name: str
    definition: Definition
    created_by: str
    created_at: datetime
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class _TableRow:
    name: str
    kind: str
    columns: list[dict[str, Any]]
    customer_column: str
    mobile_column: str | None
    time_column: str | None
    amount_column: str | None


@dataclass(frozen=True, slots=True)
class _AudienceRow:
    id: int
    workspace_id: int
    name: str
    table_name: str
    rule: dict[str, Any]
    created_by: str
    created_at: datetime
    snapshot_id: int | None
    size: int | None
    lake_version: int | None
    computed_at: datetime | None
    milliseconds: int | None


async def tables(connection: Connection, workspace_id: WorkspaceId) -> dict[str, CustomerTable]:
    """Return the tables of the workspace by name, as the ledger describes them."""
    rows = await many(connection, _TableRow, _SQL["tables"], {"workspace_id": workspace_id})
    return {
        row.name: CustomerTable(
            name=row.name,
            kind=TableKind(row.kind),
            columns=read_columns(row.columns),
            customer_column=row.customer_column,
            mobile_column=row.mobile_column,
            time_column=row.time_column,
            amount_column=row.amount_column,
        )
        for row in rows
    }


async def add_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    definition: Definition,
    created_by: str,
) -> bool:
    """Add an audience; False when the name is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "table_name": definition.table,
        "rule": Jsonb(write_rule(definition.rule)),
        "created_by": created_by,
    }
    return await value(connection, _SQL["add_audience"], parameters) is not None


async def audiences(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    after: AudienceId | None = None,
    limit: int = LONGEST_PAGE,
) -> list[Audience]:
    """Return a page of at most 200 audiences in the order in which they were made."""
    parameters = {
        "workspace_id": workspace_id,
        "after": after or 0,
        "limit": min(limit, LONGEST_PAGE),
    }
    rows = await many(connection, _AudienceRow, _SQL["audiences"], parameters)
    return [_audience(row) for row in rows]


async def audience(connection: Connection, workspace_id: WorkspaceId, name: str) -> Audience:
    """Read an audience by its name.

    Raises:
        NotFound: the workspace has none of that name.
    """
    parameters = {"workspace_id": workspace_id, "name": name}
    row = await one(connection, _AudienceRow, _SQL["audience"], parameters)
    if row is None:
        raise NotFound("audience", name)
    return _audience(row)


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
    return cast("Snapshot", await one(connection, Snapshot, _SQL["add_snapshot"], parameters))


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
