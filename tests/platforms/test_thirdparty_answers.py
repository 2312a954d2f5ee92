import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platform_stage import request

from textwave.platforms.contract import SendAnswer
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty.answers import Answered, read_send_answer

REQUEST = request("k", 1, 2, 3)


def result(identity: int, code: str = "OK", message: str = "") -> dict[str, Any]:
    return {"messageId": str(identity), "code": code, "message": message}


def answered(
    *results: dict[str, Any], status: int = 200, kind: str = "application/json", **changes: Any
) -> SendAnswer:
    body = {
        "platformName": "p",
        "code": "OK",
        "message": "",
        "requestId": "r9",
        "results": results,
    }
    data = json.dumps(body | changes).encode()
    return read_send_answer(Answered(status, kind, "", data), REQUEST, "p")


def test_all_accepted_leaves_nothing_refused() -> None:
    assert answered(result(1), result(2), result(3)) == SendAnswer(
        Outcome.accepted, {}, "r9", None, ""
    )


def test_a_refused_message_has_its_outcome_code_and_sentence() -> None:
    answer = answered(result(1), result(2, "BAD_NUMBER", "no such number"), result(3))
    assert answer.outcome is Outcome.accepted
    assert list(answer.refused) == [2]
    refusal = answer.refused[2]
    assert (refusal.outcome, refusal.code) == (Outcome.bad_number, "BAD_NUMBER")
    assert refusal.sentence == "no such number"


def test_a_message_that_the_answer_does_not_mention_is_in_doubt() -> None:
    answer = answered(result(1), result(3))
    assert {2: Outcome.unknown} == {key: why.outcome for key, why in answer.refused.items()}


def test_a_message_with_two_different_results_is_in_doubt() -> None:
    answer = answered(result(1), result(1, "BAD_NUMBER"), result(2), result(3))
    assert {1: Outcome.unknown} == {key: why.outcome for key, why in answer.refused.items()}


def test_results_of_other_messages_change_nothing() -> None:
    answer = answered(result(1), result(2), result(3), result(99, "BAD_NUMBER"))
    assert not answer.refused


def test_a_throttled_request_says_when_to_come_again() -> None:
    answer = answered(status=429, code="THROTTLED", retryAfterMs=1500)
    assert (answer.outcome, answer.retry_after_seconds) == (Outcome.throttled, 1.5)


@pytest.mark.parametrize("wait", [-1, 1e30])
def test_an_absurd_wait_is_bounded(wait: float) -> None:
    seconds = answered(status=429, code="THROTTLED", retryAfterMs=wait).retry_after_seconds
    assert seconds is None or seconds <= 3600


def test_the_header_is_read_where_the_body_is_not_the_contract_s() -> None:
    page = Answered(429, "text/html", "7", b"<html>slow down</html>")
    answer = read_send_answer(page, REQUEST, "p")
    assert (answer.outcome, answer.retry_after_seconds) == (Outcome.throttled, 7.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "text/html"}, "text/html"),
        ({"platformName": "another"}, "another"),
        ({"code": None}, "code"),
        ({"results": "none"}, "results"),
        ({"results": [{"code": "OK"}]}, "messageId"),
        ({"status": 502, "kind": "text/html"}, "502"),
        ({"status": 302, "kind": ""}, "302"),
    ],
)
def test_an_answer_that_is_not_the_contract_s_leaves_the_request_in_doubt(
    changes: dict[str, Any], said: str
) -> None:
    whole: dict[str, Any] = {"results": [result(1), result(2), result(3)]}
    answer = answered(**(whole | changes))
    assert answer.outcome is Outcome.unknown
    assert said in answer.detail


def test_a_refusal_that_accepts_messages_is_in_doubt() -> None:
    assert answered(result(1), code="NO_BALANCE").outcome is Outcome.unknown
    assert answered(code="NO_BALANCE").outcome is Outcome.no_balance


@given(st.binary(max_size=200), st.integers(100, 599), st.text(max_size=20))
def test_no_answer_raises(body: bytes, status: int, header: str) -> None:
    answer = read_send_answer(Answered(status, "application/json", header, body), REQUEST, "p")
    assert answer.outcome is not Outcome.accepted


def test_foreign_text_is_made_fit_to_be_stored() -> None:
    answer = answered(status=400, code="ODD", message="a\x00\nb" + "x" * 5000)
    assert answer.outcome is Outcome.refused
    assert "\x00" not in answer.detail
    assert len(answer.detail) <= 200
