"""Times of a whole file as naive UTC, which is how the warehouse keeps time.

A time without an offset, and a date, is the workspace's local one, as in rules: a local time that
happens twice is the first of the two, one that a clock change skips moves forward by the gap.
Taken are the years 1 to 9999.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

_TAKEN: Final = "BETWEEN TIMESTAMP '0001-01-03' AND TIMESTAMP '9999-12-29'"
_OFFSET_PATTERN: Final = ":.*[Zz+-]|[A-Za-z]{3}"
_STEP: Final = timedelta(days=1)
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which clocks show UTC plus an offset, until a local time (not included)."""

    offset: timedelta
    until: datetime | None


def has_offset(cell: str) -> str:
    """Return the expression for whether a written time says its offset or zone."""
    return f"coalesce(regexp_matches({cell}, '{_OFFSET_PATTERN}'), false)"


def read_time(cell: str, with_offset: str) -> str:
    """Return the expression for a time: in UTC if it says its offset, else as it stands."""
    # the type with a zone honours an offset; the one without would drop it silently
    honoured = f"try_cast({cell} AS TIMESTAMPTZ)::TIMESTAMP"
    time = f"CASE WHEN {with_offset} THEN {honoured} ELSE try_cast({cell} AS TIMESTAMP) END"
    return f"(SELECT CASE WHEN x {_TAKEN} THEN x END FROM (SELECT {time} AS x))"


def in_utc(cell: str, periods: list[Period]) -> str:
    """Return the expression for a local time as UTC, by halving the periods."""
    if len(periods) == 1:
        return f"{cell} - to_seconds({int(periods[0].offset.total_seconds())})"
    middle = len(periods) // 2
    until = periods[middle - 1].until
    earlier, later = in_utc(cell, periods[:middle]), in_utc(cell, periods[middle:])
    return f"CASE WHEN {cell} < TIMESTAMP '{until}' THEN {earlier} ELSE {later} END"


def periods_between(zone: ZoneInfo, first: datetime, last: datetime) -> list[Period]:
    """Return the periods of a zone that hold all local times from `first` to `last`, in order."""
    begin = max(first.replace(tzinfo=UTC), _FIRST + _STEP) - _STEP
    end = min(last.replace(tzinfo=UTC), _LAST - _STEP) + _STEP
    periods: list[Period] = []
    for change in _changes(zone, begin, end):
        before, after = (_offset(zone, change - timedelta(seconds=1)), _offset(zone, change))
        local = change.replace(tzinfo=None) + max(before, after)
        periods.append(Period(before, local))
    return [*periods, Period(_offset(zone, end), None)]


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Find the moments from which another offset holds, to the second."""
    days = (end - begin) // _STEP + 1
    steps = (min(begin + day * _STEP, end) for day in range(days + 1))
    for before, after in pairwise(steps):
        if _offset(zone, before) != _offset(zone, after):
            yield _change(zone, before, after)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(zone, before)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, before + timedelta(seconds=middle)) == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return zone.utcoffset(moment.astimezone(zone)) or timedelta()
