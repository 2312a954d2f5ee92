"""Rows of touches: each is a marketing message that was prepared for somebody.

Whoever counts takes the workspace's clock first, so that of two campaigns the second counts what
the first wrote; times of touches never go back. Everything in sets, one batch at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final, LiteralString, cast

import psycopg

from textwave.kit.ids import CampaignId, SignatureId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.limits.fatigue import (
    LONGEST_WINDOW_SECONDS,
    WINDOW_SECONDS,
    CountsBy,
    Limits,
)
from textwave.storage.arrays import bigints
from textwave.storage.ledger import IDLE_SECONDS, Connection, execute, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.limits", "touch_store.sql")
_PERSONS: Final[Mapping[CountsBy, str]] = {
    CountsBy.NUMBER: "mobile",
    CountsBy.CUSTOMER: "customer_key",
}
_WAIT_SECONDS: Final = IDLE_SECONDS + 5  # whoever hangs with the clock has lost it by then
_LONGEST_WINDOW: Final = timedelta(seconds=LONGEST_WINDOW_SECONDS)
_WINDOWS: Final[Mapping[str, timedelta]] = {
    name: timedelta(seconds=seconds) for name, seconds in WINDOW_SECONDS.items()
}


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted for a batch: all signatures for one set of limits, some for the other."""

    counts_by: CountsBy
    limits: Limits
    own_limits: Limits
    signature_ids: tuple[int, ...]

    @property
    def window_seconds(self) -> int:
        """Return the length of the longest window with a limit; 0: nothing is counted."""
        return max(self.limits.window_seconds, self.own_limits.window_seconds)


@dataclass(frozen=True, slots=True)
class Touched:
    """From whom touches are: the batch's campaign and its signature."""

    workspace_id: WorkspaceId
    signature_id: SignatureId
    campaign_id: CampaignId


@dataclass(eq=False)
class TouchesHeld(Refusal):
    """Others have counted touches of the workspace for so long that waiting was given up."""

    code: ClassVar[str] = "touches_held"
    waited_seconds: int

    @property
    def sentence(self) -> str:
        return (
            "Messages of this workspace were counted against its fatigue rules for more than "
            f"{self.waited_seconds} seconds without a pause, so nothing was done. Batches come "
            "again by themselves; anything else can be tried again."
        )


async def take_clock(
    connection: Connection, workspace_id: WorkspaceId, *, now: datetime
) -> datetime:
    """Wait until nobody else counts or writes touches of the workspace; return the moment.

    Raises:
        TouchesHeld: somebody else does for too long; the transaction can only be given up.
    """
    moment = await _clock(connection, "take_clock", workspace_id, now)
    return moment or now


async def share_clock(
    connection: Connection, workspace_id: WorkspaceId, *, now: datetime
) -> datetime:
    """Wait until nobody counts touches of the workspace; return the moment.

    Raises:
        TouchesHeld: somebody does for too long; the transaction can only be given up.
    """
    moment: datetime | None = await _clock(connection, "share_clock", workspace_id, now)
    return moment or await take_clock(connection, workspace_id, now=now)


async def _clock(
    connection: Connection, statement: str, workspace_id: WorkspaceId, now: datetime
) -> datetime | None:
    wait = f"{round(_WAIT_SECONDS * 1000)}ms"
    key = {"workspace_id": workspace_id, "now": now, "wait": wait}
    try:
        return await value(connection, _SQL[statement], key)
    except psycopg.errors.LockNotAvailable:
        raise TouchesHeld(round(_WAIT_SECONDS)) from None


