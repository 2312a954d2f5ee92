"""Scales: numbers and times put into a few ranges, so that their shares can be compared.

A number has the deciles of everyone as its bounds; a time has months when all of them lie within
three years, else years, some at a time if there are many. A range begins at its lower bound and
ends before its upper one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import ibis

DECILES: Final = tuple(n / 10 for n in range(1, 10))
MOST_RANGES: Final = 49
_MOST_MONTHS: Final = 36
_MONTHS: Final = 12
_FIRST, _LAST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - naive UTC, as in the lake


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds in rising order, and the name of each range: one more than there are bounds."""

    bounds: tuple[Any, ...]
    labels: tuple[str, ...]

    def place(self, column: Any) -> Any:
        """Return the number of the range that each value lies in; null where there is none."""
        return ibis.ifelse(column.isnull(), ibis.null("int64"), _place(column, self.bounds, 0))

    def place_of(self, value: Any) -> int:
        """Return the number of the range that one value lies in."""
        return bisect_right(self.bounds, value)


def number_scale(deciles: Sequence[float]) -> Scale:
    """Return the scale of these deciles, equal ones once."""
    bounds = tuple(sorted({float(bound) for bound in deciles}))
    written = [f"{bound:,.15g}" for bound in bounds]
    between = (f"{low} – {high}" for low, high in pairwise(written))
    return Scale(bounds, (f"< {written[0]}", *between, f"≥ {written[-1]}"))


def time_scale(first: datetime, last: datetime, zone: ZoneInfo) -> Scale:
    """Return the scale from the first to the last time (naive UTC), in the zone's calendar."""
    begin = max(first, _FIRST).replace(tzinfo=UTC).astimezone(zone)
    end = min(last, _LAST).replace(tzinfo=UTC).astimezone(zone)
    months = (end.year - begin.year) * _MONTHS + end.month - begin.month + 1
    if months <= _MOST_MONTHS:
        starts = [_month(begin, n) for n in range(months)]
        labels = [f"{start:%Y-%m}" for start in starts]
    else:
        step = -(-(end.year - begin.year + 1) // MOST_RANGES)
        starts = [date(year, 1, 1) for year in range(begin.year, end.year + 1, step)]
        labels = [_years(start.year, min(start.year + step - 1, end.year)) for start in starts]
    return Scale(tuple(_midnight(start, zone) for start in starts[1:]), tuple(labels))


def _years(first: int, last: int) -> str:
    return f"{first:04}" if first == last else f"{first:04} – {last:04}"


def _month(begin: datetime, later: int) -> date:
    years, month = divmod(begin.month - 1 + later, _MONTHS)
    return date(begin.year + years, month + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(UTC).replace(tzinfo=None)


def _place(column: Any, bounds: Sequence[Any], first: int) -> Any:
    """Search as a balanced tree: a value is compared with a handful of the bounds."""
    if not bounds:
        return ibis.literal(first, "int64")
    middle = len(bounds) // 2
    return ibis.ifelse(
        column < ibis.literal(bounds[middle]),
        _place(column, bounds[:middle], first),
        _place(column, bounds[middle + 1 :], first + middle + 1),
    )
