"""Who was awake at the gate and asleep when the platform took messages again gets them later."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.dispatch.test_limits import (
    EVENING,
    MORNING,
    NEW_YORKER,
    drops,
    keep_quiet,
    last_digits,
    limit,
    planned,
    received,
    states,
)
from tests.stage import SHANGHAI, people
from textwave.kit.clock import FixedClock
from textwave.limits.quiet import QuietZone

BEFORE = EVENING - timedelta(hours=2)  # 20:00 in Shanghai, 08:00 in New York


def behave(playing: Show, **changes: Any) -> None:
    """Let the sandbox answer otherwise from now on."""
    playing.sandbox.settings = replace(playing.sandbox.settings, **changes)


async def pass_to(playing: Show, clock: FixedClock, moment: Any) -> None:
    clock.set(moment)
    await playing.pass_time()
    await playing.serve()


async def test_what_was_put_off_is_held_by_the_recipients_own_clock(show: StartShow) -> None:
    playing = await show(throttled=1.0)
    clock = FixedClock(BEFORE)
    asleep = people(3)
    await planned(playing, [*asleep, NEW_YORKER], clock)
    await keep_quiet(playing, QuietZone.RECIPIENT)
    await limit(playing, per_day=1)
    await playing.serve()
    assert await states(playing) == {"prepared": 3, "held": 1}
    behave(playing, throttled=0.0)
    await pass_to(playing, clock, EVENING)
    assert await received(playing) == last_digits(NEW_YORKER)
    assert await states(playing) == {"held": 3, "submitted": 1}
    assert await playing.value("SELECT count(*) FROM touch") == 1
    await playing.stage.opt_out(SHANGHAI)
    await pass_to(playing, clock, MORNING)
    assert await received(playing) == last_digits(*asleep[1:], NEW_YORKER)
    assert await drops(playing, "Spring") == {"opted out": 1}
    assert await playing.value("SELECT count(*) FROM touch") == 3
    assert (await playing.report()).state == "completed"


@pytest.mark.parametrize("size", [1, 100])
async def test_of_a_request_that_goes_again_only_those_leave_who_are_awake(
    show: StartShow, size: int
) -> None:
    playing = await show(throttled=1.0)
    clock = FixedClock(BEFORE)
    await planned(playing, people(3), clock, max_batch=size)
    await playing.serve()
    await playing.execute(
        "UPDATE message SET mobile = %s WHERE customer = 'c0000002'", [NEW_YORKER.mobile]
    )
    await keep_quiet(playing, QuietZone.RECIPIENT)
    behave(playing, throttled=0.0)
    await pass_to(playing, clock, EVENING)
    assert await received(playing) == last_digits(NEW_YORKER)
    await pass_to(playing, clock, MORNING)
    assert len(await received(playing)) == 3
    report = await playing.report()
    assert (report.state, report.submitted) == ("completed", 3)


async def test_a_message_that_was_asked_for_again_is_held_out_of_its_later_attempt(
    show: StartShow,
) -> None:
    playing = await show(throttled=1.0)
    clock = FixedClock(EVENING)
    persons = people(3)
    await planned(playing, [*persons, NEW_YORKER], clock)
    await keep_quiet(playing, QuietZone.RECIPIENT)
    await playing.serve()
    await pass_to(playing, clock, MORNING)
    attempt = "SELECT array_length(message_ids, 1) FROM request WHERE attempt = 1"
    assert await playing.value(attempt) == 3
    await pass_to(playing, clock, EVENING + timedelta(days=1))
    assert await playing.value(attempt) == 1  # now the other one's, who was held meanwhile
    assert (await states(playing))["held"] == 3
    behave(playing, throttled=0.0)
    await pass_to(playing, clock, MORNING + timedelta(days=1))
    assert await received(playing) == last_digits(*persons)
    await pass_to(playing, clock, EVENING + timedelta(days=2))
    assert await received(playing) == last_digits(*persons, NEW_YORKER)
    assert (await playing.report()).state == "completed"
