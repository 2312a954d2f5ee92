"""What keeps an approved signature from reaching everybody, said before it does.

Pure. Carriers register each signature for themselves, and take away one under which nothing was
sent for six months.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textwave.connections.accounts import PlatformKind
from textwave.kit.carriers import Carrier
from textwave.platforms.contract import CarrierReview, CarrierState
from textwave.signatures.states import SignatureState
from textwave.signatures.store import Signature

REGISTERING: Final = frozenset({PlatformKind.ALIYUN})
"""Kinds of platforms where each carrier registers signatures for its own numbers."""

NOT_VERIFIED: Final = "The platform has not confirmed that it is approved."
IDLE: Final = timedelta(days=150)
LAPSING: Final = timedelta(days=180)
_NAMES: Final[Mapping[Carrier, str]] = {
    Carrier.MOBILE: "China Mobile",
    Carrier.UNICOM: "China Unicom",
    Carrier.TELECOM: "China Telecom",
    Carrier.BROADNET: "China Broadnet",
}
_SAID: Final[Mapping[CarrierState, str]] = {
    CarrierState.reviewing: "is still registering it: its numbers may get nothing until then",
    CarrierState.unverified: "has registered it: try it with a few messages first",
    CarrierState.rejected: "has not registered it: its numbers get nothing",
    CarrierState.lapsed: "has taken it away, for nothing was sent for six months",
    CarrierState.missing: "does not have it: its numbers get nothing",
}


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to know of a signature before it is sent with."""

    code: str
    sentence: str


def warnings(signature: Signature, now: datetime) -> list[Warned]:
    """Return what may keep messages under an approved signature from arriving."""
    if signature.state is not SignatureState.APPROVED:
        return []
    found = [
        _of_carrier(carrier, review)
        for carrier, review in signature.carriers.items()
        if review.state is not CarrierState.approved
    ]
    if not signature.verified:
        found.insert(0, Warned("not_verified", signature.reason or NOT_VERIFIED))
    if idle := _idle(signature, now):
        found.append(idle)
    return found


def _of_carrier(carrier: Carrier, review: CarrierReview) -> Warned:
    reason = f" ({review.reason})" if review.reason else ""
    sentence = f"{_NAMES[carrier]} {_SAID[review.state]}{reason}."
    return Warned(f"carrier_{review.state}", sentence)


def _idle(signature: Signature, now: datetime) -> Warned | None:
    since = signature.last_sent_at or signature.decided_at
    if signature.kind not in REGISTERING or since is None or now - since < IDLE:
        return None
    end = f"{since + LAPSING:%Y-%m-%d}"
    sentence = (
        f"Nothing has been sent under it since {since:%Y-%m-%d}. Carriers take a signature away "
        f"that sends nothing for six months: send something by {end}."
    )
    return Warned("idle", sentence)
