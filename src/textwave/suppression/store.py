"""Rows of opt-outs: which number must hear no more under which signature.

At most one opt-out of a number and a signature is in force; lifted ones stay as evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from textwave.kit.ids import OptOutId, SignatureId, WorkspaceId
from textwave.storage.arrays import bigints
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.suppression")

UNSUBSCRIBED: Final = "unsubscribed"
OPTED_OUT_SCHEMA: Final = pa.schema([pa.field("mobile", pa.int64(), nullable=False)])


class OptOutSource(StrEnum):
    """How an opt-out came in."""

    reply = "reply"
    platform = "platform"
    by_hand = "by hand"
    imported = "import"


@dataclass(frozen=True, slots=True)
class OptOut:
    """A number that is blocked for a signature; `lifted_at` is None while it is in force."""

    id: OptOutId
    workspace_id: WorkspaceId
    signature_id: SignatureId
    signature: str
    mobile: int
    source: str
    evidence: str
    opted_out_at: datetime
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewOptOut:
    """A number to block for a signature, and what shows that its owner asked for it."""

    workspace_id: WorkspaceId
    signature_id: SignatureId
    mobile: int
    evidence: str
    opted_out_at: datetime


async def add_opt_outs(
    connection: Connection, *, source: OptOutSource, opt_outs: Sequence[NewOptOut]
) -> set[tuple[int, int]]:
    """Block numbers; return (signature, number) of those that were not blocked before."""
    if not opt_outs:
        return set()
    cursor = await connection.execute(
        _SQL["add_opt_outs"],
        {
            "source": source,
            "workspace_ids": [asked.workspace_id for asked in opt_outs],
            "signature_ids": [asked.signature_id for asked in opt_outs],
            "mobiles": [asked.mobile for asked in opt_outs],
            "evidences": [asked.evidence for asked in opt_outs],
            "times": [asked.opted_out_at for asked in opt_outs],
        },
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}


async def block_unsubscribed(connection: Connection, message_ids: Sequence[int]) -> int:
    """Block the numbers of failed messages for which the platform gave that as the cause.

    A platform blocks a number for one signature, so it is an opt-out of that one; a number on the
    platform's own blacklist has said nothing, so it is none. Returns how many were new.
    """
    if not message_ids:
        return 0
    span = {"first_id": min(message_ids), "last_id": max(message_ids)}
    parameters = {**span, "ids": list(message_ids)}
    return await execute(connection, _SQL["block_unsubscribed"], parameters)


async def in_force(
    connection: Connection, *, workspace_id: WorkspaceId, signature_id: SignatureId, mobile: int
) -> OptOut | None:
    """Return the opt-out of a number for a signature, or None if it may be sent to."""
    return await one(connection, OptOut, _SQL["in_force"], _key(workspace_id, signature_id, mobile))


async def lift(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    mobile: int,
    evidence: str,
    now: datetime,
) -> bool:
    """End an opt-out; False when none is in force."""
    key = _key(workspace_id, signature_id, mobile)
    return await execute(connection, _SQL["lift"], {**key, "evidence": evidence, "now": now}) == 1


async def signature_exists(
    connection: Connection, *, workspace_id: WorkspaceId, signature_id: SignatureId
) -> bool:
    """Tell whether the workspace has the signature."""
    key = {"workspace_id": workspace_id, "signature_id": signature_id}
    return await value(connection, _SQL["signature_exists"], key) is not None


async def opt_outs(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId | None = None,
    after: OptOutId | None = None,
    limit: int = 100,
) -> list[OptOut]:
    """Return a page of opt-outs in force, newest first; `after` is the last id already seen."""
    key = {"workspace_id": workspace_id, "signature_id": signature_id}
    return await many(connection, OptOut, _SQL["page"], {**key, "after": after, "limit": limit})


async def opted_out(
    connection: Connection, signature_id: SignatureId, mobiles: Sequence[int]
) -> set[int]:
    """Return those of the numbers that are blocked for the signature; for the gate of a batch."""
    cursor = await connection.execute(
        _SQL["opted_out"], {"signature_id": signature_id, "mobiles": bigints(mobiles)}
    )
    return {row[0] for row in await cursor.fetchall()}


def opted_out_numbers(url: str, signature_id: SignatureId) -> pa.Table:
    """Return every number that is blocked for a signature, in the column `mobile`, for the plan."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            _SQL["all_opted_out"],
            parameters=pa.record_batch([pa.array([signature_id], pa.int64())], ["signature_id"]),
        )
        return cursor.fetch_arrow_table().cast(OPTED_OUT_SCHEMA)


def _key(workspace_id: WorkspaceId, signature_id: SignatureId, mobile: int) -> dict[str, int]:
    return {"workspace_id": workspace_id, "signature_id": signature_id, "mobile": mobile}
