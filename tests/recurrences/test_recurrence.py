"""Rhythms against an oracle that walks through the minutes, around clock changes and month ends."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.recurrences.recurrence import (
    LAST,
    Every,
    Rhythm,
    RhythmUnfit,
    Span,
    check_rhythm,
    check_span,
    describe,
    next_run,
    next_runs,
    read_rhythm,
    write_rhythm,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

# Around them clocks change in either zone, months and years end, and February has 28 or 29 days.
AROUND = [
    date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1), date(2027, 3, 28),
    date(2026, 2, 28), date(2028, 2, 29), date(2026, 4, 30), date(2026, 12, 31),
]  # fmt: skip

TIMES = st.one_of(
    st.times(),
    st.builds(time, st.integers(0, 3), st.sampled_from([0, 1, 29, 30, 31, 59])),
).map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
RHYTHMS = st.one_of(
    st.builds(lambda at: Rhythm(Every.DAY, at), TIMES),
    st.builds(
        lambda at, days: Rhythm(Every.WEEK, at, tuple(days)),
        TIMES,
        st.lists(st.integers(1, 7), min_size=1, unique=True).map(sorted),
    ),
    st.builds(lambda at, day: Rhythm(Every.MONTH, at, day=day), TIMES, st.integers(1, 31)),
    st.builds(
        lambda at, day, nth: Rhythm(Every.MONTH, at, (day,), nth=nth),
        TIMES,
        st.integers(1, 7),
        st.sampled_from([1, 2, 3, 4, LAST]),
    ),
)


def wanted_days(rhythm: Rhythm, year: int, month: int) -> set[date]:
    """The oracle's days of a month, from its written calendar."""
    weeks = calendar.Calendar().monthdatescalendar(year, month)
    days = [day for week in weeks for day in week if day.month == month]
    if rhythm.every is Every.DAY:
        return set(days)
    chosen = [day for day in days if day.isoweekday() in rhythm.weekdays]
    if rhythm.every is Every.WEEK:
        return set(chosen)
    if rhythm.day is not None:
        return {[day for day in days if day.day <= rhythm.day][-1]}
    assert rhythm.nth is not None
    return {chosen[rhythm.nth if rhythm.nth == LAST else rhythm.nth - 1]}


