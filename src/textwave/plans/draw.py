"""Drawing people: a keyed number for each mobile number, the same wherever it is computed.

A polynomial over a prime whose factors come from the campaign's seed. It is arithmetic on integers
that never leaves 64 bits, so it is one formula for arrays and for every engine's columns, and two
customers with one number meet the same fate.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LOTS: Final = 2**31 - 1
"""Numbers are drawn from 0 up to here, not included: a prime."""

_SECOND_MODULUS: Final = 1_000_003
"""The remainders by both primes tell all numbers of up to 15 digits apart."""

_FACTORS: Final = 7
_BYTES_A_FACTOR: Final = 4
HIGHEST_SEED: Final = 2**53 - 1
"""As far as every JSON reader counts exactly."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw of a campaign: its factors, from 1 up to `LOTS`, not included."""

    factors: tuple[int, ...]

    def of(self, mobiles: Any) -> Any:
        """Return the lot of each number: of an array of int64, or of a column of an engine."""
        near, far, shift, *rising = self.factors
        mixed = (mobiles % LOTS * near + mobiles % _SECOND_MODULUS * far + shift) % LOTS
        lot = mixed * rising[0] % LOTS
        for factor in rising[1:-1]:
            lot = (lot + factor) * mixed % LOTS
        return (lot + rising[-1]) % LOTS


@dataclass(frozen=True, slots=True)
class Held:
    """Who is held out: whose lot is lower, or equal with a number that is not higher."""

    draw: Draw
    lot: int
    mobile: int = -1

    def holds(self, mobiles: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell for each number whether it is held out."""
        lots = self.draw.of(mobiles)
        held: NDArray[np.bool_] = (lots < self.lot) | (
            (lots == self.lot) & (mobiles <= self.mobile)
        )
        return held


def draw_for(seed: int, purpose: str) -> Draw:
    """Return the draw of a campaign for a purpose; those of two purposes are independent."""
    digest = sha256(f"{purpose} {seed}".encode()).digest()
    pieces = (
        digest[place * _BYTES_A_FACTOR : (place + 1) * _BYTES_A_FACTOR] for place in range(_FACTORS)
    )
    return Draw(tuple(int.from_bytes(piece) % (LOTS - 1) + 1 for piece in pieces))


def lots_for(share_milli: int) -> int:
    """Return below which lot a share of the numbers is, in thousandths."""
    return LOTS * share_milli // 1000
