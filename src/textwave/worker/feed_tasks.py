"""Jobs of feeds by their names."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.feeds import operations as feeds
from textwave.wiring import Runtime


def feed_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs."""
    ground = feeds.Ground(
        ledger=runtime.ledger,
        warehouse=runtime.warehouse,
        vault=runtime.vault,
        uploads=runtime.settings.shared_folder / "uploads",
        spill=runtime.settings.data.resolve() / "spill",
        import_folder=runtime.settings.import_folder,
    )

    async def run(**job: Any) -> None:
        await feeds.run_import(ground, **job)

    async def check(**job: Any) -> None:
        await feeds.run_check(ground, **job)

    return {feeds.IMPORT_TASK: run, feeds.CHECK_TASK: check}
