"""When something is computed or imported anew: by hand, after an import, or by the clock.

A clock is a cron expression of five fields in the workspace's local time. A local time that a clock
change skips runs at the change; one that happens twice runs once, at the first of the two. Refused
is what is no such expression, never runs, or runs more often than every five minutes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterError

from textwave.customers.times import change_between
from textwave.kit.refusal import Refusal

BY_HAND: Final = ""
AFTER_IMPORT: Final = "after_import"
LEAST_MINUTES: Final = 5
_FIELDS: Final = 5
_LONGEST: Final = 100
_MOST_YEARS: Final = 10
_SAMPLE_BEGIN: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a local time; 2024 is a leap year
_written = re.compile(r"(?:[0-9*,/\-]|[a-z]{3})+").fullmatch


@dataclass(eq=False)
class RefreshUnfit(Refusal):
    """What was given says no time at which to refresh."""

    code: ClassVar[str] = "refresh_unfit"
    given: str
    problem: str

    @property
    def sentence(self) -> str:
        return (
            f"refresh: “{self.given[:_LONGEST]}” {self.problem}. Give nothing (by hand), "
            "“after_import”, or five cron fields in the workspace's time: minute hour day month "
            "weekday, such as “0 6 * * *” for every day at 6:00 or “30 8 * * mon”."
        )


def check_refresh(text: str) -> str:
    """Return how something is refreshed in its one spelling: '', 'after_import' or a cron.

    Raises:
        RefreshUnfit: it is none of them, never runs, or runs more often than every 5 minutes.
    """
    written = " ".join(text.lower().split())
    if written in (BY_HAND, AFTER_IMPORT):
        return written
    fields = written.split()
    if len(written) > _LONGEST or len(fields) != _FIELDS or not all(map(_written, fields)):
        raise RefreshUnfit(text, "is no time to refresh")
    try:
        minutes, hours = croniter.expand(written, strict=True)[0][:2]
        croniter(written, _SAMPLE_BEGIN, max_years_between_matches=_MOST_YEARS).get_next(datetime)
    except (CroniterError, ValueError, KeyError):
        raise RefreshUnfit(text, "is no time to refresh, or one that never comes") from None
    if _least_gap(minutes, hours) < LEAST_MINUTES:
        raise RefreshUnfit(text, f"is more often than every {LEAST_MINUTES} minutes")
    return written


def is_cron(refresh: str) -> bool:
    """Tell whether a checked refresh is by the clock."""
    return refresh not in (BY_HAND, AFTER_IMPORT)


def next_time(cron: str, *, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment after `after` (aware) at which a checked cron runs, in UTC."""
    local = after.astimezone(zone).replace(tzinfo=None)
    times = croniter(cron, local, max_years_between_matches=_MOST_YEARS)
    while True:
        moment = first_moment(times.get_next(datetime), zone)
        if moment > after:
            return moment


def next_refresh(refresh: str, *, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when a checked refresh is due next; None when it does not go by the clock."""
    return next_time(refresh, after=after, zone=zone) if is_cron(refresh) else None


def first_moment(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of a local time; of a skipped one the moment of the change."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    return change_between(zone, second, first)


def _least_gap(minutes: Sequence[int | str], hours: Sequence[int | str]) -> int:
    """Return the fewest minutes between two runs of one day."""
    every = range(60) if "*" in minutes else sorted(int(minute) for minute in minutes)
    of_hours = range(24) if "*" in hours else sorted(int(hour) for hour in hours)
    runs = [hour * 60 + minute for hour in of_hours for minute in every]
    return min((later - earlier for earlier, later in pairwise(runs)), default=LEAST_MINUTES)
