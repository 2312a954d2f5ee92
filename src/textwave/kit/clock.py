"""Time as an input: whatever depends on the hour asks a clock that it was given.

Every time is an aware UTC `datetime`; a clock refuses to be set to a naive one.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tell the time, and measure durations that a changed system time cannot bend."""

    def now(self) -> datetime:
        """Return the present as an aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an unnamed start; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A clock that stands still until it is set or moved; for tests and dry runs."""

    def __init__(self, now: datetime) -> None:
        self._now = _as_utc(now)
        self._started = self._now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._started).total_seconds()

    def set(self, now: datetime) -> None:
        """Stand at `now`, which must be aware."""
        self._now = _as_utc(now)

    def advance(self, duration: timedelta) -> None:
        """Move forward by `duration`."""
        self._now += duration


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a clock is set to an aware time; this one has no time zone")
    return moment.astimezone(UTC)
