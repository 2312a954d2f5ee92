"""Local days as bounds in UTC, also where clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from textwave.audiences.calendar import Calendar, read_time


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
