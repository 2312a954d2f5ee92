from datetime import UTC, datetime, timedelta

import pytest

from textwave.connections.accounts import PlatformKind
from textwave.kit.carriers import Carrier
from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.platforms.contract import CarrierReview, CarrierState
from textwave.signatures.registration import warnings
from textwave.signatures.states import SignatureState
from textwave.signatures.store import Signature

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def signature(
    *,
    sent: int | None = None,
    decided: int = 1,
    kind: PlatformKind = PlatformKind.ALIYUN,
    state: SignatureState = SignatureState.APPROVED,
    **carriers: dict[str, str],
) -> Signature:
    """A signature that was last sent with, and decided on, so many days ago."""
    return Signature(
        SignatureId(1), WorkspaceId(1), PlatformId(1), "ali", kind, "云裳", state, "",
        verified=True, rate_per_second=None, papers=None, carriers=carriers,  # pyright: ignore[reportArgumentType] - as a row has them
        created_at=NOW, submitted_at=NOW, decided_at=NOW - timedelta(days=decided),
        last_sent_at=None if sent is None else NOW - timedelta(days=sent),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (signature(sent=149), []),
        (signature(sent=150), ["idle"]),
        (signature(sent=150, kind=PlatformKind.THIRDPARTY), []),
        (signature(sent=150, state=SignatureState.REJECTED), []),
        (signature(decided=200), ["idle"]),
        (signature(sent=3, decided=200), []),
    ],
)
def test_a_signature_that_sends_nothing_is_warned_of_after_five_months(
    kept: Signature, said: list[str]
) -> None:
    assert [warned.code for warned in warnings(kept, NOW)] == said


def test_it_is_said_until_when_something_must_be_sent() -> None:
    (warned,) = warnings(signature(sent=160), NOW)
    assert warned.sentence == (
        "Nothing has been sent under it since 2026-03-25. Carriers take a signature away that "
        "sends nothing for six months: send something by 2026-09-21."
    )


def test_each_carrier_that_has_not_registered_it_is_named_with_its_reason() -> None:
    kept = signature(
        mobile={"state": "approved", "reason": ""},
        unicom={"state": "rejected", "reason": "QUALIFICATION_ERROR"},
        telecom={"state": "reviewing", "reason": ""},
    )
    said = {warned.code: warned.sentence for warned in warnings(kept, NOW)}
    assert said == {
        "carrier_rejected": "China Unicom has not registered it: its numbers get nothing "
        "(QUALIFICATION_ERROR).",
        "carrier_reviewing": "China Telecom is still registering it: its numbers may get nothing "
        "until then.",
    }


def test_carriers_are_read_from_a_row() -> None:
    kept = signature(mobile={"state": "lapsed", "reason": "NO_SEND_RECORD"})
    assert kept.carriers == {Carrier.MOBILE: CarrierReview(CarrierState.lapsed, "NO_SEND_RECORD")}
