"""Days of the workspace's calendar for times that are kept in naive UTC, in any engine.

The engine has no time zones. So the days since 1970 are cut into stretches whose days all begin at
the same time of day in UTC, which are few; a day of another length is a stretch of its own.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

EARLIEST: Final = date(1970, 1, 1)
"""Days before this one are taken to begin at the hour at which this one does."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From this moment on (naive UTC), days begin `shift` after midnight in UTC.

    `last`: its last day where that is longer than others; its last hours would count as the next.
    """

    begins: datetime
    shift: timedelta
    last: date | None = None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a local day as naive UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


@lru_cache(maxsize=100)
def stretches(zone: ZoneInfo, until: date) -> tuple[Stretch, ...]:
    """Return the stretches from 1970 to the day `until`, the newest first."""
    found = [_stretch(EARLIEST, zone)]
    day = EARLIEST
    while day < until:
        # no zone changes its clocks and changes them back within a week
        even = _stretch(day + _WEEK, zone).shift == found[-1].shift
        day += _WEEK if even else _DAY
        stretch = _stretch(day, zone)
        if stretch.shift > found[-1].shift:
            found[-1] = replace(found[-1], last=day - _DAY)
        if stretch.shift != found[-1].shift:
            found.append(stretch)
    return tuple(found[::-1])


def days_until(moment: ir.Value, day: date, zone: ZoneInfo) -> ir.IntegerValue:
    """Return the whole days between the local date of a moment and `day`."""
    column: Any = moment
    known = stretches(zone, day + _DAY)
    branches = [
        (column >= ibis.literal(stretch.begins), _counted(column, stretch, day))
        for stretch in known[:-1]
    ]
    oldest = _counted(column, known[-1], day)
    return cast("ir.IntegerValue", ibis.cases(*branches, else_=oldest) if branches else oldest)


def _stretch(day: date, zone: ZoneInfo) -> Stretch:
    begins = midnight(day, zone)
    return Stretch(begins, begins - datetime.combine(day, time()))


def _counted(column: Any, stretch: Stretch, day: date) -> Any:
    seconds = int(stretch.shift.total_seconds())
    last_day: Any = ibis.literal(day)
    local = column - ibis.interval(seconds=seconds) if seconds else column
    days = last_day.delta(local.date(), unit="day").cast("int64")
    if stretch.last is None:
        return days
    return ibis.greatest(days, ibis.literal((day - stretch.last).days, type="int64"))
