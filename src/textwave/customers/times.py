"""Times of a whole file as naive UTC, which is how the warehouse keeps time.

A time without an offset, and a date, is the workspace's local one, as in rules: a local time that
happens twice is the first of the two, one that a clock change skips moves forward by the gap.
Taken are the years 1 to 9999; before 1900 and after 2200 (“9999-12-31”) a time stays as it stands,
for no rule can name one there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

TAKEN: Final = "BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'"
CONVERTED: Final = "BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2200-12-31 23:59:59.999999'"
_OFFSET_PATTERN: Final = ":.*[Zz+-]|[A-Za-z]{3}"
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which clocks show UTC plus an offset, until a local time (not included)."""

    offset: timedelta
    until: datetime | None


def has_offset(cell: str) -> str:
    """Return the expression for whether a written time says its offset or zone."""
    # the two usual writings are told apart without the pattern, which costs four times as much
    plain = f"{cell} LIKE '____-__-__' OR ({cell} LIKE '____-__-__ __:__:__' AND {cell}[19] <= '9')"
    matches = f"coalesce(regexp_matches({cell}, '{_OFFSET_PATTERN}'), false)"
    return f"CASE WHEN {plain} THEN false ELSE {matches} END"


def read_time(cell: str, with_offset: str) -> str:
    """Return the expression for a time: in UTC if it says its offset, else as it stands."""
    # the type with a zone honours an offset; the one without would drop it silently
    honoured = f"try_cast({cell} AS TIMESTAMPTZ)::TIMESTAMP"
    return f"CASE WHEN {with_offset} THEN {honoured} ELSE try_cast({cell} AS TIMESTAMP) END"


def in_utc(cell: str, with_offset: str, periods: list[Period]) -> str:
    """Return the expression for what `read_time` gave, in UTC."""
    local = f"NOT {with_offset} AND {cell} {CONVERTED}"
    return f"CASE WHEN {local} THEN {_moved(cell, periods)} ELSE {cell} END"


def _moved(cell: str, periods: list[Period]) -> str:
    if len(periods) == 1:
        return f"{cell} - to_seconds({int(periods[0].offset.total_seconds())})"
    middle = len(periods) // 2
    until = periods[middle - 1].until
    earlier, later = _moved(cell, periods[:middle]), _moved(cell, periods[middle:])
    return f"CASE WHEN {cell} < TIMESTAMP '{until}' THEN {earlier} ELSE {later} END"


def periods_between(zone: ZoneInfo, first: datetime, last: datetime) -> list[Period]:
    """Return the periods of a zone that hold all local times from `first` to `last`, in order."""
    begin, end = first.replace(tzinfo=UTC) - _DAY, last.replace(tzinfo=UTC) + _DAY
    periods: list[Period] = []
    for change in _changes(zone, begin, end):
        before, after = _offset(zone, change - _SECOND), _offset(zone, change)
        # the first of two equal times, and a skipped time, are counted from the old offset
        until = change.replace(tzinfo=None) + max(before, after)
        periods.append(Period(before, until))
    return [*periods, Period(_offset(zone, end), None)]


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Find the moments from which another offset holds, to the second."""
    days = [begin + day * _DAY for day in range((end - begin) // _DAY + 1)]
    known = [(day, _offset(zone, day)) for day in (*days, end)]
    for (day, before), (next_day, after) in pairwise(known):
        if before != after:
            yield change_between(zone, day, next_day)


def change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Halve the span until it is one second; whatever the parts of a second, changes have none."""
    old, low = _offset(zone, before), before.replace(microsecond=0)
    high = after.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return high


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
