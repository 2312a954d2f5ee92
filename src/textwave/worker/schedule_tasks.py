"""Jobs of scheduled and recurring campaigns by their names, and the safety net under them."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.campaigns.schedule_operations import begin_due
from textwave.campaigns.start_operations import BEGIN_TASK, begin_campaign
from textwave.recurrences import run_operations as runs
from textwave.wiring import Runtime, links_url


def schedule_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs that begin campaigns."""

    async def begin(**job: Any) -> None:
        async with runtime.ledger.transaction() as connection:
            await begin_campaign(
                connection,
                links_url=links_url(runtime.settings),
                now=runtime.clock.now(),
                **job,
            )

    return {BEGIN_TASK: begin}


def run_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs that run recurrences; the safety net defers them again."""
    runner = runs.Runner(
        runtime.ledger, runtime.warehouse, runtime.clock, links_url(runtime.settings)
    )

    async def run(**job: Any) -> None:
        await runs.run_recurrence(runner, **job)

    return {runs.RUN_TASK: run}


async def begin_what_is_due(runtime: Runtime) -> None:
    """Write down the recurrences' times that have come, and begin what no job has begun."""
    now = runtime.clock.now()
    await runs.plan_due_runs(runtime.ledger, now=now)
    await begin_due(runtime.ledger, links_url=links_url(runtime.settings), now=now)
