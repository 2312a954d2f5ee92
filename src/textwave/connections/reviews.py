"""What waits for a platform's word, and when the platform may be told or asked again.

Pure. A platform that takes only so many applications a day, some time apart, gives each its turn.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from textwave.connections.accounts import PlatformKind
from textwave.kit.ids import PlatformId, WorkspaceId

LONGEST_PAUSE_SECONDS: Final = 300
LAST_ATTEMPT: Final = 100


@dataclass(frozen=True, slots=True)
class UnderReview:
    """A signature (subject: its name) or template (subject: its code) to be asked about."""

    id: int
    workspace_id: WorkspaceId
    platform_id: PlatformId
    subject: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A signature or template that was just approved or rejected."""

    workspace_id: WorkspaceId
    id: int
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How many applications a platform takes: so many a natural day of its, so far apart."""

    per_day: int
    seconds_apart: int
    zone: timezone


PACES: Final[dict[PlatformKind, Pace]] = {
    PlatformKind.ALIYUN: Pace(100, 30, timezone(timedelta(hours=8)))
}
"""Of the kinds that limit applications for templates; others take them as they come."""


@dataclass(frozen=True, slots=True)
class ApplicationTurn:
    """The last turn that was given: when, and how many were given on that day with it."""

    last_at: datetime
    day: date
    taken: int


def next_turn(pace: Pace, last: ApplicationTurn | None, now: datetime) -> ApplicationTurn:
    """Return the turn after the last one: now, or as soon as the platform takes one more."""
    if last is None:
        return ApplicationTurn(now, now.astimezone(pace.zone).date(), 1)
    at = max(now, last.last_at + timedelta(seconds=pace.seconds_apart))
    day = at.astimezone(pace.zone).date()
    if day != last.day:
        return ApplicationTurn(at, day, 1)
    if last.taken < pace.per_day:
        return ApplicationTurn(at, day, last.taken + 1)
    tomorrow = day + timedelta(days=1)
    return ApplicationTurn(datetime.combine(tomorrow, time(), pace.zone), tomorrow, 1)


def pause_before(attempt: int) -> timedelta:
    """Return how long to wait before trying once more: 1, 2, 4 … 300 seconds."""
    return timedelta(seconds=min(2 ** min(attempt, 30), LONGEST_PAUSE_SECONDS))