async def rooms(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    counting: Counting,
    persons: Sequence[int],
    fewer_than: int,
    moment: datetime,
) -> dict[int, int]:
    """Return how many more messages persons may get, of those who may get fewer than so many."""
    windows, own_windows = _limited(counting.limits), _limited(counting.own_limits)
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "persons": bigints(persons),
        "fewer_than": fewer_than,
        "after": moment - timedelta(seconds=counting.window_seconds),
        "signature_ids": list(counting.signature_ids),
    }
    for window in windows:
        parameters[window] = getattr(counting.limits, window)
        parameters[f"{window}_after"] = moment - _WINDOWS[window]
    for window in own_windows:
        parameters[f"own_{window}"] = getattr(counting.own_limits, window)
        parameters[f"own_{window}_after"] = moment - _WINDOWS[window]
    statement = _rooms(counting.counts_by, windows, own_windows)
    cursor = await connection.execute(statement, parameters, binary=True)
    return {row[0]: row[1] for row in await cursor.fetchall()}


def _limited(limits: Limits) -> tuple[str, ...]:
    """Return the names of the windows that have a limit."""
    return tuple(window for window in _WINDOWS if getattr(limits, window) is not None)


@cache
def _rooms(
    counts_by: CountsBy, windows: tuple[str, ...], own_windows: tuple[str, ...]
) -> LiteralString:
    """Return the statement that counts the windows with a limit and no others."""
    terms = [_SQL["room"].replace("{window}", window) for window in windows]
    terms += [_SQL["own_room"].replace("{window}", window) for window in own_windows]
    counting = _SQL["rooms"].replace("{rooms}", ", ".join(terms))
    return cast("LiteralString", counting.replace("mobile", _PERSONS[counts_by]))


async def customer_keys(
    connection: Connection, workspace_id: WorkspaceId, ids: Sequence[int]
) -> dict[int, int]:
    """Return the customers of messages as touches have them."""
    span = {"first_id": min(ids), "last_id": max(ids), "ids": bigints(ids)}
    cursor = await connection.execute(
        _SQL["customer_keys"], {"workspace_id": workspace_id, **span}, binary=True
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def keys_of(connection: Connection, customers: Sequence[str]) -> list[int]:
    """Return customers as touches have them, in their order."""
    parameters = {"customers": list(customers)}
    cursor = await connection.execute(_SQL["keys_of"], parameters, binary=True)
    return [row[0] for row in await cursor.fetchall()]


async def add_touches(
    connection: Connection,
    touched: Touched,
    *,
    messages: Sequence[tuple[int, int]],
    customer_keys: Mapping[int, int],
    moment: datetime,
) -> None:
    """Write the touches of messages, each an id and a number."""
    parameters = {
        "workspace_id": touched.workspace_id,
        "signature_id": touched.signature_id,
        "campaign_id": touched.campaign_id,
        "ids": bigints(message_id for message_id, _ in messages),
        "mobiles": bigints(mobile for _, mobile in messages),
        "customer_keys": [customer_keys.get(i) for i, _ in messages] if customer_keys else [],
        "moment": moment,
    }
    await execute(connection, _SQL["add"], parameters)


async def give_back(
    connection: Connection, workspace_id: WorkspaceId, ids: Sequence[int], *, now: datetime
) -> int:
    """Take back the touches of messages that certainly never left; return how many."""
    if not ids:
        return 0
    parameters = {"workspace_id": workspace_id, "ids": bigints(ids), "after": _oldest(now)}
    return await execute(connection, _SQL["give_back"], parameters)


async def next_piece(
    connection: Connection, workspace_id: WorkspaceId, *, mobile: int, limit: int, now: datetime
) -> int | None:
    """Return the last number of the next so many touches behind a number; None at the end."""
    parameters = {
        "workspace_id": workspace_id,
        "mobile": mobile,
        "limit": limit,
        "after": _oldest(now),
    }
    last: int | None = await value(connection, _SQL["piece_without_customer"], parameters)
    return last


async def fill_customers(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    mobile: int,
    last_mobile: int,
    now: datetime,
) -> int:
    """Give touches of numbers behind one and up to another their customers; return how many."""
    parameters = {
        "workspace_id": workspace_id,
        "mobile": mobile,
        "last_mobile": last_mobile,
        "after": _oldest(now),
    }
    return await execute(connection, _SQL["fill_customers"], parameters)


def _oldest(now: datetime) -> datetime:
    return now - _LONGEST_WINDOW
