"""Numbers and times as the service writes and reads them; pure.

Mainland numbers are 11 digits, also behind `+`, `+86`, `0086` or `86`; all others are the country
code and the number without `+`. Times are of UTC+8 and do not say so.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
MAINLAND_CODE: Final = 86 * 10**11
MAINLAND_FIRST: Final = MAINLAND_CODE + 13 * 10**9
MAINLAND_LAST: Final = MAINLAND_CODE + 20 * 10**9 - 1
_mainland = re.compile(r"(?:\+86|\+|0086|86)?(1[3-9][0-9]{9})")
_abroad = re.compile(r"[1-9][0-9]{6,14}")


def read_number(text: str) -> int | None:
    """Return the E.164 digits of a number; None if it is not one."""
    found = _mainland.fullmatch(text)
    if found is not None:
        return MAINLAND_CODE + int(found[1])
    return int(text) if _abroad.fullmatch(text) else None


def is_mainland(mobile: int) -> bool:
    """Tell whether a number is one of the Chinese mainland."""
    return MAINLAND_FIRST <= mobile <= MAINLAND_LAST


def write_number(mobile: int) -> str:
    """Return a number as reports name it."""
    return str(mobile - MAINLAND_CODE) if is_mainland(mobile) else str(mobile)


def write_time(at: float) -> str:
    """Return a UNIX time as reports write it."""
    return datetime.fromtimestamp(at, UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def write_day(at: float) -> str:
    """Return the day of a UNIX time, as in 20261122."""
    return datetime.fromtimestamp(at, UTC).astimezone(CHINA).strftime("%Y%m%d")
