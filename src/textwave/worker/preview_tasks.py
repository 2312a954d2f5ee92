"""The job of previewing a template."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.previews.operations import PREVIEW_TASK, run_preview
from textwave.wiring import Runtime


def preview_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the job by its name."""

    async def preview(**job: Any) -> None:
        await run_preview(runtime.ledger, runtime.warehouse, **job)

    return {PREVIEW_TASK: preview}
