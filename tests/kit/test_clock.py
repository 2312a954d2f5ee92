from datetime import UTC, datetime, timedelta, timezone

import pytest

from textwave.kit.clock import Clock, FixedClock, SystemClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_system_clock_tells_aware_utc_time_and_never_goes_back() -> None:
    clock: Clock = SystemClock()
    earlier = clock.monotonic()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() >= earlier


def test_a_fixed_clock_stands_still_until_it_is_moved() -> None:
    clock: Clock = FixedClock(NOON)
    assert (clock.now(), clock.now()) == (NOON, NOON)


def test_a_moved_clock_moves_both_of_its_readings() -> None:
    clock = FixedClock(NOON)
    before = clock.monotonic()
    clock.advance(timedelta(seconds=90))
    assert clock.now() == NOON + timedelta(seconds=90)
    assert clock.monotonic() - before == 90


def test_a_fixed_clock_set_in_another_time_zone_tells_utc() -> None:
    clock = FixedClock(NOON)
    clock.set(datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now().isoformat() == "2026-03-01T00:00:00+00:00"


def test_a_clock_refuses_a_naive_time() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        FixedClock(NOON.replace(tzinfo=None))
