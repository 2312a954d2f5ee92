"""Mobile numbers on the wire: written in one form, read in any.

Mainland numbers go out as their 11 digits, all others as `+` and the E.164 digits, so that no
foreign number can be taken for a mainland one.
"""

import re

MAINLAND_FIRST = 86_130_0000_0000
MAINLAND_LAST = 86_199_9999_9999
MAINLAND_CODE = 86_000_0000_0000
NATIONAL_FIRST = 130_0000_0000
NATIONAL_LAST = 199_9999_9999
MAINLAND_DIGITS = 11
DIGITS_MIN = 7
DIGITS_MAX = 15
DECORATION = re.compile(r"[\s().\-]")


def write_mobile(mobile: int) -> str:
    """Return the form in which a number goes out."""
    if MAINLAND_FIRST <= mobile <= MAINLAND_LAST:
        return str(mobile - MAINLAND_CODE)
    return f"+{mobile}"


def read_mobile(text: str | int) -> int | None:
    """Return the E.164 digits of a number in any usual form, None if it is not one.

    Without a prefix, 11 digits that begin with 13-19 are a mainland number.
    """
    if isinstance(text, int):
        text = str(text)
    if len(text) == MAINLAND_DIGITS and text.isascii() and text.isdigit():
        number = int(text)
        if NATIONAL_FIRST <= number <= NATIONAL_LAST:
            return number + MAINLAND_CODE
    return _read_decorated(text)


def _read_decorated(text: str) -> int | None:
    digits = DECORATION.sub("", text)
    international = digits.startswith(("+", "00"))
    digits = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    if not (digits.isascii() and digits.isdigit() and DIGITS_MIN <= len(digits) <= DIGITS_MAX):
        return None
    number = int(digits)
    if not international and NATIONAL_FIRST <= number <= NATIONAL_LAST:
        return number + MAINLAND_CODE
    return number if digits[0] != "0" else None
