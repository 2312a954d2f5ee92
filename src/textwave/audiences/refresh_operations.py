"""Audiences computed anew by themselves: by the clock, and after an import.

One that cannot be computed says so on itself and holds up nothing but those computed from it. A
refresh that is done twice, after a crash, only adds a snapshot.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import structlog

from textwave.audiences import life_store, store
from textwave.audiences.life_store import Due, Kept
from textwave.audiences.operations import note_failed_refresh, refresh_audience
from textwave.audiences.uses import depending, in_order
from textwave.customers.schedule import AFTER_IMPORT, next_time
from textwave.kit.clock import Clock
from textwave.kit.ids import AudienceId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Ledger
from textwave.storage.queue import Job, defer
from textwave.storage.warehouse import Warehouse

REFRESH_TASK: Final = "audiences.refresh"
AFTER_IMPORT_TASK: Final = "audiences.after_import"
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class UsedAudienceFailed(Refusal):
    """An audience that this one is computed from could not be refreshed."""

    code: ClassVar[str] = "used_audience_failed"
    audience: str
    used: list[str]

    @property
    def sentence(self) -> str:
        used = ", ".join(f"“{name}”" for name in self.used)
        return (
            f"“{self.audience}” was not refreshed, because it is computed from {used}, which could "
            "not be. See there why, then refresh both."
        )


async def defer_due(ledger: Ledger, *, now: datetime) -> int:
    """Defer the refresh of each audience whose time has come; return how many were new.

    A refresh that still waits is not deferred again, so that nothing piles up.
    """
    async with ledger.transaction() as connection:
        due = await life_store.take_due(connection, now)
        times = {
            one.id: next_time(one.refresh, after=now, zone=ZoneInfo(one.time_zone)) for one in due
        }
        await life_store.set_next_refreshes(connection, times)
        return await defer(connection, *(_job(one) for one in due))


async def run_refresh(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
) -> None:
    """Do the job of `defer_due`."""
    try:
        await refresh_audience(
            ledger=ledger,
            warehouse=warehouse,
            clock=clock,
            workspace_id=workspace_id,
            audience_id=audience_id,
        )
    except Refusal as refusal:  # said on the audience
        log.warning("refresh refused", audience=audience_id, code=refusal.code)


async def refresh_after_import(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    table: str,
    models: Collection[str] = (),
) -> list[str]:
    """Refresh the audiences that wait for imports and are computed from the table or the models.

    Each comes after those that it is computed from. Returns the names of those that failed.
    """
    async with ledger.transaction(workspace_id) as connection:
        kept = await life_store.uses(connection, workspace_id)
    failed: set[str] = set()
    for name in _following(kept, table, models):
        if used := sorted(kept[name].uses.audiences & failed):
            await _note_used_failed(ledger, workspace_id, kept[name].id, used)
            failed.add(name)
            continue
        try:
            await refresh_audience(
                ledger=ledger,
                warehouse=warehouse,
                clock=clock,
                workspace_id=workspace_id,
                audience_id=kept[name].id,
            )
        except Exception as error:  # noqa: BLE001 - said on the audience; the others go on
            log.warning("refresh failed", audience=kept[name].id, error=type(error).__name__)
            failed.add(name)
    return sorted(failed)


def _following(kept: dict[str, Kept], table: str, models: Collection[str]) -> list[str]:
    """Return the audiences to refresh after an import, in their order."""
    known = {name: one.uses for name, one in kept.items() if not one.archived}
    concerned = depending(known, table=table, models=models)
    waiting = {name for name in concerned if kept[name].refresh == AFTER_IMPORT}
    return in_order(waiting, known)


async def _note_used_failed(
    ledger: Ledger, workspace_id: WorkspaceId, audience_id: AudienceId, used: list[str]
) -> None:
    async with ledger.transaction(workspace_id) as connection:
        audience = await store.audience_by_id(connection, workspace_id, audience_id)
    await note_failed_refresh(ledger, audience, UsedAudienceFailed(audience.name, used))


def _job(due: Due) -> Job:
    args = {"workspace_id": due.workspace_id, "audience_id": due.id}
    lock = f"refresh-audience-{due.id}"
    return Job(REFRESH_TASK, "compute", args, lock=lock, queueing_lock=lock)
