"""The rhythm of a recurring campaign: daily, weekly, monthly, at a local time of the workspace.

A local time that a clock change skips is the moment of the change; one that happens twice is the
first of the two. A day that a month does not have is its last day. Refused is a rhythm that says
no time, or never comes.
"""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from textwave.customers.schedule import first_moment
from textwave.kit.refusal import Refusal

LAST: Final = -1
_NTH: Final = (1, 2, 3, 4, LAST)
_WEEK: Final = range(1, 8)
_LONGEST_MONTH: Final = 31
_DAY: Final = timedelta(days=1)
_ORDINALS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a campaign recurs.

    A week: on its `weekdays` (Monday is 1). A month: on its `day` (31: the last day of each), or
    on the `nth` (1-4, or -1 for the last) of its one weekday.
    """

    every: Every
    at: time
    weekdays: tuple[int, ...] = ()
    day: int | None = None
    nth: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which runs may be, both included; no end: for ever."""

    starts_on: date
    ends_on: date | None = None


@dataclass(eq=False)
class RhythmUnfit(Refusal):
    """What was given says no times at which a campaign recurs."""

    code: ClassVar[str] = "rhythm_unfit"
    place: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.place}: {self.problem}"


def check_rhythm(rhythm: Rhythm) -> Rhythm:
    """Return a rhythm in its one spelling.

    Raises:
        RhythmUnfit: something is missing, too much, or out of its bounds.
    """
    weekdays = tuple(sorted(set(rhythm.weekdays)))
    if set(weekdays) - set(_WEEK):
        raise RhythmUnfit("weekdays", "name days of the week from 1 (Monday) to 7 (Sunday).")
    by_day, by_weekday = rhythm.day is not None, rhythm.nth is not None
    match rhythm.every:
        case Every.DAY if weekdays or by_day or by_weekday:
            raise RhythmUnfit("every", "“day” takes a time only. Use “week” for certain weekdays.")
        case Every.WEEK if by_day or by_weekday or not weekdays:
            raise RhythmUnfit("weekdays", "“week” takes one or more weekdays and nothing else.")
        case Every.MONTH:
            _check_month(rhythm, weekdays)
        case _:
            pass
    at = rhythm.at.replace(second=0, microsecond=0, tzinfo=None)
    return Rhythm(rhythm.every, at, weekdays, rhythm.day, rhythm.nth)


def _check_month(rhythm: Rhythm, weekdays: tuple[int, ...]) -> None:
    if (rhythm.day is None) == (rhythm.nth is None):
        raise RhythmUnfit("day", "“month” takes either a day (1-31) or nth with one weekday.")
    if rhythm.day is not None and (weekdays or not 1 <= rhythm.day <= _LONGEST_MONTH):
        raise RhythmUnfit("day", "give a day from 1 to 31, without weekdays; 31 is the last day.")
    if rhythm.nth is not None and (rhythm.nth not in _NTH or len(weekdays) != 1):
        raise RhythmUnfit("nth", "give 1, 2, 3, 4 or -1 (the last) with exactly one weekday.")


def check_span(span: Span, rhythm: Rhythm) -> None:
    """Accept days within which there is a run.

    Raises:
        RhythmUnfit: there is none.
    """
    if span.ends_on is None:
        return
    if span.ends_on < span.starts_on:
        raise RhythmUnfit("ends_on", f"{span.ends_on} is before {span.starts_on}, its first day.")
    if next(_days(rhythm, span.starts_on, span.ends_on), None) is None:
        problem = f"there is no {describe(rhythm)} from {span.starts_on} to {span.ends_on}."
        raise RhythmUnfit("ends_on", problem)


def next_run(rhythm: Rhythm, *, zone: ZoneInfo, span: Span, after: datetime) -> datetime | None:
    """Return the first run after `after` (aware) as UTC; None when there is none any more."""
    return next(_runs(rhythm, zone, span, after), None)


def next_runs(
    rhythm: Rhythm, *, zone: ZoneInfo, span: Span, after: datetime, count: int
) -> list[datetime]:
    """Return the first runs after `after`, at most so many."""
    return list(islice(_runs(rhythm, zone, span, after), count))


def _runs(rhythm: Rhythm, zone: ZoneInfo, span: Span, after: datetime) -> Iterator[datetime]:
    # the day before: a clock change may move the end of a day past its midnight
    begin = max(span.starts_on, after.astimezone(zone).date() - _DAY)
    for day in _days(rhythm, begin, span.ends_on):
        moment = first_moment(datetime.combine(day, rhythm.at), zone)
        if moment > after:
            yield moment


def _days(rhythm: Rhythm, begin: date, end: date | None) -> Iterator[date]:
    """Give the days of the rhythm from `begin` to `end`, both included, in order."""
    day = begin
    while end is None or day <= end:
        if _is_on(rhythm, day):
            yield day
        day += _DAY


def _is_on(rhythm: Rhythm, day: date) -> bool:
    if rhythm.every is Every.DAY:
        return True
    if rhythm.every is Every.WEEK:
        return day.isoweekday() in rhythm.weekdays
    last = calendar.monthrange(day.year, day.month)[1]
    if rhythm.day is not None:
        return day.day == min(rhythm.day, last)
    if day.isoweekday() != rhythm.weekdays[0]:
        return False
    if rhythm.nth == LAST:
        return day.day + 7 > last
    return (day.day - 1) // 7 + 1 == rhythm.nth


def describe(rhythm: Rhythm) -> str:
    """Say a rhythm in English, without its time zone."""
    at = f"at {rhythm.at:%H:%M}"
    if rhythm.every is Every.DAY:
        return f"every day {at}"
    names = ", ".join(calendar.day_name[day - 1] for day in rhythm.weekdays)
    if rhythm.every is Every.WEEK:
        return f"every {names} {at}"
    if rhythm.nth is not None:
        return f"every {_ORDINALS[rhythm.nth]} {names} of the month {at}"
    if rhythm.day == _LONGEST_MONTH:
        return f"every last day of the month {at}"
    return f"every day {rhythm.day} of the month {at}"


def write_rhythm(rhythm: Rhythm) -> dict[str, Any]:
    """Return a rhythm as it is kept and given as JSON."""
    return {
        "every": str(rhythm.every),
        "at": rhythm.at.isoformat("minutes"),
        "weekdays": list(rhythm.weekdays),
        "day": rhythm.day,
        "nth": rhythm.nth,
    }


def read_rhythm(kept: Mapping[str, Any]) -> Rhythm:
    """Read what `write_rhythm` gave."""
    return Rhythm(
        Every(kept["every"]),
        time.fromisoformat(kept["at"]),
        tuple(kept["weekdays"]),
        kept["day"],
        kept["nth"],
    )
