"""Old months of messages move to the warehouse and then leave the ledger; tallies stay.

A month is sealed, its campaigns are copied and compared, its partitions are dropped in the
transaction that says so, and its requests, batches and clicks are deleted. Each step is committed
before the next, and each may be repeated: whatever is killed, the next run goes on where it was.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final

import psycopg
import structlog

from textwave.accounts import store as accounts
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.accounts.store import Caller
from textwave.insights import history_store as store
from textwave.insights.history import DROPS, MESSAGES, number_key
from textwave.insights.history_lake import Copying, copy_history
from textwave.insights.history_store import Copied, MovingCampaign, ShownMonth
from textwave.insights.retention import (
    HeldUp,
    HistoryDiffers,
    RetentionOff,
    RetentionRunning,
    due_months,
)
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse
from textwave.storage.watching import probing

RETAIN: Final = "insights.retain"
IDS_A_COPY: Final = 5_000_000
CAMPAIGNS_A_COPY: Final = 1_000
_TRIES: Final = 60
_PAUSE_SECONDS: Final = 1.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MovedMonth:
    """What a run did with a month: moved it, or what held it up."""

    month: date
    messages: int = 0
    drops: int = 0
    held_up: HeldUp | None = None


@dataclass(frozen=True, slots=True)
class Retaining:
    """What a run works with; `months` is how many whole months stay."""

    ledger: Ledger
    warehouse: Warehouse
    vault: Vault
    months: int
    pause_seconds: float = _PAUSE_SECONDS


@dataclass(slots=True)
class _Way:
    """How far a run is."""

    phase: str = "looking for old months"
    rows: int = 0
    of: int = 0

    def told(self) -> dict[str, Any]:
        """Return it as progress."""
        percent = {"percent": round(100 * self.rows / self.of, 1)} if self.of else {}
        return {"phase": self.phase, "rows": self.rows, **percent}


@dataclass(slots=True)
class _Total:
    messages: int = 0
    drops: int = 0


async def shown_months(
    connection: Connection, *, workspace_id: WorkspaceId
) -> Sequence[ShownMonth]:
    """Return the months of a workspace, here or moved, the newest first; as either role."""
    return await store.shown(connection, workspace_id)


async def start_retention(connection: Connection, *, caller: Caller, months: int) -> OperationId:
    """Begin to move what is old enough; return the operation to watch.

    Raises:
        AdministratorNeeded: the caller's key is none.
        RetentionOff: messages are kept for ever.
    """
    if not caller.is_administrator:
        raise AdministratorNeeded(caller.name)
    if months == 0:
        raise RetentionOff
    operation_id = await progress.begin(
        connection, workspace_id=caller.workspace_id, kind=RETAIN, request={}
    )
    await accounts.audit(
        connection,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        action="retention.run",
        object_name="messages",
        detail={"months": months},
    )
    return operation_id


async def run_retention(
    retaining: Retaining, *, now: datetime, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Move what is old enough, as an operation that can be watched and cancelled."""

    async def work(_request: dict[str, Any]) -> dict[str, Any]:
        done = await move_old_months(retaining, today=now.astimezone(UTC).date())
        return {
            "moved": [f"{one.month:%Y-%m}" for one in done if one.held_up is None],
            "held_up": {f"{one.month:%Y-%m}": str(one.held_up) for one in done if one.held_up},
        }

    await progress.perform(
        retaining.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def retain(retaining: Retaining, *, now: datetime) -> None:
    """Move what is old enough, by the clock; nothing when a run is under way."""
    try:
        await move_old_months(retaining, today=now.astimezone(UTC).date())
    except RetentionRunning:
        log.info("retention runs already")


async def move_old_months(retaining: Retaining, *, today: date) -> list[MovedMonth]:
    """Move every month that is old enough; return what was done with each.

    Raises:
        RetentionRunning: another run is under way.
    """
    way = _Way()
    async with store.only_run(retaining.ledger.url):
        with probing(way.told):
            return await _move_all(retaining, way, today)


async def _move_all(retaining: Retaining, way: _Way, today: date) -> list[MovedMonth]:
    async with retaining.ledger.transaction() as connection:
        here = await store.partitions(connection)
        known = {month.month: month for month in await store.months(connection)}
    due = due_months(here, today=today, months=retaining.months)
    sealed = {month.month for month in known.values() if month.sealed_at}
    for month in sealed.intersection(here).difference(due):
        async with retaining.ledger.transaction() as connection:
            await store.unseal(connection, month)
    for month in known.values():
        if month.dropped_at and not month.cleared_at:
            await _clear(retaining.ledger, month.month)
    return [await _move(retaining, month, way, is_sealed=month in sealed) for month in due]


async def _move(retaining: Retaining, month: date, way: _Way, *, is_sealed: bool) -> MovedMonth:
    """Move one month, or say what holds it up."""
    way.phase, way.rows, way.of = f"looking at {month:%Y-%m}", 0, 0
    held_up = None if is_sealed else await _seal(retaining, month)
    if held_up is None:
        total = await _copy(retaining, month, way)
        held_up = total if isinstance(total, HeldUp) else await _drop(retaining, month)
        if held_up is None and isinstance(total, _Total):
            await _clear(retaining.ledger, month)
            log.info("month moved", month=str(month), messages=total.messages, drops=total.drops)
            return MovedMonth(month, total.messages, total.drops)
    async with retaining.ledger.transaction() as connection:
        await store.note(connection, month, held_up)
    log.warning("month held up", month=str(month), held_up=held_up)
    return MovedMonth(month, held_up=held_up)


async def _seal(retaining: Retaining, month: date) -> HeldUp | None:
    """Let a month change no more, unless something in it is open."""
    async with retaining.ledger.transaction() as connection:
        held_up = await store.holds_up(connection, month)
        await store.note(connection, month, held_up)
    if held_up:
        return held_up

    async def seal(connection: Connection) -> None:
        await store.seal(connection, month)

    return await _as_soon_as_free(retaining, seal)


async def _copy(retaining: Retaining, month: date, way: _Way) -> _Total | HeldUp:
    """Bring a sealed month's campaigns into the warehouse, some at a time; count its rows."""
    async with retaining.ledger.transaction() as connection:
        waiting = await store.waiting_campaigns(connection, month)
    way.phase = f"copying {month:%Y-%m}"
    way.of = sum(one.last_id - one.first_id + 1 for one in waiting)
    try:
        for workspace_id, campaigns in groupby(waiting, key=lambda one: one.workspace_id):
            for some in _in_pieces(list(campaigns)):
                await _copy_some(retaining, month, workspace_id, some)
                way.rows += sum(one.last_id - one.first_id + 1 for one in some)
    except HistoryDiffers as refusal:
        log.warning("history differs", campaign=refusal.campaign_id, what=refusal.what)
        return HeldUp.DIFFERENT
    async with retaining.ledger.transaction() as connection:
        if not await store.is_copied(connection, month):
            return HeldUp.DIFFERENT
        return _Total(*await store.copied(connection, month))


def _in_pieces(campaigns: Sequence[MovingCampaign]) -> list[list[MovingCampaign]]:
    """Return the campaigns in groups of a bounded number of ids; a big one is alone."""
    pieces: list[list[MovingCampaign]] = []
    ids = IDS_A_COPY
    for campaign in campaigns:
        size = campaign.last_id - campaign.first_id + 1
        if ids + size > IDS_A_COPY or len(pieces[-1]) == CAMPAIGNS_A_COPY:
            pieces.append([])
            ids = 0
        pieces[-1].append(campaign)
        ids += size
    return pieces


async def _copy_some(
    retaining: Retaining, month: date, workspace_id: WorkspaceId, some: list[MovingCampaign]
) -> None:
    async with retaining.ledger.transaction() as connection:
        expected = [
            Copied(
                one.id,
                await store.digest(connection, MESSAGES, one),
                await store.digest(connection, DROPS, one),
            )
            for one in some
        ]
    key = number_key(retaining.vault.key, workspace_id)
    copying = Copying(retaining.ledger.url, month, some, expected, key)
    version = await retaining.warehouse.run(workspace_id, lambda lake: copy_history(lake, copying))
    async with retaining.ledger.transaction() as connection:
        await store.add_history(connection, workspace_id, month, expected, version)


async def _drop(retaining: Retaining, month: date) -> HeldUp | None:
    async def drop(connection: Connection) -> HeldUp | None:
        return await store.drop_month(connection, month)

    return await _as_soon_as_free(retaining, drop)


async def _as_soon_as_free(retaining: Retaining, step: Any) -> HeldUp | None:
    """Take a step that needs tables for itself: tried often, never waited for long."""
    for _ in range(_TRIES):
        try:
            async with retaining.ledger.transaction() as connection:
                held_up: HeldUp | None = await step(connection)
                return held_up
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            await asyncio.sleep(retaining.pause_seconds)
    return HeldUp.BUSY


async def _clear(ledger: Ledger, month: date) -> None:
    """Delete what is left of a dropped month, a bounded number of rows at a time."""
    while True:
        async with ledger.transaction() as connection:
            if not await store.clear(connection, month):
                await store.note_cleared(connection, month)
                return
