import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.kit.money import CurrenciesDiffer, Money, price_of


@pytest.mark.parametrize(
    ("milli", "written"),
    [
        (45, "0.045 CNY"),
        (0, "0.00 CNY"),
        (1_234_500, "1,234.50 CNY"),
        (-45, "-0.045 CNY"),
        (-1_500, "-1.50 CNY"),
    ],
)
def test_money_is_written_with_two_decimals_or_three_if_needed(milli: int, written: str) -> None:
    assert str(Money(milli, "CNY")) == written


@given(parts=st.integers(0, 10**9), milli=st.integers(0, 10**6))
def test_the_price_of_parts_is_the_sum_of_their_prices(parts: int, milli: int) -> None:
    one_less = price_of(parts, Money(milli, "EUR"))
    assert price_of(parts + 1, Money(milli, "EUR")) == one_less + Money(milli, "EUR")


def test_amounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(CurrenciesDiffer, match="a sum for each currency"):
        _ = Money(1, "CNY") + Money(1, "EUR")
