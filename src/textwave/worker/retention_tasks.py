"""Jobs that put away what is old: messages by the month, other rows by their age."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from textwave.accounts.store import forget_audit_events
from textwave.insights import retention_operations as retention
from textwave.insights.retention import oldest_kept
from textwave.storage import progress
from textwave.storage.ledger import Connection
from textwave.suppression.import_store import forget_rejected_lines
from textwave.wiring import Runtime

OPERATIONS_KEPT: Final = timedelta(days=90)
REJECTED_LINES_KEPT: Final = timedelta(days=30)
"""Lines of opt-out imports that were not taken have numbers in them, so they go sooner."""
_AT_ONCE: Final = 1_000


def retaining(runtime: Runtime) -> retention.Retaining:
    """Return what a run works with."""
    months = runtime.settings.message_months
    return retention.Retaining(runtime.ledger, runtime.warehouse, runtime.vault, months)


def retention_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs by name."""

    async def retain(**job: Any) -> None:
        await retention.run_retention(retaining(runtime), now=runtime.clock.now(), **job)

    return {retention.RETAIN: retain}


async def forget_old_rows(runtime: Runtime) -> None:
    """Delete operations that ended long ago, rejected lines, and the audit log's oldest months."""
    now = runtime.clock.now()

    async def operations(connection: Connection) -> int:
        return await progress.forget(connection, before=now - OPERATIONS_KEPT, limit=_AT_ONCE)

    async def rejected_lines(connection: Connection) -> int:
        before = now - REJECTED_LINES_KEPT
        return await forget_rejected_lines(connection, before=before, limit=_AT_ONCE)

    await _until_none(runtime, operations)
    await _until_none(runtime, rejected_lines)
    if runtime.settings.audit_months:
        first = oldest_kept(now.date(), months=runtime.settings.audit_months)
        before = now.replace(year=first.year, month=first.month, day=1)

        async def events(connection: Connection) -> int:
            return await forget_audit_events(connection, before=before, limit=_AT_ONCE)

        await _until_none(runtime, events)


async def _until_none(runtime: Runtime, forget: Callable[[Connection], Awaitable[int]]) -> None:
    while True:
        async with runtime.ledger.transaction() as connection:
            if not await forget(connection):
                return
