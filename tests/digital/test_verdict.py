"""What the carriers' answers make of a digital template, for every combination of them."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from textwave.content.states import TemplateEvent
from textwave.digital.verdict import (
    REVIEWERS,
    carriers_of,
    reason_of,
    releases_campaigns,
    verdict,
)
from textwave.kit.carriers import Carrier
from textwave.platforms.contract import CarrierReview, CarrierState, Review, ReviewState

SAID = (
    CarrierState.reviewing,
    CarrierState.approved,
    CarrierState.rejected,
    CarrierState.lapsed,
)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def review(*states: CarrierState, state: ReviewState = ReviewState.reviewing) -> Review:
    said = {carrier: CarrierReview(one) for carrier, one in zip(REVIEWERS, states, strict=True)}
    return Review(state, carriers=said)


@pytest.mark.parametrize("states", list(product(SAID, repeat=3)))
def test_one_approval_makes_it_usable_and_only_all_refusals_reject_it(
    states: tuple[CarrierState, ...],
) -> None:
    event = verdict(review(*states))
    if CarrierState.approved in states:
        assert event is TemplateEvent.APPROVE
    elif CarrierState.reviewing in states:
        assert event is None
    else:
        assert event is TemplateEvent.REJECT


def test_a_platform_that_rejects_before_any_carrier_decides_rejects_it() -> None:
    waiting = [CarrierState.reviewing] * 3
    assert verdict(review(*waiting, state=ReviewState.rejected)) is TemplateEvent.REJECT


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (ReviewState.reviewing, None),
        (ReviewState.approved, TemplateEvent.APPROVE),
        (ReviewState.rejected, TemplateEvent.REJECT),
    ],
)
def test_a_platform_that_names_no_carriers_speaks_for_all_of_them(
    state: ReviewState, event: TemplateEvent | None
) -> None:
    assert verdict(Review(state)) is event
    assert {one.state for one in carriers_of(Review(state)).values()} == {CarrierState(state)}


def test_the_reason_names_each_carrier_that_rejected() -> None:
    said = {
        Carrier.MOBILE: CarrierReview(CarrierState.rejected, "no permission"),
        Carrier.UNICOM: CarrierReview(CarrierState.lapsed),
        Carrier.TELECOM: CarrierReview(CarrierState.approved),
    }
    reason = reason_of(Review(ReviewState.rejected, "see below", said))
    assert reason == "see below; China Mobile: no permission; China Unicom: lapsed"


def test_waiting_campaigns_go_when_all_have_decided_or_a_day_after_the_first_approval() -> None:
    half = {Carrier.MOBILE: CarrierState.approved, Carrier.UNICOM: CarrierState.reviewing}
    assert not releases_campaigns(half, NOW, NOW + timedelta(hours=23))
    assert releases_campaigns(half, NOW, NOW + timedelta(hours=24))
    assert releases_campaigns(half | {Carrier.UNICOM: CarrierState.rejected}, NOW, NOW)
