"""Mobile numbers: read as people write them, kept as an `int` of their E.164 digits, shown masked.

Mainland numbers take a fast path; an unknown mainland prefix is fine, because tables of prefixes
age. Refused: landlines, short numbers, and anything that cannot receive a text.
"""

import re
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

Mobile = NewType("Mobile", int)
"""The digits of an E.164 number, country code first: 8615412345678."""

MAINLAND_PATTERN: Final = r"^(?:\+?86|0086)?(1[3-9][0-9]{9})$"
"""Mainland forms after `SEPARATORS_PATTERN` is removed; group 1 is the 11 digits. RE2 reads it."""

SEPARATORS_PATTERN: Final = (
    r"[\t\n\r \x{00A0}\x{2000}-\x{200F}\x{2010}-\x{2015}\x{202A}-\x{202F}"
    r"\x{2060}-\x{2064}\x{2066}-\x{2069}\x{2212}\x{3000}\x{FEFF}\x{FF08}\x{FF09}\x{FF0D}()-]"
)
"""White space, invisible marks, dashes and brackets, as RE2 writes a character class."""

WIDE_DIGITS: Final = "０１２３４５６７８９＋"
PLAIN_DIGITS: Final = "0123456789+"
"""Full-width characters and what they stand for, in the same order, for `translate`."""

_MAINLAND_COUNTRY: Final = 86
_MAINLAND_CODE: Final = _MAINLAND_COUNTRY * 10**11
_NORTH_AMERICA: Final = 1
_MAINLAND_REGION: Final = "CN"
_SHOWN_DIGITS: Final = 4
_LONGEST_WRITTEN: Final = 40

_match_mainland = re.compile(MAINLAND_PATTERN.replace("$", r"\Z")).match
_match_mainland_abroad = re.compile(r"^(?:\+|00)86(1[3-9][0-9]{9})\Z").match
_match_number = re.compile(r"^\+?[0-9]{4,20}\Z").match
_separators = re.compile(re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", SEPARATORS_PATTERN))
_wide_to_plain = str.maketrans(WIDE_DIGITS, PLAIN_DIGITS)


def read_mobile(text: str, default_region: str = "CN") -> Mobile | None:
    """Read one number; return None if it is no number that a text could reach.

    `default_region` (ISO 3166, two letters) says where a number without country code belongs.
    `+` and 11 digits is first of all an international number of the country code 1; only if no
    such number exists is it taken for a mainland one with a stray `+`.
    """
    if default_region == _MAINLAND_REGION and (found := _match_mainland(text)):
        return Mobile(_MAINLAND_CODE + int(found[1]))
    if len(text) > _LONGEST_WRITTEN:
        return None
    plain = _separators.sub("", text.translate(_wide_to_plain))
    match = _match_mainland if default_region == _MAINLAND_REGION else _match_mainland_abroad
    if found := match(plain):
        return Mobile(_MAINLAND_CODE + int(found[1]))
    return _read_any(plain, default_region)


def _read_any(plain: str, default_region: str) -> Mobile | None:
    import phonenumbers  # half a megabyte of code that mainland numbers never need

    if plain.startswith("+"):
        plain = plain.replace(".", "").replace("/", "")
    if not _match_number(plain):
        return None
    try:
        number = phonenumbers.parse(plain, default_region)
    except phonenumbers.NumberParseException:
        return None
    written_out = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    mobile = Mobile(int(written_out))
    if number.country_code == _MAINLAND_COUNTRY:
        return mobile if _is_mainland(mobile) else None
    kind = phonenumbers.number_type(number)
    unknown = kind == phonenumbers.PhoneNumberType.UNKNOWN
    if unknown and number.country_code == _NORTH_AMERICA:
        stray_plus = _match_mainland(plain[1:]) if default_region == _MAINLAND_REGION else None
        return Mobile(_MAINLAND_CODE + int(stray_plus[1])) if stray_plus else None
    return mobile if _can_be_mobile(number, kind) else None


def _can_be_mobile(number: "PhoneNumber", kind: int) -> bool:
    """Tell whether a text could reach the number; ranges open faster than tables follow."""
    from phonenumbers import PhoneNumberType, ValidationResult, is_possible_number_with_reason

    if is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return False
    types = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN)
    return kind in types


def written(mobile: Mobile) -> str:
    """Write the number in E.164: `+8615412345678`."""
    return f"+{mobile}"


def national(mobile: Mobile) -> str:
    """Write a mainland number in its 11 digits, any other in E.164."""
    return str(mobile)[2:] if _is_mainland(mobile) else f"+{mobile}"


def masked(mobile: Mobile) -> str:
    """Write the number with only its last four digits visible: `*******5678`."""
    return _mask(national(mobile).removeprefix("+"))


def _is_mainland(mobile: Mobile) -> bool:
    return _MAINLAND_CODE + 13 * 10**9 <= mobile < _MAINLAND_CODE + 20 * 10**9


_KEPT = (
    r"(?<!\d)(?<!\d-)\d{4}-\d\d-\d\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!-?\d)"
    r"|\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
    r"|\b(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{32,}\b"
    r"|\b0\.\d+"
)
_GAP = r"[\s–－-]"
_NUMBER = (
    rf"[+＋][ (]{{0,2}}\d(?:(?:{_GAP}|[.()/]){{0,2}}\d){{6,15}}"
    r"|(?:\(\d{3}\)|\d{3})[ .-]?\d{3}[ .-]\d{4}(?!\d)"
    rf"|(?:(?:[0０]{{2}})?[8８][6６]\)?{_GAP}{{0,2}})?[1１][3-9３-９](?:{_GAP}?\d){{9}}(?!\d)"
    rf"|\(?0[1-9]\d{{1,3}}\)?{_GAP}\d{{3,8}}(?:{_GAP}\d{{3,4}})?"
    r"|\d{9,}"
)
_kept_or_number = re.compile(f"(?P<kept>{_KEPT})|(?<!\\d)(?P<number>{_NUMBER})")


def mask_numbers(text: str) -> str:
    """Mask whatever looks like a phone number in a line of a log; dates and UUIDs stay.

    A bare run of nine digits or more counts as one, so write ids into fields of their own.
    """
    return _kept_or_number.sub(_mask_found, text)


def _mask_found(found: re.Match[str]) -> str:
    return found["kept"] or _mask(re.sub(r"\D", "", found["number"]))


def _mask(digits: str) -> str:
    return "*" * (len(digits) - _SHOWN_DIGITS) + digits[-_SHOWN_DIGITS:]
