"""Whom a campaign's account and template reach at all, and what has to be said about it. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from textwave.campaigns.brief import Brief
from textwave.connections.accounts import PlatformKind
from textwave.content.variables import WhenMissing
from textwave.digital.verdict import CARRIER_NAMES
from textwave.kit.carriers import PORTED_CAVEAT, PUBLIC_RANGES, Carrier, CarrierRanges
from textwave.kit.mobile import Mobile
from textwave.kit.refusal import InvalidValue
from textwave.kit.text import Counting
from textwave.plans.plan import BAD_NUMBER, LONG_VALUE
from textwave.plans.served import CARRIER_NOT_APPROVED, Served
from textwave.platforms.aliyun import VALUE_MAX
from textwave.platforms.contract import MessageType

_SERVES_EITHER: Final = {Counting.MAINLAND: True, Counting.INTERNATIONAL: False}
"""Whether an account at Alibaba Cloud sends to the mainland or elsewhere, by how it counts."""


def served_by(brief: Brief, approving: Collection[Carrier], ranges: CarrierRanges) -> Served:
    """Return whom the account serves and, of a digital campaign, whose carriers have approved."""
    mainland = None
    if brief.platform_kind == PlatformKind.ALIYUN:
        mainland = _SERVES_EITHER[Counting(brief.counting)]
    if brief.type != MessageType.digital:
        return Served(mainland)
    return Served(mainland, frozenset(ranges.segments(approving)))


def longest_value(platform_kind: str) -> int | None:
    """Return the most characters of a value, which then has at least one; None: no such rule."""
    return VALUE_MAX if platform_kind == PlatformKind.ALIYUN else None


def check_values(brief: Brief, names: Iterable[str]) -> None:
    """Accept what stands in for values that are missing, by the names of the texts' variables.

    Raises:
        InvalidValue: the platform would not take it.
    """
    longest = longest_value(brief.platform_kind)
    if longest is None:
        return
    takes = f"Messages through the account “{brief.platform}” need values of 1-{longest} characters"
    for name in names:
        given = brief.variables.get(name, {})
        missing, default = given.get("missing"), given.get("default", "")
        if missing == WhenMissing.EMPTY:
            problem = f"is “empty”. {takes}: give a default, or say “drop”."
            raise InvalidValue(f"variables.{name}.missing", problem)
        if missing == WhenMissing.DEFAULT and len(default) > longest:
            problem = f"has {len(default)} characters. {takes}: shorten it."
            raise InvalidValue(f"variables.{name}.default", problem)


def report_notes(drops: Mapping[str, int]) -> list[str]:
    """Return what has to be said of the drops of a campaign that was planned."""
    dropped = drops.get(CARRIER_NOT_APPROVED, 0)
    if not dropped:
        return _long_values(drops)
    said = f"{dropped:,} were dropped because no carrier of their number ranges had approved."
    return [
        f"{said} Make a text campaign for them from this one. {PORTED_CAVEAT}",
        *_long_values(drops),
    ]


def _long_values(drops: Mapping[str, int]) -> list[str]:
    dropped = drops.get(LONG_VALUE, 0)
    if not dropped:
        return []
    said = f"For {dropped:,} a value of the text is longer than the {VALUE_MAX} characters that the"
    return [f"{said} platform takes; they get nothing. Shorten the values, or use another column."]


def check_served(brief: Brief, mobiles: Collection[int]) -> None:
    """Accept typed numbers that the account sends to; their carriers are whoever they are.

    Raises:
        InvalidValue: one is on the other side of the mainland's border.
    """
    served = served_by(brief, (), PUBLIC_RANGES)
    which = "of the Chinese mainland" if served.mainland else "outside the Chinese mainland"
    for mobile in mobiles:
        if not Served(served.mainland).serves(Mobile(mobile)):
            problem = f"the account “{brief.platform}” sends to numbers {which} only."
            raise InvalidValue("mobiles", problem)


def notes_on(
    brief: Brief, served: Served, approving: Collection[Carrier], drops: Mapping[str, int]
) -> list[str]:
    """Return what a dry run and a report have to say of numbers that are not reached."""
    notes = _long_values(drops)
    if served.mainland is not None and drops.get(BAD_NUMBER):
        others = "outside the Chinese mainland" if served.mainland else "of the Chinese mainland"
        notes.append(
            f"Numbers {others} count as bad numbers here: the account “{brief.platform}” does not "
            "send to them. Send to them through another account."
        )
    if brief.type == MessageType.digital:
        names = ", ".join(CARRIER_NAMES[one] for one in Carrier if one in approving) or "no carrier"
        notes.append(
            f"The digital template is approved by {names}; {drops.get(CARRIER_NOT_APPROVED, 0):,} "
            f"of other carriers or ranges get nothing, and can be sent a text. {PORTED_CAVEAT}"
        )
    return notes
