"""Quiet hours and holidays: when somebody must not be written to, and when that ends.

All times are local. A quiet time runs from the first moment of its beginning to the first of its
end, so that clock changes neither skip nor repeat it. Somebody who may be in several zones is left
alone while it is quiet in any of them. Refuses hours that never end and more than 20 holidays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from textwave.customers.schedule import first_moment
from textwave.kit.refusal import InvalidValue, Refusal

QUIET_HOURS: Final = "quiet hours"
MOST_HOLIDAYS: Final = 20
LONGEST_HOLIDAY: Final = timedelta(days=60)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""The opening for somebody who is in so many zones that it is always quiet in one of them."""
_DAY: Final = timedelta(days=1)
_MOST_STEPS: Final = 1_000
_FIRST_YEAR, _LAST_YEAR = 2000, 9000
_LONGEST_NAME: Final = 100


class QuietZone(StrEnum):
    """Whose clock says when it is quiet."""

    WORKSPACE = "workspace"
    RECIPIENT = "recipient"


class WhenQuiet(StrEnum):
    """What becomes of a campaign's messages whose recipients must be left alone."""

    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Holiday:
    """A quiet period: local times, `ends` is the first moment after it."""

    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class QuietTimes:
    """When it is quiet: every day from one time to another, perhaps of the next day; holidays."""

    daily_from: time | None = None
    daily_until: time | None = None
    holidays: tuple[Holiday, ...] = ()

    @property
    def never(self) -> bool:
        """Tell whether it is never quiet."""
        return self.daily_from is None and not self.holidays


@dataclass(eq=False)
class TooManyHolidays(Refusal):
    """The workspace has as many holidays as it may have."""

    code: ClassVar[str] = "too_many_holidays"
    most: int = MOST_HOLIDAYS

    @property
    def sentence(self) -> str:
        return (
            f"There are {self.most} holidays already, which is the most. Delete one that is over."
        )


def opening(times: QuietTimes, zones: Sequence[ZoneInfo], now: datetime) -> datetime | None:
    """Return when it is quiet in none of the zones any more; None: it is not quiet now.

    `NEVER`, if there is no such moment.
    """
    if times.never:
        return None
    moment = now.astimezone(UTC)
    for _ in range(_MOST_STEPS):
        end = max((end for zone in zones for end in _ends(times, zone, moment)), default=None)
        if end is None:
            return moment if moment > now else None
        moment = end
    return NEVER


def _ends(times: QuietTimes, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Give the end of each quiet time of a zone that the moment lies in."""
    local = moment.astimezone(zone).replace(tzinfo=None)
    near = [h for h in times.holidays if h.begins - _DAY <= local <= h.ends + _DAY]
    spans = [(holiday.begins, holiday.ends) for holiday in near]
    for begins, ends in (*spans, *_nights(times, local)):
        end = first_moment(ends, zone)
        if first_moment(begins, zone) <= moment < end:
            yield end


def _nights(times: QuietTimes, local: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the daily quiet times that begin yesterday and today, as local times."""
    if times.daily_from is None or times.daily_until is None:
        return
    over_midnight = times.daily_until <= times.daily_from
    for day in (local.date() - _DAY, local.date()):
        last = day + _DAY if over_midnight else day
        yield (
            datetime.combine(day, times.daily_from),
            datetime.combine(last, times.daily_until),
        )


def check_hours(daily_from: time | None, daily_until: time | None) -> None:
    """Accept daily quiet hours, or none.

    Raises:
        InvalidValue: only one end is given, or they last all day.
    """
    if (daily_from is None) != (daily_until is None):
        problem = "have one end only. Give both “from” and “until”, or neither."
        raise InvalidValue("quiet hours", problem)
    if daily_from is not None and daily_from == daily_until:
        problem = (
            "begin and end at the same time, so nothing could ever be sent. Leave a time of day "
            "in which messages may go, or pause the campaigns."
        )
        raise InvalidValue("quiet hours", problem)


def read_holiday(name: str, begins: str, ends: str) -> Holiday:
    """Read a holiday: days, of which the last belongs to it, or local times.

    Raises:
        InvalidValue: the name, a time or the length does not fit.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidValue("name", f"use 1-{_LONGEST_NAME} printable characters on one line.")
    first, _ = _read_local("from", begins)
    last, is_day = _read_local("until", ends)
    holiday = Holiday(name, first, last + _DAY if is_day else last)
    if holiday.ends <= holiday.begins:
        problem = f"{ends} is before {begins}. Exchange them."
        if last == first:
            problem = f"{ends} is when the holiday begins, too. Give a later end."
        raise InvalidValue("until", problem)
    if holiday.ends - holiday.begins > LONGEST_HOLIDAY:
        problem = f"is more than {LONGEST_HOLIDAY.days} days after the beginning. Check the year."
        raise InvalidValue("until", problem)
    return holiday


def _read_local(place: str, text: str) -> tuple[datetime, bool]:
    """Read a local time; tell whether it is a whole day."""
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        problem = f"“{text[:40]}” is no day or local time. Write 2027-02-05 or 2027-02-05T18:00."
        raise InvalidValue(place, problem) from None
    if written.tzinfo is not None:
        problem = "has an offset. Write a local time without one: 2027-02-05T18:00."
        raise InvalidValue(place, problem)
    if not _FIRST_YEAR <= written.year <= _LAST_YEAR:
        raise InvalidValue(place, f"“{text[:40]}” is out of all calendars. Check the year.")
    return written.replace(second=0, microsecond=0), ":" not in text and "T" not in text.upper()
