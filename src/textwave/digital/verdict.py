"""What the carriers' answers make of a digital template. Pure.

It is usable as soon as one carrier has approved it, for the numbers of that carrier alone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from textwave.content.states import TemplateEvent
from textwave.kit.carriers import Carrier
from textwave.platforms.contract import CarrierReview, CarrierState, Review, ReviewState

REVIEWERS: Final = (Carrier.MOBILE, Carrier.UNICOM, Carrier.TELECOM)
"""The carriers that review digital messages; the fourth one carries none yet."""

WAITS_FOR_OTHERS: Final = timedelta(hours=24)
"""How long a campaign that waits for approval waits for further carriers after the first one."""

CARRIER_NAMES: Final = {
    Carrier.MOBILE: "China Mobile",
    Carrier.UNICOM: "China Unicom",
    Carrier.TELECOM: "China Telecom",
    Carrier.BROADNET: "China Broadnet",
}


def carriers_of(review: Review) -> dict[Carrier, CarrierReview]:
    """Return where each carrier stands; a platform that speaks for all says the same of each."""
    if review.carriers:
        return dict(review.carriers)
    state = CarrierState(review.state)
    return dict.fromkeys(REVIEWERS, CarrierReview(state, review.reason))


def verdict(review: Review) -> TemplateEvent | None:
    """Return what happens to a template under review; None: nothing is decided yet."""
    states = {one.state for one in carriers_of(review).values()}
    if CarrierState.approved in states:
        return TemplateEvent.APPROVE
    if review.state is ReviewState.rejected or CarrierState.reviewing not in states:
        return TemplateEvent.REJECT
    return None


def reason_of(review: Review) -> str:
    """Say why carriers rejected a template, all in one sentence."""
    said = [
        f"{CARRIER_NAMES[carrier]}: {one.reason or one.state}"
        for carrier, one in carriers_of(review).items()
        if one.state in {CarrierState.rejected, CarrierState.lapsed}
    ]
    return "; ".join(dict.fromkeys([*([review.reason] if review.reason else []), *said]))


def is_settled(carriers: Mapping[Carrier, CarrierState]) -> bool:
    """Tell whether every carrier has decided."""
    return CarrierState.reviewing not in carriers.values()


def releases_campaigns(
    carriers: Mapping[Carrier, CarrierState], decided_at: datetime, now: datetime
) -> bool:
    """Tell whether campaigns that wait for an approved template go: for whom it is approved then.

    They wait for the other carriers, but not for ever.
    """
    return is_settled(carriers) or now >= decided_at + WAITS_FOR_OTHERS
