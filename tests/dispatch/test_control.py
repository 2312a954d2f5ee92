"""Pausing, resuming and cancelling a campaign while several jobs send it over HTTP."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.dispatch.cancelling_operations import settle_campaign
from textwave.kit.ids import CampaignId

MESSAGES = 3000


async def act(playing: Show, does: Callable[..., Coroutine[Any, Any, Any]]) -> None:
    async with playing.ledger.transaction() as connection:
        await does(connection, workspace_id=playing.workspace_id, actor="test", name="Spring")


@asynccontextmanager
async def jobs_at_work(playing: Show, count: int = 4) -> AsyncGenerator[None]:
    """Let so many jobs serve the account again and again."""

    async def work() -> None:
        while True:
            await playing.serve()
            await asyncio.sleep(0.02)

    working = [asyncio.create_task(work()) for _ in range(count)]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        await asyncio.wait(working)


async def until(playing: Show, distinct: int) -> None:
    """Wait until the platform has so many messages."""
    deadline = time.monotonic() + 60
    while (await playing.counts())["distinct"] < distinct:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def completed(playing: Show) -> None:
    """Wait until everything is recorded."""
    deadline = time.monotonic() + 60
    while (await playing.report()).state != "completed":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def stands_still(playing: Show) -> int:
    """Return what the platform has two seconds after a pause, and never gets more of."""
    await asyncio.sleep(2)
    after_two_seconds = (await playing.counts())["distinct"]
    await asyncio.sleep(1)
    assert (await playing.counts())["distinct"] == after_two_seconds
    return after_two_seconds


async def test_a_pause_takes_effect_within_two_seconds_and_nothing_is_lost_by_it(
    show: StartShow,
) -> None:
    playing = await show(answer_milliseconds=20.0)
    await playing.planned(MESSAGES, batch_size=200, max_batch=20, rate_per_second=400)
    async with jobs_at_work(playing):
        await until(playing, 200)
        await act(playing, pause_campaign)
        paused_at = await stands_still(playing)
        assert paused_at < MESSAGES
        assert (await playing.report()).submitted == paused_at
        await playing.execute("UPDATE platform SET rate_per_second = 100000")
        await act(playing, resume_campaign)
        await until(playing, MESSAGES)
        await completed(playing)
    counts, report = await playing.counts(), await playing.report()
    assert (counts["distinct"], counts["twice"]) == (MESSAGES, 0)
    assert report.submitted == MESSAGES


async def cancelled(playing: Show, campaign_id: CampaignId) -> None:
    """Cancel, and do the job behind it until nothing is held any more."""
    await act(playing, cancel_campaign)
    deadline = time.monotonic() + 10
    while True:
        await settle_campaign(
            playing.ledger,
            workspace_id=playing.workspace_id,
            campaign_id=campaign_id,
            now=playing.stage.clock.now(),
        )
        left = "SELECT count(*) FROM batch WHERE state <> 'done'"
        if not await playing.value(left):
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_cancelled_campaign_adds_up_to_what_the_platform_has(show: StartShow) -> None:
    playing = await show(answer_milliseconds=20.0, throttled=0.3)
    campaign_id = await playing.planned(MESSAGES, batch_size=200, max_batch=20, rate_per_second=400)
    async with jobs_at_work(playing):
        await until(playing, 200)
        await cancelled(playing, campaign_id)
        sent = await stands_still(playing)
    counts, report = await playing.counts(), await playing.report()
    counted = await playing.recount(campaign_id)
    assert counts["twice"] == 0
    assert (report.state, report.submitted, report.in_doubt) == ("cancelled", sent, 0)
    assert report.failures == {"cancelled": MESSAGES - sent}
    assert (counted.failed, counted.messages) == (MESSAGES - sent, MESSAGES)


async def test_what_may_have_left_stays_in_doubt_when_the_campaign_is_cancelled(
    show: StartShow,
) -> None:
    playing = await show(unknown_after_accept=1.0)
    campaign_id = await playing.planned(100, max_batch=20)
    await playing.serve()
    await act(playing, cancel_campaign)
    await settle_campaign(
        playing.ledger,
        workspace_id=playing.workspace_id,
        campaign_id=campaign_id,
        now=playing.stage.clock.now(),
    )
    report = await playing.report()
    assert (report.in_doubt, report.failed) == (100, 0)
    assert await playing.value("SELECT due_at = 'infinity' FROM batch") is True
