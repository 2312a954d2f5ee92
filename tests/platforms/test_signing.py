from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.signing import (
    RequestNotAuthentic,
    SignatureMode,
    SignatureProblem,
    SignedRequest,
    qa_signature,
    textwave_signature,
    verify,
)

KEY = "123456789"
STAMP = "1631865523"
NONCE = "2e6eceb5737b473284c930c8ef79090e"
VECTOR = "459fa2f7e79389c337e6b2077538fb9408241e79715b2f40dfa6c2757e2ecce8"
NOW = datetime.fromtimestamp(int(STAMP), UTC)


def signed(key: str = KEY, body: bytes = b"[]", path: str = "/sms/send") -> SignedRequest:
    textwave = textwave_signature(
        key, method="POST", path=path, timestamp=STAMP, nonce=NONCE, body=body
    )
    return SignedRequest(
        "POST", path, STAMP, NONCE, qa_signature(key, STAMP, NONCE), textwave, body
    )


def problem(
    request: SignedRequest,
    *,
    key: str = KEY,
    now: datetime = NOW,
    mode: SignatureMode = SignatureMode.strict,
) -> SignatureProblem:
    with pytest.raises(RequestNotAuthentic) as caught:
        verify(request, key=key, now=now, mode=mode)
    return caught.value.problem


def test_the_published_vector_is_reproduced() -> None:
    assert qa_signature(KEY, STAMP, NONCE) == VECTOR


def test_without_a_key_both_headers_are_empty() -> None:
    assert signed(key="").qa_signature == ""
    assert signed(key="").textwave_signature == ""


def test_an_authentic_request_hands_its_nonce_back() -> None:
    assert verify(signed(), key=KEY, now=NOW, mode=SignatureMode.strict) == NONCE


@given(st.text(min_size=1), st.binary(max_size=100))
def test_whatever_is_signed_is_verified(key: str, body: bytes) -> None:
    request = signed(key.encode("utf-8", "replace").decode() or "k", body)
    key = key.encode("utf-8", "replace").decode()
    assert verify(request, key=key, now=NOW, mode=SignatureMode.strict) == NONCE


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_may_be_off_by_five_minutes(seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    assert verify(signed(), key=KEY, now=now, mode=SignatureMode.strict) == NONCE


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_request_more_than_five_minutes_off_is_stale(seconds: int) -> None:
    assert problem(signed(), now=NOW + timedelta(seconds=seconds)) is SignatureProblem.stale


@pytest.mark.parametrize("stamp", ["", "-5", "1e9", "١٢٣", "9" * 4000, "1631865523.5"])
def test_a_timestamp_that_is_no_number_is_refused(stamp: str) -> None:
    assert problem(replace(signed(), timestamp=stamp)) is SignatureProblem.bad_timestamp


@pytest.mark.parametrize("nonce", ["", "short", "x" * 33, "é" * 32, " " * 32])
def test_a_nonce_that_is_not_32_letters_or_digits_is_refused(nonce: str) -> None:
    assert problem(replace(signed(), nonce=nonce)) is SignatureProblem.bad_nonce


def test_another_key_is_refused() -> None:
    assert problem(signed(key="another")) is SignatureProblem.wrong


def test_a_signature_of_strange_characters_is_refused() -> None:
    assert problem(replace(signed(), qa_signature="é\ud800")) is SignatureProblem.wrong


@pytest.mark.parametrize("change", [{"body": b"[1]"}, {"path": "/sms/other"}, {"method": "PUT"}])
def test_a_changed_request_is_refused_also_in_qa_only_mode(change: dict[str, object]) -> None:
    altered = replace(signed(), **change)  # pyright: ignore[reportArgumentType] - by name
    assert problem(altered) is SignatureProblem.body_wrong
    assert problem(altered, mode=SignatureMode.qa_only) is SignatureProblem.body_wrong


def test_an_old_gateway_may_leave_the_body_unsigned_in_qa_only_mode_alone() -> None:
    old = replace(signed(), textwave_signature="")
    assert problem(old) is SignatureProblem.body_missing
    assert verify(old, key=KEY, now=NOW, mode=SignatureMode.qa_only) == NONCE


def test_an_unsigned_request_is_refused() -> None:
    assert problem(replace(signed(), qa_signature="")) is SignatureProblem.missing


def test_without_a_key_here_nothing_is_authentic() -> None:
    assert problem(signed(key=""), key="") is SignatureProblem.no_key
    assert "key" in RequestNotAuthentic(SignatureProblem.no_key).sentence
