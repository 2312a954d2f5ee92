"""A campaign's sending window, told by what the platform received."""

from datetime import UTC, datetime

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from textwave.kit.clock import FixedClock

EVENING = datetime(2031, 6, 1, 12, 59, tzinfo=UTC)  # 20:59 in Shanghai
CLOSED = datetime(2031, 6, 1, 13, tzinfo=UTC)
MORNING = datetime(2031, 6, 2, 1, tzinfo=UTC)  # 09:00 in Shanghai
WINDOW = "UPDATE campaign SET window_from = '09:00', window_until = '21:00'"


async def received(playing: Show) -> int:
    return (await playing.counts())["messages"]


async def test_when_the_window_closes_in_mid_campaign_the_rest_waits_for_the_next_opening(
    show: StartShow,
) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    playing.stage.clock = clock
    await playing.planned(200, batch_size=100)
    await playing.execute(WINDOW)
    await playing.execute("UPDATE batch SET due_at = now() + interval '1 hour' WHERE number = 1")
    await playing.serve()
    assert await received(playing) == 100
    clock.set(CLOSED)
    await playing.pass_time()
    await playing.serve()
    assert await received(playing) == 100
    hours = "SELECT extract(epoch FROM due_at - now()) / 3600 FROM batch WHERE number = 1"
    assert round(await playing.value(hours)) == 12
    clock.set(MORNING)
    await playing.send()
    assert await received(playing) == 200
