"""The job that gathers single messages."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.singles.gathering_operations import gather
from textwave.singles.operations import GATHER_TASK
from textwave.wiring import Runtime


def single_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the job by its name."""

    async def gather_messages() -> None:
        await gather(runtime.ledger, runtime.clock)

    return {GATHER_TASK: gather_messages}
