"""Money in whole thousandths of a currency unit: the price of a part has three decimals.

Amounts of two currencies are never added or compared: that is refused.
"""

from dataclasses import dataclass
from typing import ClassVar

from textwave.kit.refusal import Refusal

MILLI_PER_UNIT = 1000


@dataclass(eq=False)
class CurrenciesDiffer(Refusal):
    """Two amounts were put together that are in different currencies."""

    code: ClassVar[str] = "currencies_differ"
    left: str
    right: str

    @property
    def sentence(self) -> str:
        return (
            f"An amount in {self.left} and one in {self.right} cannot be put together. "
            "Show a sum for each currency."
        )


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `milli` thousandths of one unit of `currency` (an ISO 4217 code)."""

    milli: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise CurrenciesDiffer(self.currency, other.currency)
        return Money(self.milli + other.milli, self.currency)

    def __str__(self) -> str:
        """Write the amount with two decimals, or three where the third is not zero."""
        units, milli = divmod(abs(self.milli), MILLI_PER_UNIT)
        decimals = f"{milli:03d}".removesuffix("0")
        sign = "-" if self.milli < 0 else ""
        return f"{sign}{units:,}.{decimals} {self.currency}"


def price_of(parts: int, part_price: Money) -> Money:
    """Return what `parts` billed parts cost at `part_price` each."""
    return Money(parts * part_price.milli, part_price.currency)
