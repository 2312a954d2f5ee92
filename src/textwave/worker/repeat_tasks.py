"""Jobs of campaigns made from others, and of test sends, by their names."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.campaigns.dropped_operations import TEXT_TASK, run_text
from textwave.campaigns.repeat_operations import RETRY_TASK, Repeating, run_retry
from textwave.campaigns.trial_operations import TEST_TASK, Trying, run_test
from textwave.wiring import Runtime, links_url


def repeat_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs."""
    ledger, warehouse, clock = runtime.ledger, runtime.warehouse, runtime.clock
    repeating = Repeating(ledger, warehouse, clock, links_url(runtime.settings))
    trying = Trying(ledger, warehouse, runtime.vault, clock)

    async def retry_failed(**job: Any) -> None:
        await run_retry(repeating, **job)

    async def send_test(**job: Any) -> None:
        await run_test(trying, **job)

    async def text_from_dropped(**job: Any) -> None:
        await run_text(repeating, **job)

    return {RETRY_TASK: retry_failed, TEST_TASK: send_test, TEXT_TASK: text_from_dropped}
