"""What one number may get: in clock minutes and hours of UTC+8, and in 24 hours from a send.

Counted is what was taken, whatever became of it. The oldest counts go when there are too many.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

COUNTS_MAX: Final = 2_000_000
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
DIGITAL: Final = 7
CODE: Final = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in a span; `per` names what is counted apart: sender, template, or any of a kind."""

    most: int
    seconds: int
    per: str


LIMITS: Final[dict[int, tuple[Limit, ...]]] = {
    CODE: (Limit(1, MINUTE, "code"), Limit(5, HOUR, "code"), Limit(10, DAY, "code")),
    1: (Limit(50, DAY, "template"),),
    2: (Limit(50, DAY, "template"),),
    DIGITAL: (
        Limit(1, DAY, "template"),
        Limit(2, MINUTE, "digital"),
        Limit(8, HOUR, "digital"),
        Limit(10, DAY, "digital"),
    ),
}
"""By the type of the template: 0 code, 1 notification, 2 promotion, 7 digital."""

LEVELS: Final = {MINUTE: "分钟级", HOUR: "小时级", DAY: "天级"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message to one number, as far as limits look at it."""

    mobile: int
    template_type: int
    signature: str
    template: str


class NumberLimits:
    """Counts by number."""

    def __init__(self) -> None:
        self._counts: dict[Hashable, tuple[float, int]] = {}

    def problem(self, sent: Sent, now: float) -> str:
        """Return which limit one message more would hit; nothing if none."""
        for limit in LIMITS.get(sent.template_type, ()):
            if self._count(limit, _key(limit, sent), now)[1] >= limit.most:
                return f"触发{LEVELS[limit.seconds]}流控Permits:{limit.most}"
        return ""

    def note(self, sent: Sent, now: float) -> None:
        """Count a message that was taken."""
        for limit in LIMITS.get(sent.template_type, ()):
            key = _key(limit, sent)
            began, count = self._count(limit, key, now)
            self._counts[key] = (began, count + 1)
        while len(self._counts) > COUNTS_MAX:
            del self._counts[next(iter(self._counts))]

    def _count(self, limit: Limit, key: Hashable, now: float) -> tuple[float, int]:
        began, count = self._counts.get(key, (now, 0))
        if limit.seconds == DAY:
            ended = now - began >= DAY
        else:  # an hour of UTC+8 begins when one of UTC does
            ended = now // limit.seconds != began // limit.seconds
        return (now, 0) if ended else (began, count)


def _key(limit: Limit, sent: Sent) -> Hashable:
    what = {
        "template": (sent.signature, sent.template),
        "code": sent.signature,
        "digital": "",
    }[limit.per]
    return sent.mobile, limit.seconds, limit.per, what
