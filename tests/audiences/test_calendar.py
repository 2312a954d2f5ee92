"""Local days as bounds in UTC, also where clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from textwave.audiences.calendar import Calendar, read_day, read_time
from textwave.audiences.rule import Period


def calendar(now: str, zone: str) -> Calendar:
    return Calendar(datetime.fromisoformat(now), ZoneInfo(zone))


def naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "zone", "days", "low", "high"),
    [
        # an ordinary day in a zone without clock changes; it is the 10th in Shanghai
        ("2026-03-09T17:00+00:00", "Asia/Shanghai", 1, "2026-03-08T16:00", "2026-03-10T16:00"),
        # the clock went forward on 8 March in New York: midnight moved from 05:00 to 04:00 UTC
        ("2026-03-10T12:00+00:00", "America/New_York", 7, "2026-03-03T05:00", "2026-03-11T04:00"),
        # and back on 1 November: today has 25 hours
        ("2026-11-01T12:00+00:00", "America/New_York", 1, "2026-10-31T04:00", "2026-11-02T05:00"),
        # Cairo skips midnight itself on 24 April 2026: the day begins at the change
        ("2026-04-24T12:00+00:00", "Africa/Cairo", 1, "2026-04-22T22:00", "2026-04-24T21:00"),
        ("2026-04-25T12:00+00:00", "Africa/Cairo", 1, "2026-04-23T22:00", "2026-04-25T21:00"),
        # Havana has two midnights on 1 November 2026: the first begins the day
        ("2026-11-02T12:00+00:00", "America/Havana", 1, "2026-11-01T04:00", "2026-11-03T05:00"),
        # leap day: one day before 1 March 2028 is 29 February
        ("2028-03-01T12:00+00:00", "UTC", 1, "2028-02-29T00:00", "2028-03-02T00:00"),
        ("2028-02-29T12:00+00:00", "UTC", 366, "2027-02-28T00:00", "2028-03-01T00:00"),
    ],
)
def test_last_days_are_whole_local_days(
    now: str, zone: str, days: int, low: str, high: str
) -> None:
    assert calendar(now, zone).last_days(days) == (naive(low), naive(high))


def test_last_days_are_the_same_all_day_long() -> None:
    morning = calendar("2026-03-09T16:00+00:00", "Asia/Shanghai")
    night = calendar("2026-03-10T15:59:59+00:00", "Asia/Shanghai")
    assert morning.last_days(30) == night.last_days(30)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05", "2026-01-04T16:00"),
        ("2026-01-05T10:00", "2026-01-05T02:00"),
        ("2026-01-05 10:00:30.5", "2026-01-05T02:00:30.500000"),
        ("2026-01-05T10:00Z", "2026-01-05T10:00"),
        ("2026-01-05T10:00-0500", "2026-01-05T15:00"),
    ],
)
def test_a_time_without_an_offset_is_local(text: str, moment: str) -> None:
    assert calendar("2026-03-10T00:00+00:00", "Asia/Shanghai").moment(text) == naive(moment)


def test_a_local_time_that_is_skipped_is_the_moment_of_the_change() -> None:
    cairo = calendar("2026-04-25T00:00+00:00", "Africa/Cairo")
    assert cairo.moment("2026-04-24") == naive("2026-04-23T22:00")


@pytest.mark.parametrize("text", ["", "2026", "20260105", "2026-W01-1", "2026-13-01", "1899-12-31"])
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert read_time(text) is None


def test_a_written_offset_is_kept() -> None:
    assert read_time("2026-01-05T10:00Z") == datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "previous", "start", "end"),
    [
        (Period.DAY, "2026-03-07T05:00", "2026-03-08T05:00", "2026-03-09T04:00"),
        (Period.WEEK, "2026-02-23T05:00", "2026-03-02T05:00", "2026-03-09T04:00"),
        (Period.MONTH, "2026-02-01T05:00", "2026-03-01T05:00", "2026-04-01T04:00"),
        (Period.YEAR, "2025-01-01T05:00", "2026-01-01T05:00", "2027-01-01T05:00"),
    ],
)
def test_periods_begin_and_end_at_local_midnights(
    period: Period, previous: str, start: str, end: str
) -> None:
    # a Sunday, the last day of its week, on which the clocks go forward
    new_york = calendar("2026-03-08T12:00+00:00", "America/New_York")
    assert new_york.current(period) == (naive(start), naive(end))
    assert new_york.previous(period) == (naive(previous), naive(start))


def test_next_days_are_today_and_the_days_after_it() -> None:
    shanghai = calendar("2026-12-31T15:00+00:00", "Asia/Shanghai")
    assert shanghai.next_days(1) == (naive("2026-12-30T16:00"), naive("2027-01-01T16:00"))


@pytest.mark.parametrize(
    ("now", "days", "born", "is_anniversary"),
    [
        ("2026-02-28T12:00+00:00", 0, "2000-02-29", True),  # no leap day this year
        ("2028-02-28T12:00+00:00", 0, "2000-02-29", False),
        ("2028-02-29T12:00+00:00", 0, "2000-02-29", True),
        ("2026-12-31T12:00+00:00", 1, "1990-01-01", True),  # over the end of the year
        ("2026-12-31T12:00+00:00", 1, "1990-01-02", False),
        ("2026-06-01T12:00+00:00", 0, "2026-06-01", True),  # the day itself
        ("2026-06-01T12:00+00:00", 365, "2026-06-03", True),
        ("2026-06-01T12:00+00:00", 0, "2027-06-01", False),  # not before it has happened
    ],
)
def test_anniversaries_know_leap_days_and_ends_of_years(
    now: str, days: int, born: str, *, is_anniversary: bool
) -> None:
    moment = naive(born)
    anniversaries = calendar(now, "UTC").anniversaries(days)
    assert any(low <= moment < high for low, high in anniversaries.bounds) is is_anniversary
    shown = moment.month * 100 + moment.day
    if is_anniversary and anniversaries.month_days is not None:
        assert shown in anniversaries.month_days


def test_the_end_of_a_calendar_is_in_utc() -> None:
    until = datetime(2026, 3, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    past = Calendar(until, ZoneInfo("Asia/Shanghai"), until)
    assert past.end == naive("2026-02-28T16:00")


@pytest.mark.parametrize("text", ["2026-03-01T00:00", "2026-3-1", "2026-02-29", ""])
def test_what_is_no_day_is_not_read_as_one(text: str) -> None:
    assert read_day(text) is None
