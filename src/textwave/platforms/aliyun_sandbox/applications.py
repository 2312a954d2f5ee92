"""How many signatures and templates may be applied for in a day, and how close together."""

from collections import Counter
from typing import Final

from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.numbers import write_day

OVER: Final = {
    "signatures": "isv.SIGN_COUNT_OVER_LIMIT",
    "templates": "isv.TEMPLATE_COUNT_OVER_LIMIT",
}


class Applications:
    """Counts applications by their natural day of UTC+8."""

    def __init__(self) -> None:
        self._made: Counter[tuple[str, str]] = Counter()
        self._latest: dict[str, float] = {}

    def check(self, what: str, now: float, *, most_a_day: int, apart_seconds: float) -> None:
        """Accept one application more.

        Raises:
            CallRefused: the day's are used up, or the one before is too recent.
        """
        if most_a_day and self._made[what, write_day(now)] >= most_a_day:
            raise CallRefused(OVER[what])
        wait = self._latest.get(what, -apart_seconds) + apart_seconds - now
        if wait > 0:
            raise CallRefused("Throttling.User", "", max(round(wait * 1000), 1))

    def note(self, what: str, now: float) -> None:
        """Count one that was taken."""
        self._made[what, write_day(now)] += 1
        self._latest[what] = now
