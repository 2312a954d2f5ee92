"""Jobs of tests between variants, and what runs by the clock for them."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.campaigns.winner_operations import (
    CHOOSE_TASK,
    GIVE_TASK,
    choose_due,
    count_moved,
    give_winner,
)
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.wiring import Runtime


def winner_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs that choose a winner at its time and give its text to the rest."""

    async def choose(*, workspace_id: WorkspaceId, campaign_id: CampaignId) -> None:
        _ = workspace_id  # the campaign's id says all
        await choose_due(runtime.ledger, now=runtime.clock.now(), campaign_id=campaign_id)

    async def give(**job: Any) -> None:
        await give_winner(runtime.ledger, runtime.clock, **job)

    return {CHOOSE_TASK: choose, GIVE_TASK: give}


async def look_after_variants(runtime: Runtime) -> None:
    """Choose winners whose time came unnoticed, and count what has moved."""
    await choose_due(runtime.ledger, now=runtime.clock.now())
    await count_moved(runtime.ledger)
