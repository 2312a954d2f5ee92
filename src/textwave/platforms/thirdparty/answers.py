"""Translate what a third-party platform answered; pure.

An answer counts only if it is JSON with all required fields and the configured platform name.
Anything else says no more than its HTTP status, and a 2xx then means: in doubt.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from textwave.platforms.contract import (
    MessageRefusal,
    PlatformAnsweredNonsense,
    PlatformRefused,
    SendAnswer,
    SendRequest,
)
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty.codes import CLIENT_ERROR, OK, code_outcome, status_outcome
from textwave.platforms.thirdparty.wire import WireAnswer, WireResult, WireSendAnswer, legible

RETRY_AFTER_SECONDS_MAX = 3600.0
UNAUTHORIZED = (401, 403)

AnswerT = TypeVar("AnswerT", bound=WireAnswer)
_send_answer = msgspec.json.Decoder(WireSendAnswer, strict=False)
_any_answer = msgspec.json.Decoder(WireAnswer, strict=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer as it came; `retry_after` is the header's text."""

    status: int
    content_type: str
    retry_after: str
    body: bytes


class Unreadable(Exception):
    """The answer is not the contract's."""


def read_send_answer(answered: Answered, request: SendRequest, platform: str) -> SendAnswer:
    """Return what became of a request, by the answer to it; never raises."""
    try:
        answer = _read(answered, platform, _send_answer)
    except Unreadable as unreadable:
        return SendAnswer(
            status_outcome(answered.status),
            retry_after_seconds=_retry_after_seconds(answered, None),
            detail=f"HTTP {answered.status}: {unreadable}",
        )
    outcome = code_outcome(answer.code, answered.status)
    results = answer.results or []
    detail = "" if outcome is Outcome.accepted else legible(f"{answer.code} {answer.message or ''}")
    if outcome is not Outcome.accepted and any(result.code == OK for result in results):
        outcome = Outcome.unknown
        detail = legible(f"accepted some messages and yet said {detail}")
    refused = _refused(request, results) if outcome is Outcome.accepted else {}
    request_id = legible(answer.request_id, 100)
    return SendAnswer(outcome, refused, request_id, _retry_after_seconds(answered, answer), detail)


def _refused(request: SendRequest, results: list[WireResult]) -> dict[int, MessageRefusal]:
    """Return the messages that were not accepted: refused, contradicted or not mentioned."""
    codes = {result.message_id: result.code for result in results}
    refused: dict[int, MessageRefusal] = {}
    if len(codes) != len(results):
        refused.update(_contradicted(results))
    for message in request.messages:
        code = codes.get(message.message_id)
        if code is None:
            refused[message.message_id] = MessageRefusal(
                Outcome.unknown, "", "The platform's answer does not mention this message."
            )
    if any(code != OK for code in codes.values()):
        sent = {message.message_id for message in request.messages}
        for result in results:
            identity = result.message_id
            if result.code != OK and identity in sent and identity not in refused:
                sentence = legible(result.message)
                outcome = code_outcome(result.code)
                refused[identity] = MessageRefusal(outcome, legible(result.code, 100), sentence)
    return refused


def _contradicted(results: list[WireResult]) -> dict[int, MessageRefusal]:
    first: dict[int, str] = {}
    return {
        result.message_id: MessageRefusal(
            Outcome.unknown, "", "The platform's answer says two things of this message."
        )
        for result in results
        if first.setdefault(result.message_id, result.code) != result.code
    }


def read_answer(
    answered: Answered, platform: str, decoder: msgspec.json.Decoder[AnswerT]
) -> AnswerT:
    """Return the answer to a call other than send.

    Raises:
        PlatformRefused: its code is not OK, or it does not let us in.
        PlatformAnsweredNonsense: it is not the contract's.
    """
    _refuse_by_code(answered, platform)
    try:
        return _read(answered, platform, decoder)
    except Unreadable as unreadable:
        raise PlatformAnsweredNonsense(platform, f"HTTP {answered.status}: {unreadable}") from None


def _refuse_by_code(answered: Answered, platform: str) -> None:
    try:
        answer = _read(answered, platform, _any_answer)
    except Unreadable as unreadable:
        if answered.status in UNAUTHORIZED:
            raise PlatformRefused(
                platform, Outcome.forbidden, f"HTTP {answered.status}", ""
            ) from None
        detail = f"HTTP {answered.status}: {unreadable}"
        raise PlatformAnsweredNonsense(platform, detail) from None
    if answer.code != OK or answered.status >= CLIENT_ERROR:
        outcome = code_outcome(answer.code, answered.status)
        code = legible(answer.code, 100)
        raise PlatformRefused(platform, outcome, code, legible(answer.message))


def _read(answered: Answered, platform: str, decoder: msgspec.json.Decoder[AnswerT]) -> AnswerT:
    if "json" not in answered.content_type.lower():
        kind = legible(answered.content_type, 50) or "nothing named"
        raise Unreadable(f"the answer is {kind}, not JSON")
    try:
        answer = decoder.decode(answered.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(legible(str(error))) from None
    if platform and answer.platform_name != platform:
        raise Unreadable(
            f"platformName is “{legible(answer.platform_name, 50)}”, configured is “{platform}”"
        )
    return answer


def _retry_after_seconds(answered: Answered, answer: WireAnswer | None) -> float | None:
    if answer is not None and answer.retry_after_ms is not None and answer.retry_after_ms >= 0:
        return min(answer.retry_after_ms / 1000, RETRY_AFTER_SECONDS_MAX)
    header = answered.retry_after.strip()
    if header.isascii() and header.isdigit():
        return min(float(header[:6]), RETRY_AFTER_SECONDS_MAX)
    return None
