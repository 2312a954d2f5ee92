"""When a campaign may be sent: its time, its window, a late start, and spreading.

All times of a window are local ones of the workspace. A window of a day runs from the first moment
of its opening time to the first of its closing time, so that where clocks go back it is not opened
twice, and an opening that a clock change skips is the moment of the change. Refused is a window
that never opens, and a time that is past, too far away or not one moment of the workspace's clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from textwave.customers.schedule import first_moment
from textwave.kit.refusal import InvalidValue, Refusal

EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)
LATE_MINUTES: Final = 60
LONGEST_LATE_MINUTES: Final = 7 * 24 * 60
LONGEST_SPREAD_MINUTES: Final = 7 * 24 * 60
FURTHEST: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)
_SOON: Final = timedelta(seconds=5)  # the clocks of two machines may differ by so much
_MIDNIGHT: Final = time()


class LateRule(StrEnum):
    """What happens to a campaign that starts too late."""

    GO = "go"
    WINDOW = "window"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Window:
    """When messages may leave: from `opens` until `closes` on ISO weekdays (Monday is 1).

    A window that closes before it opens, or at the same time, ends on the following day; the
    weekday is that of its opening.
    """

    opens: time = _MIDNIGHT
    closes: time = _MIDNIGHT
    days: tuple[int, ...] = EVERY_DAY


@dataclass(frozen=True, slots=True)
class Timing:
    """What a draft says of its time. `at` is as it was written: local, or with an offset."""

    at: str | None = None
    late_minutes: int = LATE_MINUTES
    late_rule: LateRule = LateRule.WINDOW
    window: Window | None = None
    spread_minutes: int = 0


class Decision(StrEnum):
    """What becomes of a start."""

    GO = "go"
    WAIT = "wait"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Start:
    """What becomes of a start, until when it waits, and why; no reason when it is in time."""

    decision: Decision
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A start that was due at `at` (aware), and what its campaign says of being late."""

    at: datetime
    late_minutes: int = LATE_MINUTES
    late_rule: LateRule = LateRule.WINDOW
    window: Window | None = field(default=None)


@dataclass(eq=False)
class TimeUnfit(Refusal):
    """A campaign cannot be started at the time that was given."""

    code: ClassVar[str] = "time_unfit"
    given: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The time “{self.given[:40]}” {self.problem}"


def check_window(opens: time | None, closes: time | None, days: Sequence[int]) -> Window | None:
    """Return the window that is meant; None when it is always open.

    Raises:
        InvalidValue: it never opens, or only one of its ends is given.
    """
    if (opens is None) != (closes is None):
        raise InvalidValue("window", "has one end only. Give both “from” and “until”, or neither.")
    if not days:
        raise InvalidValue(
            "window.days", "is empty, so it never opens. Name days, 1 (Monday) to 7."
        )
    if set(days) - set(EVERY_DAY):
        raise InvalidValue("window.days", "has a day that is none of 1 (Monday) to 7 (Sunday).")
    kept = tuple(sorted(set(days)))
    if opens is None or closes is None:
        return None if kept == EVERY_DAY else Window(days=kept)
    if opens == closes:
        problem = (
            "never opens: it opens and closes at the same time. For whole days leave both out."
        )
        raise InvalidValue("window", problem)
    return Window(opens.replace(tzinfo=None), closes.replace(tzinfo=None), kept)


def write_window(window: Window | None) -> dict[str, Any] | None:
    """Return a window as JSON: from, until, days; whole days have neither from nor until."""
    if window is None:
        return None
    whole = window.opens == window.closes
    return {
        "from": None if whole else f"{window.opens:%H:%M}",
        "until": None if whole else f"{window.closes:%H:%M}",
        "days": list(window.days),
    }


def check_timing(timing: Timing) -> None:
    """Accept minutes within their limits.

    Raises:
        InvalidValue: they are not.
    """
    limits = {
        "schedule.late_minutes": (timing.late_minutes, LONGEST_LATE_MINUTES),
        "spread_minutes": (timing.spread_minutes, LONGEST_SPREAD_MINUTES),
    }
    for place, (minutes, most) in limits.items():
        if not 0 <= minutes <= most:
            raise InvalidValue(place, f"{minutes} is not from 0 to {most:,} (seven days).")


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return a written time as UTC: a local one of the zone, or one with an offset.

    Raises:
        TimeUnfit: it is no time but a day, say, or a clock change makes it none or two.
    """
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        problem = "is no time. Write 2026-12-01T09:00, or with an offset 2026-12-01T09:00+08:00."
        raise TimeUnfit(text, problem) from None
    if _is_day(text.strip()):  # nobody who names a day means its midnight
        raise TimeUnfit(text, f"has no time of day. Write {written:%Y-%m-%d}T09:00.")
    if written.tzinfo is not None:
        return _in_utc(text, written)
    first, second = (_in_utc(text, written.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first < second:
        both = " or ".join(one.astimezone(zone).isoformat() for one in (first, second))
        raise TimeUnfit(text, f"happens twice in {zone.key}. Say which one is meant: {both}.")
    if first > second:
        valid = first_moment(written, zone).astimezone(zone).isoformat()
        raise TimeUnfit(text, f"does not exist in {zone.key}; clocks go on there to {valid}.")
    return first


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_utc(text: str, moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise TimeUnfit(text, "is out of all calendars. Write 2026-12-01T09:00.") from None


def scheduled_at(timing: Timing, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the moment that a draft names; None: it names none.

    Raises:
        TimeUnfit: it cannot be kept.
    """
    if timing.at is None:
        return None
    at = read_moment(timing.at, zone)
    due = Due(at, timing.late_minutes, timing.late_rule, timing.window)
    check_start(timing.at, due, zone=zone, now=now)
    return at


