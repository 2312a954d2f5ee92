"""Why fatigue blocks somebody at a moment: which windows of which rules are full, and until when.

Pure, from touches and rules as they are kept. A rule that was changed since says so: what it was
before is not kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from textwave.limits.fatigue import WINDOW_SECONDS, Limits


@dataclass(frozen=True, slots=True)
class CountedTouch:
    """A marketing message that was prepared for the person, under a signature at a platform."""

    message_id: int
    touched_at: datetime
    campaign: str
    signature: str
    platform: str


@dataclass(frozen=True, slots=True)
class CountingRule:
    """A rule of fatigue; without signatures it counts all of them."""

    name: str
    limits: Limits
    changed_at: datetime
    signatures: frozenset[tuple[str, str]] | None = None

    def counts(self, platform: str, signature: str) -> bool:
        """Tell whether messages under a signature count for the rule."""
        return self.signatures is None or (platform, signature) in self.signatures


@dataclass(frozen=True, slots=True)
class FullWindow:
    """A window in which the person has had as many messages as the rule allows.

    `until` is when the next one is allowed by this window; `touches` are what fills it.
    """

    rule: str
    window: str
    limit: int
    until: datetime
    rule_changed_since: bool
    touches: tuple[CountedTouch, ...]


def full_windows(
    rules: Sequence[CountingRule],
    touches: Sequence[CountedTouch],
    *,
    platform: str,
    signature: str,
    moment: datetime,
) -> list[FullWindow]:
    """Return the windows that block a message under a signature at a moment."""
    full: list[FullWindow] = []
    for rule in rules:
        if not rule.counts(platform, signature):
            continue
        counted = sorted(
            (t for t in touches if t.touched_at <= moment and rule.counts(t.platform, t.signature)),
            key=lambda touch: touch.touched_at,
            reverse=True,
        )
        lengths = zip(rule.limits.in_order, WINDOW_SECONDS.items(), strict=True)
        for limit, (window, seconds) in lengths:
            length = timedelta(seconds=seconds)
            inside = tuple(t for t in counted if t.touched_at > moment - length)
            if limit is not None and len(inside) >= limit:
                until = inside[limit - 1].touched_at + length
                changed = rule.changed_at > moment
                full.append(FullWindow(rule.name, window, limit, until, changed, inside))
    return full
