"""Quiet hours and holidays, against a clock that is watched minute by minute."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textwave.kit.refusal import InvalidValue
from textwave.limits.quiet import (
    NEVER,
    Holiday,
    QuietTimes,
    check_hours,
    opening,
    read_holiday,
)
from textwave.limits.zones import zone_names, zones

MINUTE = timedelta(minutes=1)
NEW_YORK, SHANGHAI = ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")
ZONES = (NEW_YORK, SHANGHAI, ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe"))
CHANGES = (
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York goes on
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # and back
    datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe goes back by half an hour
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
)
quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
moments = st.builds(
    lambda change, minutes: change + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)


def watched(times: QuietTimes, zone: ZoneInfo, begin: datetime, minutes: int) -> list[bool]:
    """Say of each minute whether it is quiet, by a local clock that is never put back."""
    quiet: list[bool] = []
    latest = datetime.min  # noqa: DTZ901 - a local time
    for n in range(-50 * 60, minutes):
        latest = max(latest, (begin + n * MINUTE).astimezone(zone).replace(tzinfo=None))
        if n >= 0:
            quiet.append(is_quiet(times, latest))
    return quiet


def is_quiet(times: QuietTimes, local: datetime) -> bool:
    if any(holiday.begins <= local < holiday.ends for holiday in times.holidays):
        return True
    first, last = times.daily_from, times.daily_until
    if first is None or last is None:
        return False
    if first < last:
        return first <= local.time() < last
    return local.time() >= first or local.time() < last


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), quarters, quarters, moments)
@example(NEW_YORK, time(22), time(2, 30), datetime(2026, 3, 8, 6, 45, tzinfo=UTC))
@example(NEW_YORK, time(22), time(1, 30), datetime(2026, 11, 1, 5, 45, tzinfo=UTC))
def test_the_window_opens_at_the_first_minute_that_is_not_quiet(
    zone: ZoneInfo, first: time, last: time, now: datetime
) -> None:
    if first == last:
        return
    times = QuietTimes(first, last)
    quiet = watched(times, zone, now, 26 * 60)
    expected = None if not quiet[0] else now + quiet.index(False) * MINUTE
    assert opening(times, (zone,), now) == expected


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(ZONES),
    moments,
    st.lists(st.tuples(st.integers(-48, 24), st.integers(1, 30)), min_size=1, max_size=4),
)
def test_holidays_that_follow_each_other_are_waited_for_together_with_the_night(
    zone: ZoneInfo, now: datetime, spans: list[tuple[int, int]]
) -> None:
    local = now.astimezone(zone).replace(tzinfo=None, minute=0)
    holidays = tuple(
        Holiday(str(n), local + timedelta(hours=start), local + timedelta(hours=start + length))
        for n, (start, length) in enumerate(spans)
    )
    times = QuietTimes(time(21), time(9), holidays)
    quiet = watched(times, zone, now, 5 * 24 * 60)
    expected = None if not quiet[0] else now + quiet.index(False) * MINUTE
    assert opening(times, (zone,), now) == expected


def test_somebody_in_several_zones_is_left_alone_while_it_is_quiet_in_any() -> None:
    times = QuietTimes(time(21), time(9))
    evening = datetime(2026, 6, 1, 1, 30, tzinfo=UTC)  # New York 21:30, Los Angeles 18:30
    several = (NEW_YORK, ZoneInfo("America/Los_Angeles"))
    assert opening(times, several[1:], evening) is None
    assert opening(times, several, evening) == datetime(2026, 6, 1, 16, tzinfo=UTC)


def test_for_somebody_in_zones_all_around_the_world_it_never_opens() -> None:
    times = QuietTimes(time(18), time(12))
    around = (SHANGHAI, NEW_YORK, ZoneInfo("Europe/London"))
    assert opening(times, around, CHANGES[0]) == NEVER


def test_a_number_tells_its_zones_and_an_unknown_one_is_in_the_workspace_s() -> None:
    assert zone_names(8615412345678) == ("Asia/Shanghai",)
    assert zone_names(12125550123) == ("America/New_York",)
    assert "America/Los_Angeles" in zone_names(18005550123)
    assert "Europe/London" in zone_names(447700900123)
    assert zones(zone_names(9990000000), "Asia/Tokyo") == (ZoneInfo("Asia/Tokyo"),)


@pytest.mark.parametrize(("first", "last"), [(time(9), time(9)), (time(9), None), (None, time(9))])
def test_hours_that_never_end_or_have_one_end_are_refused(
    first: time | None, last: time | None
) -> None:
    with pytest.raises(InvalidValue):
        check_hours(first, last)


def test_the_last_day_of_a_holiday_belongs_to_it() -> None:
    days = read_holiday("Spring Festival", "2027-02-05", "2027-02-11")
    assert (days.begins.isoformat(), days.ends.isoformat()) == (
        "2027-02-05T00:00:00",
        "2027-02-12T00:00:00",
    )
    hours = read_holiday("New Year", "2026-12-31T18:00", "2027-01-01T10:00")
    assert hours.ends.isoformat() == "2027-01-01T10:00:00"


@pytest.mark.parametrize(
    ("begins", "ends", "problem"),
    [
        ("2027-02-11", "2027-02-05", "2027-02-05 is before 2027-02-11"),
        ("2027-02-05T18:00", "2027-02-05T18:00", "is when the holiday begins"),
        ("2027-02-05", "2028-02-05", "more than 60 days"),
        ("soon", "2027-02-05", "“soon” is no day or local time"),
        ("2027-02-05T18:00+08:00", "2027-02-06", "has an offset"),
        ("0001-01-01", "0001-01-02", "out of all calendars"),
        ("9999-12-31", "9999-12-31", "out of all calendars"),
    ],
)
def test_holidays_that_make_no_sense_are_refused(begins: str, ends: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        read_holiday("holiday", begins, ends)
