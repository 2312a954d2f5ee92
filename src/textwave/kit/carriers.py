"""The carriers of the Chinese mainland, and whose range a number comes from.

A range tells the carrier that a number began with: since 2019 people take their numbers along to
another one, and only a receipt shows it. Numbers of resellers, of things and of satellites belong
to no carrier here, because none of the carriers reviews what they get.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

PORTED_CAVEAT: Final = (
    "A range names the carrier that a number began with. Who took a number along to another "
    "carrier is counted with the first one, and a digital message to it may fail there."
)
"""What has to be said wherever carriers are told by number ranges."""


class Carrier(StrEnum):
    """A carrier that reviews signatures and digital templates for its own numbers."""

    MOBILE = "mobile"
    UNICOM = "unicom"
    TELECOM = "telecom"
    BROADNET = "broadnet"


MAINLAND_FIRST: Final = 86 * 10**11 + 13 * 10**9
MAINLAND_LAST: Final = 86 * 10**11 + 20 * 10**9 - 1
"""The mobile numbers of the Chinese mainland lie between these, both included."""

SEGMENT_SIZE: Final = 10**7
"""A mobile number divided by this is its segment: the country code and four digits, 861541."""

_PUBLIC: Final = {
    Carrier.MOBILE: (
        "1340 1341 1342 1343 1344 1345 1346 1347 1348 135 136 137 138 139 147 150 151 152 157 158 "
        "159 172 178 182 183 184 187 188 195 197 198"
    ),
    Carrier.UNICOM: "130 131 132 145 155 156 166 175 176 185 186 196",
    Carrier.TELECOM: "133 149 153 173 177 180 181 189 190 191 193 199",
    Carrier.BROADNET: "192",
}
# Not here: resold 162, 165, 167, 170, 171; things 140, 1410, 144, 146, 148; satellites 1349, 1740;
# and what is assigned to nobody.


@dataclass(eq=False)
class CarrierRangesNotUnderstood(Refusal):
    """A list of further number ranges cannot be read."""

    code: ClassVar[str] = "carrier_ranges_not_understood"
    entry: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.entry}” is no number range. Write three or four digits that begin with 13 to "
            f"19 and their carrier ({', '.join(Carrier)}) or “none”, as in “174=telecom 1620=none”."
        )


@dataclass(frozen=True, slots=True)
class CarrierRanges:
    """Which segments of mainland numbers belong to which carrier."""

    by_segment: Mapping[int, Carrier]

    def carrier_of(self, mobile: int) -> Carrier | None:
        """Return the carrier that a number (its E.164 digits) began with; None: none of them."""
        if not MAINLAND_FIRST <= mobile <= MAINLAND_LAST:
            return None
        return self.by_segment.get(mobile // SEGMENT_SIZE)

    def segments(self, carriers: Collection[Carrier]) -> list[int]:
        """Return the segments of some carriers, in order."""
        return sorted(segment for segment, one in self.by_segment.items() if one in carriers)

    def changed(self, text: str) -> "CarrierRanges":
        """Return the ranges with further ones from a list such as `174=telecom 1620=none`.

        Raises:
            CarrierRangesNotUnderstood: an entry is not so.
        """
        segments = dict(self.by_segment)
        for entry in text.replace(",", " ").split():
            carrier = _read_entry(entry)
            for segment in _segments(entry.partition("=")[0]):
                if carrier is None:
                    segments.pop(segment, None)
                else:
                    segments[segment] = carrier
        return CarrierRanges(segments)


def _segments(prefix: str) -> list[int]:
    """Return the segments of a prefix of three or four digits."""
    endings = range(10) if len(prefix) == 3 else [None]  # noqa: PLR2004 - a prefix, or a segment
    return [int(f"86{prefix}{'' if ending is None else ending}") for ending in endings]


def _read_entry(entry: str) -> Carrier | None:
    prefix, _, name = entry.partition("=")
    if not re.fullmatch(r"1[3-9][0-9]{1,2}", prefix) or name not in {*Carrier, "none"}:
        raise CarrierRangesNotUnderstood(entry)
    return None if name == "none" else Carrier(name)


PUBLIC_RANGES: Final = CarrierRanges(
    {
        segment: carrier
        for carrier, prefixes in _PUBLIC.items()
        for prefix in prefixes.split()
        for segment in _segments(prefix)
    }
)
"""The ranges as lists of them agreed in 2026; an installation corrects them by a setting."""


def carrier_of(mobile: int) -> Carrier | None:
    """Return the carrier that a number began with, by the public ranges."""
    return PUBLIC_RANGES.carrier_of(mobile)
