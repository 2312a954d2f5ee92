"""Whose clock says that it is quiet for a number, and until when. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from textwave.limits.quiet import QuietTimes, QuietZone, opening
from textwave.limits.zones import zone_names, zones

_NO_ZONES: Final = ()


def openings(
    mobiles: Iterable[int], times: QuietTimes, zone: QuietZone, time_zone: str, now: datetime
) -> dict[int, datetime]:
    """Return when the numbers may be sent to that must be left alone now."""
    of_zones: dict[tuple[str, ...], datetime | None] = {}
    later: dict[int, datetime] = {}
    if times.never:
        return later
    for mobile in mobiles:
        names = zone_names(mobile) if zone is QuietZone.RECIPIENT else _NO_ZONES
        if names not in of_zones:
            of_zones[names] = opening(times, zones(names, time_zone), now)
        at = of_zones[names]
        if at is not None:
            later[mobile] = at
    return later
