"""In which time zones the owner of a number may be, by country and area.

A mobile number of a country with several zones may be in any of them. A number whose zone nobody
knows is taken to be in the workspace's.
"""

from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MAINLAND: Final = ("Asia/Shanghai",)
_MAINLAND_LOWEST: Final = 86_130_0000_0000
_MAINLAND_HIGHEST: Final = 86_199_9999_9999
_KEPT_PREFIXES: Final = 65_536
_KEPT_TUPLES: Final = 4_096


def zone_names(mobile: int) -> tuple[str, ...]:
    """Return the names of the zones that a number may be in; none when nobody knows."""
    if _MAINLAND_LOWEST <= mobile <= _MAINLAND_HIGHEST:
        return _MAINLAND
    return _of_prefix(str(mobile)[: _longest_prefix()])


@lru_cache(maxsize=_KEPT_TUPLES)
def zones(names: tuple[str, ...], otherwise: str) -> tuple[ZoneInfo, ...]:
    """Return the zones of these names that the machine knows, else the other one."""
    found = [zone for name in names if (zone := _zone(name)) is not None]
    return tuple(found) or (ZoneInfo(otherwise),)


@cache
def _longest_prefix() -> int:
    from phonenumbers import tzdata  # a table that mainland numbers never need

    return tzdata.TIMEZONE_LONGEST_PREFIX


@lru_cache(maxsize=_KEPT_PREFIXES)
def _of_prefix(digits: str) -> tuple[str, ...]:
    from phonenumbers import tzdata

    for length in range(len(digits), 0, -1):
        found = tzdata.TIMEZONE_DATA.get(digits[:length])
        if found is not None:
            return tuple(found)
    return ()


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
