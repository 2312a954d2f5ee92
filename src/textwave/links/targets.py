"""Where codes lead, remembered for a few seconds; that nobody knows a code is remembered, too.

Bounded: when it is full, it forgets the oldest answers first.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from textwave.kit.clock import Clock
from textwave.links.store import LinkTarget

REMEMBERED_SECONDS: Final = 3.0
REMEMBERED_CODES: Final = 10_000


class LinkTargets:
    """A look-up of codes with a short, bounded memory."""

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[LinkTarget | None]],
        clock: Clock,
        *,
        seconds: float = REMEMBERED_SECONDS,
        codes: int = REMEMBERED_CODES,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._seconds = seconds
        self._codes = codes
        self._known: dict[str, tuple[float, LinkTarget | None]] = {}

    async def get(self, code: str) -> LinkTarget | None:
        """Return where a code leads; None if nobody knows it. Raises what the look-up raises."""
        now = self._clock.monotonic()
        known = self._known.get(code)
        if known is not None and known[0] > now:
            return known[1]
        target = await self._look_up(code)
        self._known.pop(code, None)
        while len(self._known) >= self._codes:
            del self._known[next(iter(self._known))]
        self._known[code] = (now + self._seconds, target)
        return target
