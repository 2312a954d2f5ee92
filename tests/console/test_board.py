"""The arithmetic of the board: shares fill their bar, and sums that do not add up are seen."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.console.board import (
    Figures,
    account,
    funnel,
    messages_a_second,
    outcomes,
    ranked,
    shares,
    tenths_done,
)

COUNTS = st.integers(0, 10**9)


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    delivered, failed, waiting, in_doubt, dropped = (draw(COUNTS) for _ in range(5))
    messages = delivered + failed + waiting + in_doubt
    return Figures(
        planned=True,
        audience=messages + dropped,
        messages=messages,
        submitted=draw(st.integers(0, messages)),
        delivered=delivered,
        failed=failed,
        waiting=waiting,
        in_doubt=in_doubt,
        drops={"opted out": dropped},
    )


@given(figures())
def test_the_four_outcomes_fill_the_bar_of_all_messages(known: Figures) -> None:
    laid = outcomes(known)
    assert sum(share.count for share in laid) == known.messages
    if laid:
        assert laid[0].start == 0
        assert laid[-1].start + laid[-1].width == pytest.approx(100, abs=0.001)


@given(st.dictionaries(st.text(max_size=3), COUNTS))
def test_shares_lie_side_by_side_in_the_given_order(counts: dict[str, int]) -> None:
    laid = shares(counts, sum(counts.values()))
    assert [share.name for share in laid] == [name for name, count in counts.items() if count]
    for left, right in pairwise(laid):
        assert right.start == pytest.approx(left.start + left.width, abs=0.001)


@given(figures())
def test_sums_that_add_up_are_right(known: Figures) -> None:
    assert account(known).is_right


@given(figures(), st.integers(1, 1000))
def test_one_recipient_too_many_or_a_message_lost_is_seen(known: Figures, more: int) -> None:
    assert not account(replace(known, audience=known.audience + more)).audience_is_right
    assert not account(replace(known, delivered=known.delivered + more)).messages_are_right


def test_the_largest_count_comes_first_and_sets_the_scale() -> None:
    order = ranked({"a": 1, "b": 4, "c": 0})
    assert [(entry.name, entry.width) for entry in order] == [("b", 100), ("a", 25)]


@given(figures())
def test_progress_is_said_in_whole_tens_and_hundred_only_at_the_end(known: Figures) -> None:
    tenths = tenths_done(known)
    assert tenths % 10 == 0
    assert (tenths == 100) == (known.messages > 0 and known.submitted == known.messages)


def test_the_pace_is_unknown_before_anything_was_sent() -> None:
    assert messages_a_second(Figures(submitted=10)) == 0
    assert messages_a_second(Figures(submitted=10, seconds={"send": 0.0})) == 0
    assert messages_a_second(Figures(submitted=900, seconds={"send": 3.0})) == 300


def test_the_funnel_counts_people_who_clicked_not_clicks() -> None:
    steps = funnel(Figures(audience=9, messages=8, clicks=7, clickers=3))
    assert steps["clicked"] == 3
