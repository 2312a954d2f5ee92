"""Asking what quiet hours and fatigue would do to a plan if it was sent now; the dry run does.

Reads only, without the workspace's clock, in pieces that are each one read of an index: campaigns
go on meanwhile.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

import pyarrow as pa

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.limits import allowlist_store, touch_store
from textwave.limits import store as limits_store
from textwave.limits.clocks import openings
from textwave.limits.fatigue import FATIGUE, CountsBy, blocked, lowest_of, most_for_one
from textwave.limits.forecast import Asked, Forecast
from textwave.limits.quiet import NEVER, QUIET_HOURS, WhenQuiet
from textwave.limits.store import LimitsInForce
from textwave.limits.touch_store import Counting
from textwave.storage.ledger import Connection, Ledger

_PEOPLE_A_PIECE: Final = 50_000


async def forecast(
    ledger: Ledger,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    quiet: WhenQuiet,
    asked: Asked,
    now: datetime,
) -> Forecast:
    """Estimate drops and waits of marketing messages under a signature, if all were sent now."""
    async with ledger.transaction() as connection:
        limits = await limits_store.in_force(connection, workspace_id, signature_id)
    found = Forecast()
    counting = Counting(
        limits.counts_by, limits.global_limits, limits.signature_limits, limits.signature_ids
    )
    if limits.quiet.never and counting.window_seconds == 0:
        return found
    for piece in _pieces(asked):
        mobiles: list[int] = piece["mobile"].to_pylist()
        async with ledger.transaction() as connection:
            exempt = await _exempt(connection, workspace_id, limits, mobiles)
            later = await asyncio.to_thread(_later, mobiles, exempt, limits, now)
            full = await _full(connection, workspace_id, counting, piece, mobiles, now)
        _count(found, mobiles, exempt=exempt, later=later, full=full, quiet=quiet)
    return found.for_all(asked)


def _pieces(asked: Asked) -> Iterator[pa.RecordBatch]:
    for batch in asked.kept:
        for first in range(0, len(batch), _PEOPLE_A_PIECE):
            yield batch.slice(first, _PEOPLE_A_PIECE)


def _later(
    mobiles: Sequence[int], exempt: Collection[int], limits: LimitsInForce, now: datetime
) -> dict[int, datetime]:
    asked = (mobile for mobile in mobiles if mobile not in exempt)
    return openings(asked, limits.quiet, limits.quiet_zone, limits.time_zone, now)


async def _exempt(
    connection: Connection, workspace_id: WorkspaceId, limits: LimitsInForce, mobiles: Sequence[int]
) -> set[int]:
    if not limits.has_allowlist:
        return set()
    return await allowlist_store.on_list(connection, workspace_id, mobiles)


async def _full(
    connection: Connection,
    workspace_id: WorkspaceId,
    counting: Counting,
    piece: pa.RecordBatch,
    mobiles: Sequence[int],
    now: datetime,
) -> set[int]:
    """Return the places in the piece of messages that would be one too many."""
    if counting.window_seconds == 0:
        return set()
    persons = mobiles
    if counting.counts_by is CountsBy.CUSTOMER:
        persons = await touch_store.keys_of(connection, piece["customer"].to_pylist())
    rooms = await touch_store.rooms(
        connection,
        workspace_id,
        counting=counting,
        persons=persons,
        fewer_than=most_for_one(persons),
        moment=now,
    )
    lowest = lowest_of(counting.limits, counting.own_limits)
    return blocked(enumerate(persons), rooms, lowest=lowest)


def _count(
    found: Forecast,
    mobiles: Sequence[int],
    *,
    exempt: Collection[int],
    later: dict[int, datetime],
    full: Collection[int],
    quiet: WhenQuiet,
) -> None:
    """Count a piece: quiet hours first, as the gate does; of those who wait fatigue takes some."""
    waits = quiet is WhenQuiet.WAIT
    silenced = {m for m, at in later.items() if at == NEVER or not waits}
    found.drop(QUIET_HOURS, sum(mobile in silenced for mobile in mobiles))
    tired = {
        place for place in full if mobiles[place] not in silenced and mobiles[place] not in exempt
    }
    found.drop(FATIGUE, len(tired))
    found.waiting += sum(
        mobile in later and mobile not in silenced and place not in tired
        for place, mobile in enumerate(mobiles)
    )