def check_start(given: str, due: Due, *, zone: ZoneInfo, now: datetime) -> None:
    """Accept a time for a campaign: it is ahead, within a year, and the window opens in time.

    Raises:
        TimeUnfit: it is not.
    """
    if due.at <= now:
        raise TimeUnfit(given, f"is past: it is {shown(now, zone)} now. Give a later one.")
    if due.at - now > FURTHEST:
        raise TimeUnfit(given, "is more than a year away. Give an earlier one.")
    opening = opens_at(due.window, zone, due.at)
    if opening is not None and opening > due.at + timedelta(minutes=due.late_minutes):
        problem = (
            f"is outside of the sending window, which does not open within {due.late_minutes} "
            f"minutes after it. It opens next at {shown(opening, zone)}: schedule the campaign "
            "then, or change the window."
        )
        raise TimeUnfit(given, problem)


def opens_at(window: Window | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return when the window opens next, in UTC; None: it is open now."""
    if window is None:
        return None
    opening, _ = next(_intervals(window, zone, now))
    return opening if opening > now else None


def late_start(due: Due, *, zone: ZoneInfo, now: datetime) -> Start:
    """Decide what becomes of a start that was due: at once, later, or not at all."""
    late = now - due.at
    if late < -_SOON:
        return Start(Decision.WAIT, due.at)
    if late <= timedelta(minutes=due.late_minutes):
        return Start(Decision.GO)
    told = f"The start was due at {shown(due.at, zone)} and was {_length(late)} late"
    match due.late_rule:
        case LateRule.GO:
            return Start(Decision.GO, None, f"{told}; it went on all the same, as its rule says.")
        case LateRule.CANCEL:
            return Start(Decision.CANCEL, None, f"{told}; it is cancelled, as its rule says.")
        case LateRule.WINDOW:
            return _in_window(due, zone, now, told)


def approved_start(due: Due, *, zone: ZoneInfo, now: datetime) -> Start:
    """Decide what becomes of a start that waited for an approval since `due`.

    Such a campaign was to go the moment it is approved, so without a window it does.
    """
    start = late_start(due, zone=zone, now=now)
    if start.decision is Decision.WAIT and due.window is None:
        length = _length(now - due.at)
        return Start(
            Decision.GO, None, f"It was approved {length} after it was to start, and went."
        )
    return start


def _in_window(due: Due, zone: ZoneInfo, now: datetime, told: str) -> Start:
    if due.window is None:
        at = _same_time(due.at, zone, now)
        reason = f"{told}; it waits for the same time of day, {shown(at, zone)}."
        return Start(Decision.WAIT, at, reason)
    opening = opens_at(due.window, zone, now)
    if opening is None:
        return Start(Decision.GO, None, f"{told}; its sending window is open, so it went on.")
    reason = f"{told}; it waits for its sending window, {shown(opening, zone)}."
    return Start(Decision.WAIT, opening, reason)


def _same_time(due: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the next moment after `now` at the local time of day of `due`."""
    day, hour = now.astimezone(zone).date(), due.astimezone(zone).time()
    moments = (first_moment(datetime.combine(day + n * _DAY, hour), zone) for n in range(3))
    return next(moment for moment in moments if moment > now)


def spread_size(most: int, *, messages: int, spread_minutes: int) -> int:
    """Return how many messages may be due at once: some every minute, oftener in a short time."""
    if not spread_minutes:
        return most
    slices = max(spread_minutes, min(6 * spread_minutes, 60))
    return min(most, max(messages // slices, 1))


def due_times(
    shares: Sequence[float], *, start: datetime, spread_minutes: int, zone: ZoneInfo,
    window: Window | None = None,
) -> list[datetime]:  # fmt: skip
    """Return when each batch is due; `shares` rise from 0 to 1 and say how much goes before it.

    They are spread evenly over so many minutes, counted while the window is open.
    """
    ahead = [timedelta(minutes=spread_minutes * share) for share in shares]
    if window is None:
        return [start + wait for wait in ahead]
    times: list[datetime] = []
    passed = timedelta()
    intervals = _intervals(window, zone, start)
    opening, closing = next(intervals)
    opening = max(opening, start)
    for wait in ahead:
        while wait - passed >= closing - opening:
            passed += closing - opening
            opening, closing = next(intervals)
        times.append(opening + (wait - passed))
    return times


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """Write a moment for people: local, with its zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _length(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than 1 min"


def _intervals(
    window: Window, zone: ZoneInfo, begin: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Give the open times (from, until) that end after `begin`, in order and without end."""
    day = begin.astimezone(zone).date() - _DAY
    overnight = window.closes <= window.opens
    while True:
        if day.isoweekday() in window.days:
            opening = first_moment(datetime.combine(day, window.opens), zone)
            last = day + _DAY if overnight else day
            closing = first_moment(datetime.combine(last, window.closes), zone)
            if closing > max(begin, opening):
                yield opening, closing
        day += _DAY
