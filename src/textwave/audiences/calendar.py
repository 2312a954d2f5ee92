"""Times of a rule as bounds in naive UTC, which is how the lake keeps time.

Dates and times without an offset are the workspace's local ones. A local time that a clock change
skips is the moment of the change; one that happens twice is the first of the two.
"""

import calendar as gregorian
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from textwave.audiences.rule import Period

Bounds = tuple[datetime, datetime]
"""From (included), until (not), both naive UTC."""

FIRST_YEAR, LAST_YEAR = 1900, 2200
_DATE_CHARACTERS = len("2026-01-31")
_WHOLE_YEAR_DAYS = 366
_DAY = timedelta(days=1)
_match_time = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
).fullmatch


def read_time(text: str) -> datetime | None:
    """Read an ISO date or time; None if it is none or lies outside the years 1900 to 2200.

    The result is aware only if an offset was written; a date is its midnight.
    """
    if not _match_time(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def read_day(text: str) -> date | None:
    """Read an ISO date without a time; None if it is none."""
    moment = read_time(text)
    return moment.date() if moment is not None and len(text) == _DATE_CHARACTERS else None


@dataclass(frozen=True, slots=True)
class Anniversaries:
    """When something was whose anniversary falls on one of some days.

    `month_days` are all months and days (February 3 is 203) that its time in UTC may show; None:
    any.
    """

    bounds: tuple[Bounds, ...]
    month_days: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The present, and the time zone in which days begin. `now` is aware.

    With `until` (aware), what happened at that time or later does not count: the past as it was.
    """

    now: datetime
    zone: ZoneInfo
    until: datetime | None = None

    def moment(self, text: str) -> datetime:
        """Return a written date or time as naive UTC; a date is the first moment of that day.

        Raises:
            ValueError: it is no ISO date or time; `check` refuses such a rule.
        """
        moment = read_time(text)
        if moment is None:
            raise ValueError(f"{text!r} is no ISO date or time")
        return _naive_utc(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    @property
    def end(self) -> datetime | None:
        """From when on nothing counts, as naive UTC."""
        return None if self.until is None else _naive_utc(self.until)

    @property
    def today(self) -> date:
        """The day that it is in the workspace's zone."""
        return self.now.astimezone(self.zone).date()

    def last_days(self, days: int) -> Bounds:
        """Return the bounds of today and so many days before it.

        Both are local midnights, so a rule selects the same customers all day long.
        """
        return self._bounds(self.today - timedelta(days=days), self.today + _DAY)

    def next_days(self, days: int) -> Bounds:
        """Return the bounds of today and so many days after it."""
        return self._bounds(self.today, self.today + timedelta(days=days + 1))

    def current(self, period: Period) -> Bounds:
        """Return the bounds of the day, week, month or year that it is."""
        start = _start(self.today, period)
        return self._bounds(start, _following(start, period))

    def previous(self, period: Period) -> Bounds:
        """Return the bounds of the day, week, month or year before the present one."""
        end = _start(self.today, period)
        return self._bounds(_start(end - _DAY, period), end)

    def anniversaries(self, days: int) -> Anniversaries:
        """Return when something was whose anniversary is today or one of so many days after it.

        The day itself counts as one. 29 February counts on 28 February in years without it.
        """
        coming = [self.today + timedelta(days=ahead) for ahead in range(days + 1)]
        ranges = _joined_days(day for last in coming for day in _same_days(last))
        return Anniversaries(
            tuple(self._bounds(first, last + _DAY) for first, last in ranges),
            _month_days(coming) if days + 2 < _WHOLE_YEAR_DAYS else None,
        )

    def _bounds(self, first: date, end: date) -> Bounds:
        return self._midnight(first), self._midnight(end)

    def _midnight(self, day: date) -> datetime:
        return _naive_utc(datetime.combine(day, time(), tzinfo=self.zone))


def _naive_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _start(day: date, period: Period) -> date:
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)


def _following(start: date, period: Period) -> date:
    longest = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31, Period.YEAR: _WHOLE_YEAR_DAYS}
    return _start(start + timedelta(days=longest[period]), period)


def _same_days(day: date) -> Iterator[date]:
    """Give all days, since the first year, that have their anniversary on this day."""
    no_leap_day = (day.month, day.day) == (2, 28) and not gregorian.isleap(day.year)
    for year in range(FIRST_YEAR, day.year + 1):
        if (day.month, day.day) != (2, 29) or gregorian.isleap(year):
            yield day.replace(year=year)
        if no_leap_day and gregorian.isleap(year):
            yield date(year, 2, 29)


def _joined_days(days: Iterable[date]) -> list[tuple[date, date]]:
    """Join days that follow one another to ranges of first and last day."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1][1] == _DAY:
            ranges[-1] = ranges[-1][0], day
        else:
            ranges.append((day, day))
    return ranges


def _month_days(coming: Iterable[date]) -> tuple[int, ...]:
    """Return the months and days that these days may have in UTC; a leap year knows them all."""
    shown: set[int] = set()
    for day in coming:
        shifted = {day + timedelta(days=shift) for shift in (-1, 0, 1)}
        shown |= {around.month * 100 + around.day for around in shifted}
    return tuple(sorted(shown | {229} if shown & {228, 301} else shown))
