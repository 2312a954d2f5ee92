"""How many parts a text is billed as, under the two rules that platforms count by.

Mainland platforms count every character as one: 70 a message, else 67 a part. Elsewhere GSM 03.38
decides: 160/153 septets, or 70/67 UCS-2 units as soon as one character is outside its alphabet.
A part never ends inside an extension pair or a surrogate pair, so it may hold one unit less.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The characters of the default alphabet, one septet each (3GPP TS 23.038)."""

GSM_EXTENSION: Final = "\f^{}\\[~]|€"
"""The characters behind an escape, two septets each (3GPP TS 23.038)."""

_GSM_ALL: Final = frozenset(GSM_BASIC + GSM_EXTENSION)
_EXTENSIONS: Final = frozenset(GSM_EXTENSION)
_LAST_OF_ONE_UNIT: Final = "\uffff"


class Counting(StrEnum):
    """The rule that a platform counts by."""

    MAINLAND = "mainland"
    INTERNATIONAL = "international"


class Encoding(StrEnum):
    """What a text is sent in; `mainland` stands for the rule that counts characters."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"
    MAINLAND = "mainland"


@dataclass(frozen=True, slots=True)
class Capacity:
    """The units that one message alone holds, and each part of a longer one."""

    single: int
    part: int


CAPACITIES: Final = {
    Encoding.GSM7: Capacity(single=160, part=153),
    Encoding.UCS2: Capacity(single=70, part=67),
    Encoding.MAINLAND: Capacity(single=70, part=67),
}


@dataclass(frozen=True, slots=True)
class Count:
    """What a text comes to: septets, UCS-2 units or characters, and the parts billed."""

    encoding: Encoding
    units: int
    parts: int


def count(text: str, signature: str, rule: Counting) -> Count:
    """Count `text` (rendered, with its opt-out text) under `signature` (without brackets).

    No signature puts nothing in front. An empty message has no parts.
    """
    message = signed(text, signature, rule)
    if rule is Counting.MAINLAND:
        return _even(Encoding.MAINLAND, len(message))
    if _GSM_ALL.issuperset(message):
        return _count_pairs(Encoding.GSM7, [1 + (char in _EXTENSIONS) for char in message])
    return _count_pairs(Encoding.UCS2, [1 + (char > _LAST_OF_ONE_UNIT) for char in message])


def signed(text: str, signature: str, rule: Counting) -> str:
    """Put the signature in front: in 【】, or abroad in [ ] if it is all ASCII."""
    if not signature:
        return text
    if rule is Counting.INTERNATIONAL and signature.isascii():
        return f"[{signature}]{text}"
    return f"【{signature}】{text}"


def parts_of(encoding: Encoding, units: int) -> int:
    """Return the parts of `units` that can be cut anywhere."""
    capacity = CAPACITIES[encoding]
    return -(-units // (capacity.single if units <= capacity.single else capacity.part))


def _even(encoding: Encoding, units: int) -> Count:
    return Count(encoding, units, parts_of(encoding, units))


def _count_pairs(encoding: Encoding, widths: list[int]) -> Count:
    units = sum(widths)
    capacity = CAPACITIES[encoding]
    if units == len(widths) or units <= capacity.single:
        return _even(encoding, units)
    parts, filled = 1, 0
    for width in widths:
        filled += width
        if filled > capacity.part:
            parts, filled = parts + 1, width
    return Count(encoding, units, parts)
