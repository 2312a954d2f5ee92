"""Rows of numbers that get nothing beyond one signature: by platform, or in the whole workspace.

An entry of a platform is an opt-out of all its signatures: marketing only, like any opt-out. The
deny list (no platform) stops every message. Lifted entries stay as evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.storage.arrays import bigints
from textwave.storage.ledger import Connection, execute, many, one
from textwave.storage.statements import load_statements
from textwave.suppression.store import OptOutSource

_SQL = load_statements(__package__ or "textwave.suppression", "deny_store.sql")

OPTED_OUT: Final = "opted out"
DENY_LIST: Final = "deny list"
DENIED_SCHEMA: Final = pa.schema(
    [
        pa.field("mobile", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class DeniedNumber:
    """A number that gets nothing; `platform_id` is None on the deny list of the workspace."""

    id: int
    workspace_id: WorkspaceId
    platform_id: PlatformId | None
    mobile: int
    source: str
    reason: str
    evidence: str
    denied_by: str
    denied_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewDenial:
    """A number to deny, and what shows why."""

    mobile: int
    evidence: str
    denied_at: datetime


async def denied(
    connection: Connection,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobiles: Sequence[int],
) -> set[int]:
    """Return those of the numbers that get nothing; no platform: by the deny list alone."""
    return set(await drop_reasons(connection, workspace_id, platform_id, mobiles))


async def drop_reasons(
    connection: Connection,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobiles: Sequence[int],
) -> dict[int, str]:
    """Return why numbers get nothing: `opted out` of the platform, else the `deny list`.

    Notifications ask without a platform: no opt-out applies to them, the deny list does.
    """
    parameters = {
        "workspace_id": workspace_id,
        "platform_id": platform_id,
        "mobiles": bigints(mobiles),
    }
    cursor = await connection.execute(_SQL["denied"], parameters)
    return {row[0]: OPTED_OUT if row[1] else DENY_LIST for row in await cursor.fetchall()}


def denied_numbers(url: str, workspace_id: WorkspaceId, platform_id: PlatformId | None) -> pa.Table:
    """Return every number that gets nothing as `mobile` (once each) and `reason`, for the plan."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        keys = [pa.array([workspace_id], pa.int64()), pa.array([platform_id], pa.int64())]
        asked = pa.record_batch(keys, ["workspace_id", "platform_id"])
        cursor.execute(_SQL["all_denied"], parameters=asked)
        return cursor.fetch_arrow_table().cast(DENIED_SCHEMA)


async def add_denials(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    source: OptOutSource,
    reason: str,
    actor: str,
    denials: Sequence[NewDenial],
) -> set[int]:
    """Deny numbers; return those that were not denied before."""
    if not denials:
        return set()
    cursor = await connection.execute(
        _SQL["add"],
        {
            "workspace_id": workspace_id,
            "platform_id": platform_id,
            "source": source,
            "reason": reason,
            "actor": actor,
            "mobiles": [asked.mobile for asked in denials],
            "evidences": [asked.evidence for asked in denials],
            "times": [asked.denied_at for asked in denials],
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def in_force(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobile: int,
) -> DeniedNumber | None:
    """Return the entry of a number that is in force, or None."""
    key = {"workspace_id": workspace_id, "platform_id": platform_id, "mobile": mobile}
    return await one(connection, DeniedNumber, _SQL["in_force"], key)


async def lift(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobile: int,
    evidence: str,
    actor: str,
    now: datetime,
) -> bool:
    """End an entry; False when none is in force."""
    key = {"workspace_id": workspace_id, "platform_id": platform_id, "mobile": mobile}
    said = {"evidence": evidence, "actor": actor, "now": now}
    return await execute(connection, _SQL["lift"], key | said) == 1


async def entries(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    after: int | None = None,
    limit: int = 100,
) -> list[DeniedNumber]:
    """Return a page of entries in force, newest first; `after` is the last id already seen."""
    key = {"workspace_id": workspace_id, "platform_id": platform_id}
    return await many(
        connection, DeniedNumber, _SQL["page"], {**key, "after": after, "limit": limit}
    )