def oracle(rhythm: Rhythm, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The runs after `begin` until `end`, minute by minute.

    A run is at the first minute at which the wall shows its time or, where clocks jump, a later
    one; a wall that goes back shows nothing new.
    """
    runs: list[datetime] = []
    minute, furthest = begin, (begin - DAY).astimezone(zone).replace(tzinfo=None)
    while (minute := minute - MINUTE) > begin - 3 * DAY:
        furthest = max(furthest, minute.astimezone(zone).replace(tzinfo=None))
    furthest = max(furthest, begin.astimezone(zone).replace(tzinfo=None))
    days = {
        day
        for month in ((begin - DAY), begin, end)
        for day in wanted_days(rhythm, month.astimezone(zone).year, month.astimezone(zone).month)
    }
    walls = sorted(datetime.combine(day, rhythm.at) for day in days)
    minute = begin
    while (minute := minute + MINUTE) <= end:
        wall = minute.astimezone(zone).replace(tzinfo=None)
        runs += [minute] * sum(furthest < wanted <= wall for wanted in walls)
        furthest = max(furthest, wall)
    return runs


@settings(max_examples=80, deadline=None)
@given(RHYTHMS, st.sampled_from([BERLIN, NEW_YORK]), st.sampled_from(AROUND), st.integers(0, 1439))
def test_runs_are_those_of_a_wall_clock_watched_minute_by_minute(
    rhythm: Rhythm, zone: ZoneInfo, day: date, minute: int
) -> None:
    begin = datetime.combine(day, time(), tzinfo=UTC) - DAY + minute * MINUTE
    end = begin + 3 * DAY
    found = next_runs(rhythm, zone=zone, span=Span(date(2020, 1, 1)), after=begin, count=5)
    assert [run for run in found if run <= end] == oracle(rhythm, zone, begin, end)


def runs(rhythm: Rhythm, zone: ZoneInfo, after: str, count: int = 3) -> list[str]:
    moment = datetime.fromisoformat(after).replace(tzinfo=zone)
    found = next_runs(rhythm, zone=zone, span=Span(date(2020, 1, 1)), after=moment, count=count)
    return [run.astimezone(zone).isoformat(timespec="minutes") for run in found]


def test_a_skipped_time_is_the_moment_of_the_change_and_a_repeated_one_runs_once() -> None:
    daily = Rhythm(Every.DAY, time(2, 30))
    assert runs(daily, BERLIN, "2026-03-28T12:00") == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
        "2026-03-31T02:30+02:00",
    ]
    assert runs(daily, BERLIN, "2026-10-24T12:00", 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]


def test_day_31_is_the_last_day_of_each_month() -> None:
    monthly = Rhythm(Every.MONTH, time(9), day=31)
    assert [run[:10] for run in runs(monthly, BERLIN, "2027-12-31T10:00", 4)] == [
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
    ]


def test_the_last_friday_may_be_the_fourth_or_the_fifth() -> None:
    last = Rhythm(Every.MONTH, time(9), (5,), nth=LAST)
    assert [run[:10] for run in runs(last, NEW_YORK, "2026-09-30T00:00")] == [
        "2026-10-30",
        "2026-11-27",
        "2026-12-25",
    ]


def test_no_run_is_before_the_first_or_after_the_last_day() -> None:
    span = Span(date(2026, 12, 1), date(2026, 12, 2))
    daily = Rhythm(Every.DAY, time(9))
    now = datetime(2026, 11, 1, tzinfo=UTC)
    found = next_runs(daily, zone=BERLIN, span=span, after=now, count=5)
    assert [run.date() for run in found] == [date(2026, 12, 1), date(2026, 12, 2)]
    assert next_run(daily, zone=BERLIN, span=span, after=found[-1]) is None


@pytest.mark.parametrize(
    ("rhythm", "problem"),
    [
        (Rhythm(Every.DAY, time(9), (1,)), "takes a time only"),
        (Rhythm(Every.WEEK, time(9)), "one or more weekdays"),
        (Rhythm(Every.WEEK, time(9), (8,)), "from 1"),
        (Rhythm(Every.MONTH, time(9)), "either a day"),
        (Rhythm(Every.MONTH, time(9), (1,), day=3, nth=1), "either a day"),
        (Rhythm(Every.MONTH, time(9), day=32), "1 to 31"),
        (Rhythm(Every.MONTH, time(9), (1, 2), nth=1), "exactly one weekday"),
        (Rhythm(Every.MONTH, time(9), (1,), nth=5), "1, 2, 3, 4 or -1"),
    ],
)
def test_a_rhythm_that_says_no_times_is_refused(rhythm: Rhythm, problem: str) -> None:
    with pytest.raises(RhythmUnfit, match=problem):
        check_rhythm(rhythm)


def test_days_without_a_run_are_refused() -> None:
    monthly = Rhythm(Every.MONTH, time(9), day=15)
    with pytest.raises(RhythmUnfit, match="no every day 15 of the month"):
        check_span(Span(date(2026, 12, 1), date(2026, 12, 14)), monthly)
    with pytest.raises(RhythmUnfit, match="is before"):
        check_span(Span(date(2026, 12, 2), date(2026, 12, 1)), monthly)


def test_a_rhythm_is_told_in_words() -> None:
    assert describe(Rhythm(Every.DAY, time(9))) == "every day at 09:00"
    assert describe(Rhythm(Every.WEEK, time(9), (1, 4))) == "every Monday, Thursday at 09:00"
    friday = Rhythm(Every.MONTH, time(9), (5,), nth=LAST)
    assert describe(friday) == "every last Friday of the month at 09:00"


@given(RHYTHMS)
def test_a_kept_rhythm_is_read_as_it_was(rhythm: Rhythm) -> None:
    assert read_rhythm(write_rhythm(rhythm)) == check_rhythm(rhythm)
