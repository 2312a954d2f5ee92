"""Shares as rules: what is no division of an audience, and which variant wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.campaigns.shares import (
    FEWEST_CLICKERS,
    Control,
    Result,
    Shares,
    SharesDoNotAddUp,
    Variant,
    WinnerRule,
    check_shares,
    choose,
)
from textwave.kit.refusal import InvalidValue

AB = (Variant("A", "short", 500), Variant("B", "long", 500))


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        (Shares(variants=AB[:1]), "variants: give 2 to 5 variants"),
        (Shares(variants=(AB[0], AB[0])), "two variants are named “A”"),
        (Shares(variants=(AB[0], Variant("rest", "long", 500))), "“rest” is the name"),
        (Shares(variants=(AB[0], Variant("B\n", "long", 500))), "on one line"),
        (Shares(control=Control()), "a share or a size"),
        (Shares(control=Control(100, 5)), "a share or a size"),
        (Shares(control=Control(950)), "from 0.001 to 0.9"),
        (Shares(control=Control(size=2_000_000)), "1 to 1,000,000 people"),
        (Shares(exclude=("vip", "vip")), "names “vip” twice"),
        (Shares(exclude=tuple(map(str, range(21)))), "more than 20 audiences"),
        (Shares(winner=WinnerRule(200, "clicks")), "no variants to choose from"),
        (Shares(variants=AB, winner=WinnerRule(1000, "hand")), "winner.test_share"),
        (Shares(variants=AB, winner=WinnerRule(200, "chance")), "none of: hand, clicks"),
        (Shares(variants=AB, winner=WinnerRule(200, "hand", 0)), "winner.after_minutes"),
        (Shares(seed=-1), "seed: use a whole number"),
    ],
)
def test_shares_that_make_no_sense_are_refused_with_their_place(
    shares: Shares, sentence: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_shares(shares)
    assert sentence in refused.value.sentence


@pytest.mark.parametrize("shares", [(600, 500), (300, 300), (1000, 0)])
def test_shares_of_variants_are_the_whole_audience_or_refused(shares: tuple[int, int]) -> None:
    variants = (Variant("A", "short", shares[0]), Variant("B", "long", shares[1]))
    with pytest.raises(SharesDoNotAddUp, match="Make them 100 %"):
        check_shares(Shares(variants=variants))


@given(st.integers(2, 5))
def test_variants_without_shares_get_equal_ones(count: int) -> None:
    variants = tuple(Variant(f"V{number}", "short") for number in range(count))
    shares = [one.share_milli for one in check_shares(Shares(variants=variants)).variants]
    assert sum(shares) == 1000
    assert max(shares) - min(shares) <= 1


def test_the_variant_with_the_higher_click_rate_wins() -> None:
    choice = choose([Result(1, "A", 1000, 40), Result(2, "B", 500, 30)])
    assert choice.number == 2
    assert "“B” 6.0 % (30 of 500)" in choice.reason


def test_of_equal_rates_the_one_with_more_clicks_wins_and_else_the_first() -> None:
    assert choose([Result(1, "A", 100, 10), Result(2, "B", 200, 20)]).number == 2
    assert choose([Result(1, "A", 100, 10), Result(2, "B", 100, 10)]).number == 1


def test_too_few_clicks_tell_nothing_and_the_first_is_chosen() -> None:
    choice = choose([Result(1, "A", 0, 0), Result(2, "B", 20, FEWEST_CLICKERS - 1)])
    assert choice.number == 1
    assert "too few to tell" in choice.reason
