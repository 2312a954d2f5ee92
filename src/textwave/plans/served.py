"""Which numbers an account and a template reach at all. Pure: Ibis over a column of numbers.

One call to a platform must not mix numbers of the Chinese mainland with others, and a digital
message goes only to carriers that have approved its template.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from textwave.kit.carriers import MAINLAND_FIRST, MAINLAND_LAST, SEGMENT_SIZE
from textwave.kit.mobile import Mobile

CARRIER_NOT_APPROVED: Final = "carrier not approved"


@dataclass(frozen=True, slots=True)
class Served:
    """What an account and a template serve.

    `mainland`: only numbers of the Chinese mainland, or (False) only others; None: all. `segments`:
    only numbers of these segments (see `textwave.kit.carriers`); None: all.
    """

    mainland: bool | None = None
    segments: Collection[int] | None = None

    def outside(self, numbers: Any) -> Any | None:
        """Return which numbers of a column the account does not serve; None: it serves all."""
        if self.mainland is None:
            return None
        within = numbers.between(MAINLAND_FIRST, MAINLAND_LAST)
        return ~within if self.mainland else within

    def unapproved(self, numbers: Any) -> Any | None:
        """Return which numbers belong to no approving carrier; None: all may get it."""
        if self.segments is None:
            return None
        return ~(numbers // SEGMENT_SIZE).isin(sorted(self.segments)).fill_null(False)

    def serves(self, mobile: Mobile) -> bool:
        """Tell whether one number can be reached."""
        within = MAINLAND_FIRST <= mobile <= MAINLAND_LAST
        if self.mainland is not None and within is not self.mainland:
            return False
        return self.segments is None or mobile // SEGMENT_SIZE in self.segments


SERVES_ALL: Final = Served()
