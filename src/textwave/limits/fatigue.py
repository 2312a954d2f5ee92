"""Fatigue: how many marketing messages somebody gets at most within rolling windows.

Pure: limits and counts in, decisions out. The global rule counts every signature of the workspace,
any other rule its own signatures; a send is blocked by whichever is full. Refuses limits below
zero; decimals are rounded half up, and zero means no limit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from textwave.kit.refusal import InvalidValue

FATIGUE: Final = "fatigue"
HIGHEST_LIMIT: Final = 1_000_000
LONGEST_WINDOW_SECONDS: Final = 30 * 24 * 60 * 60


class CountsBy(StrEnum):
    """Whose messages are counted together."""

    NUMBER = "number"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages at most in each rolling window that ends now; None: any number."""

    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None

    @property
    def in_order(self) -> tuple[int | None, ...]:
        """Return them from the shortest window to the longest, as `WINDOW_SECONDS` has them."""
        return (self.per_minute, self.per_hour, self.per_day, self.per_week, self.per_month)

    @property
    def window_seconds(self) -> int:
        """Return the length of the longest window that has a limit; 0 without any."""
        pairs = zip(self.in_order, WINDOW_SECONDS.values(), strict=True)
        return max((seconds for limit, seconds in pairs if limit is not None), default=0)

    @property
    def lowest(self) -> int | None:
        """Return how many messages somebody gets who has had none; None: any number."""
        return min((limit for limit in self.in_order if limit is not None), default=None)


WINDOW_SECONDS: Final[Mapping[str, int]] = {
    "per_minute": 60,
    "per_hour": 60 * 60,
    "per_day": 24 * 60 * 60,
    "per_week": 7 * 24 * 60 * 60,
    "per_month": LONGEST_WINDOW_SECONDS,
}
"""The rolling windows; a month is 30 days. A touch as old as its window is long counts no more."""


def read_limits(given: Mapping[str, float | None]) -> Limits:
    """Read limits as people give them.

    Raises:
        InvalidValue: one is below zero, or too high.
    """
    return Limits(**{name: _limit(name, given.get(name)) for name in WINDOW_SECONDS})


def _limit(name: str, given: float | None) -> int | None:
    if given is None:
        return None
    if not 0 <= given <= HIGHEST_LIMIT:
        problem = f"is {given}. Give a number from 0 (no limit) to {HIGHEST_LIMIT:,}."
        raise InvalidValue(name, problem)
    return int(Decimal(str(given)).quantize(Decimal(1), ROUND_HALF_UP)) or None


def lowest_of(*limits: Limits) -> int | None:
    """Return how many messages somebody gets under several rules who has had none."""
    return min((one.lowest for one in limits if one.lowest is not None), default=None)


def blocked(
    asked: Iterable[tuple[int, int]], rooms: Mapping[int, int], *, lowest: int | None
) -> set[int]:
    """Return the messages that would be one too many.

    `asked`: (message, person) in the order in which they would go. `rooms`: how many more a person
    may get; a person who is not in it may get `lowest`.
    """
    taken = Counter[int]()
    too_many: set[int] = set()
    for message_id, person in asked:
        room = rooms.get(person, lowest)
        if room is None or taken[person] < room:
            taken[person] += 1
        else:
            too_many.add(message_id)
    return too_many


def most_for_one(persons: Sequence[int]) -> int:
    """Return how many messages the person gets who would get most of them."""
    if len(set(persons)) == len(persons):
        return 1
    return Counter(persons).most_common(1)[0][1]
