"""What decided that somebody got nothing, and what would block one more message. Pure.

From rows as they are kept: a fatigue drop is explained by the touches that lay in its windows then,
under the rules as they are today. It claims nothing that no row says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from textwave.insights.why_store import Block, DroppedMessage, SentMessage
from textwave.limits.explanation import (
    CountedTouch,
    CountingRule,
    FullWindow,
    full_windows,
)
from textwave.limits.fatigue import FATIGUE
from textwave.limits.quiet import NEVER, QUIET_HOURS, QuietZone, opening
from textwave.limits.store import LimitsInForce
from textwave.limits.zones import zone_names, zones
from textwave.suppression.deny_store import DENY_LIST, OPTED_OUT

_SAID: Final = {
    "no number": "The customer had no number.",
    "bad number": "The customer's number was none that a text could reach.",
    "duplicate number": "Another recipient of the campaign had the same number and got it.",
    "missing variable": "A value that the template needs was missing.",
    "value too long": "A value was longer than the platform takes.",
    QUIET_HOURS: "It was quiet for the recipient, and the campaign drops who must be left alone.",
    "carrier not approved": "The number's carrier has not approved the template.",
    "not on allow list": "The number was not on the allowlist.",
}


@dataclass(frozen=True, slots=True)
class Drop:
    """A message that was not sent, the rule that decided it, and what filled its windows."""

    campaign: str
    type: str
    platform: str
    signature: str
    reason: str
    dropped_at: datetime | None
    said: str
    blocks: tuple[Block, ...] = ()
    windows: tuple[FullWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A rule that blocks a message now; `until` is None where only a person can end it."""

    rule: str
    said: str
    until: datetime | None
    blocks: tuple[Block, ...] = ()
    windows: tuple[FullWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class RightNow:
    """What would become of a marketing message under a signature at this moment."""

    platform: str
    signature: str
    allowed: bool
    on_allowlist: bool
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known about a number; `next` is the campaign to go on before, if any.

    Messages and drops of the month `moved_until` and those before are not here: they were moved to
    the warehouse.
    """

    mobile: str
    sent: tuple[SentMessage, ...]
    not_sent: tuple[Drop, ...]
    blocks: tuple[Block, ...]
    now: RightNow | None
    next: int | None
    moved_until: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What explanations are made from: opt-outs and entries, what fatigue counts, its rules."""

    blocks: Sequence[Block]
    touches: Sequence[CountedTouch]
    rules: Sequence[CountingRule]


def explained(drop: DroppedMessage, known: Known) -> Drop:
    """Say which rule decided a drop, with what it decided by."""
    moment = drop.dropped_at
    blocks, windows = tuple[Block, ...](), tuple[FullWindow, ...]()
    if moment is not None and drop.reason in (OPTED_OUT, DENY_LIST):
        blocks = _blocks(known.blocks, drop.platform, drop.signature, moment, drop.reason)
    elif moment is not None and drop.reason == FATIGUE:
        windows = tuple(
            full_windows(
                known.rules,
                known.touches,
                platform=drop.platform,
                signature=drop.signature,
                moment=moment,
            )
        )
    return Drop(
        campaign=drop.campaign,
        type=drop.type,
        platform=drop.platform,
        signature=drop.signature,
        reason=drop.reason,
        dropped_at=moment,
        said=_said(drop, blocks, windows),
        blocks=blocks,
        windows=windows,
    )


def right_now(
    platform: str,
    signature: str,
    mobile: int,
    *,
    known: Known,
    limits: LimitsInForce,
    on_allowlist: bool,
    now: datetime,
) -> RightNow:
    """Say what would become of a marketing message; every obstacle, in the order of the gate."""
    found = [
        Obstacle(reason, _of_blocks(blocks), None, blocks=blocks)
        for reason in (DENY_LIST, OPTED_OUT)
        if (blocks := _blocks(known.blocks, platform, signature, now, reason))
    ]
    if not on_allowlist:
        found += _quiet(mobile, limits, now)
        windows = full_windows(
            known.rules, known.touches, platform=platform, signature=signature, moment=now
        )
        if windows:
            until = max(window.until for window in windows)
            full = tuple(windows)
            found.append(Obstacle(FATIGUE, _of_windows(full), until, windows=full))
    return RightNow(platform, signature, not found, on_allowlist, tuple(found))


def _blocks(
    blocks: Sequence[Block], platform: str, signature: str, moment: datetime, reason: str
) -> tuple[Block, ...]:
    """Return the opt-outs, or the entries of the deny list, that held at a moment."""
    if reason == DENY_LIST:
        return tuple(one for one in blocks if one.platform is None and one.holds(moment))
    return tuple(
        one
        for one in blocks
        if one.platform == platform and one.signature in (None, signature) and one.holds(moment)
    )


def _quiet(mobile: int, limits: LimitsInForce, now: datetime) -> list[Obstacle]:
    names = zone_names(mobile) if limits.quiet_zone is QuietZone.RECIPIENT else ()
    clocks = zones(names, limits.time_zone) if names else (ZoneInfo(limits.time_zone),)
    at = opening(limits.quiet, clocks, now)
    if at is None:
        return []
    said = f"Quiet hours or a holiday, by the clock of the {limits.quiet_zone.value}."
    return [Obstacle(QUIET_HOURS, said, None if at == NEVER else at)]


def _said(drop: DroppedMessage, blocks: tuple[Block, ...], windows: tuple[FullWindow, ...]) -> str:
    if blocks:
        return _of_blocks(blocks)
    if windows:
        return _of_windows(windows)
    if drop.reason == "excluded":
        return f"Left out with: {', '.join(f'“{name}”' for name in drop.excluded or ())}."
    if drop.reason == "control group":
        size = drop.control_size
        held = f"{size:,} people" if size else f"{(drop.control_share_milli or 0) / 10:g} %"
        return f"Held out as control group of {held}."
    return _SAID.get(drop.reason, "The rows that decided it are not kept any more.")


def _of_blocks(blocks: tuple[Block, ...]) -> str:
    block = blocks[0]
    where = f"of “{block.signature}”" if block.signature else f"of all of “{block.platform}”"
    what = "On the deny list" if block.platform is None else f"Opted out {where}"
    why = f": {block.reason}" if block.reason else ""
    return f"{what} since {block.blocked_at:%Y-%m-%d %H:%M} UTC ({block.source}){why}."


def _of_windows(windows: tuple[FullWindow, ...]) -> str:
    full = "; ".join(
        f"“{one.rule}”: {len(one.touches)} of {one.limit} {one.window.replace('_', ' ')}"
        for one in windows
    )
    changed = " The rule was changed since." if any(w.rule_changed_since for w in windows) else ""
    return f"Had as many as allowed by {full}.{changed}"
