"""Jobs and chores about what is open for too long: doubts, standing still, states that must end."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.campaigns.ending_operations import cancel_overdue, defer_forgotten_plans
from textwave.dispatch.doubt_operations import SETTLE_TASK, end_all_doubts, end_doubts
from textwave.dispatch.expiry_operations import expire_stalled
from textwave.dispatch.stall_operations import note_stalls
from textwave.responses.inquiry_operations import look_up_doubts
from textwave.wiring import Runtime

Task = Callable[..., Awaitable[Any]]


def doubt_tasks(runtime: Runtime) -> dict[str, Task]:
    """Return the job that carries out what people say about requests in doubt."""

    async def settle_doubts(**job: Any) -> None:
        hours = runtime.settings.in_doubt_hours
        await end_doubts(runtime.ledger, now=runtime.clock.now(), in_doubt_hours=hours, **job)

    return {SETTLE_TASK: settle_doubts}


async def settle_doubts(runtime: Runtime) -> None:
    """Settle every request in doubt of which something came back, or whose time is over."""
    hours = runtime.settings.in_doubt_hours
    await end_all_doubts(runtime.ledger, now=runtime.clock.now(), in_doubt_hours=hours)


async def ask_for_doubts(runtime: Runtime) -> None:
    """Ask platforms that honour no keys for the requests that are in doubt."""
    await look_up_doubts(runtime.ledger, runtime.open_platform, now=runtime.clock.now())


async def watch_campaigns(runtime: Runtime) -> None:
    """Note which campaigns stand still, and give a job to plans that have lost theirs."""
    now = runtime.clock.now()
    await note_stalls(runtime.ledger, now=now)
    await defer_forgotten_plans(runtime.ledger, now=now)


async def end_overdue(runtime: Runtime) -> None:
    """End campaigns whose time in a state has run out."""
    settings, now = runtime.settings, runtime.clock.now()
    await expire_stalled(runtime.ledger, now=now, sending_days=settings.sending_days)
    await cancel_overdue(
        runtime.ledger, now=now, review_days=settings.review_days, paused_days=settings.paused_days
    )
