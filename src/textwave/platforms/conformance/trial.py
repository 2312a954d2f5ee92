"""What the conformance rules share: the connection to the platform and what earlier rules made.

Signs requests rightly or, where a rule wishes it, wrongly. It refuses to read endless answers.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from textwave.platforms.conformance.listening import Listener
from textwave.platforms.signing import signature_headers
from textwave.platforms.thirdparty.answers import Answered, AnswerT, read_answer
from textwave.platforms.thirdparty.codes import OK
from textwave.platforms.thirdparty.mobiles import write_mobile
from textwave.platforms.thirdparty.wire import WireAnswer, WireSendAnswer, legible

ANSWER_BYTES_MAX = 10 * 1024 * 1024
ATTEMPTS_MAX = 10
POLL_SECONDS = 0.2
PUT_OFF_SECONDS_MAX = 5.0
INCOMPLETE_MAX = 20
CONTENT = "Textwave conformance check, please ignore."
NOT_NOW = frozenset({"THROTTLED", "BUSY"})
# These say enough by themselves: a proxy or a framework may answer them in its own words.
BARE_STATUSES = frozenset({401, 403, 404, 405, 429, 502, 503, 504})


class RuleBroken(Exception):
    """A rule does not hold."""


class Unchecked(Exception):
    """A rule could not be looked at, and why; that is no fault."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to check and with what; see `check`."""

    url: str
    key: str
    name: str | None
    signature: str
    template_code: str
    numbers: Sequence[int]
    qa_only: bool
    wait_seconds: float
    receipt_wait_seconds: float
    push_wait_seconds: float


@dataclass(frozen=True, slots=True)
class Forgery:
    """How a request is signed otherwise than it is sent; the defaults are as it is sent."""

    signed: bool = True
    key: str | None = None
    age_seconds: int = 0
    nonce: str = ""
    method: str = ""
    path: str = ""
    body: bytes | None = None


RIGHTLY = Forgery()


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a pulled stream, and the cursor that it was asked with."""

    after: str
    items: Sequence[Any]
    next: str


@dataclass(slots=True)
class Trial:
    """The connection, and what earlier rules made and saw.

    `sent` has the numbers of accepted messages by id, `never_sent` the ids of all others.
    """

    session: aiohttp.ClientSession
    target: Target
    listener: Listener | None
    template_code: str
    names_seen: set[str] = field(default_factory=set[str])
    answers: int = 0
    incomplete: list[str] = field(default_factory=list[str])
    waits_told: list[float | None] = field(default_factory=list[float | None])
    made: list[str] = field(default_factory=list[str])
    sent: dict[int, str] = field(default_factory=dict[int, str])
    never_sent: set[int] = field(default_factory=set[int])
    walks: dict[str, list[Step]] = field(default_factory=dict[str, list[Step]])
    started_at: float = field(default_factory=time.time)
    last_message_id: int = field(default_factory=lambda: int(time.time() * 1000) * 1000)

    async def ask(
        self, method: str, path: str, body: Any = None, *, query: str = "", as_if: Forgery = RIGHTLY
    ) -> Answered:
        """Make one request, signed as wished; a body of bytes goes out as it is."""
        data = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        stamp = str(int(time.time()) - as_if.age_seconds)
        nonce = as_if.nonce or secrets.token_hex(16)
        base = URL(self.target.url.rstrip("/") + path, encoded=True)
        headers = {"Accept-Encoding": "identity"}
        if data:
            headers["Content-Type"] = "application/json"
        if as_if.signed:
            signed = URL(self.target.url.rstrip("/") + (as_if.path or path), encoded=True)
            headers |= signature_headers(
                self.target.key if as_if.key is None else as_if.key,
                method=as_if.method or method,
                path=signed.raw_path,
                timestamp=stamp,
                nonce=nonce,
                body=data if as_if.body is None else as_if.body,
            )
        target = URL(f"{base}?timestamp={stamp}&nonce={nonce}{query}", encoded=True)
        answered = await self._exchange(method, target, data, headers)
        self._look_at(method, path, answered)
        return answered

    async def _exchange(
        self, method: str, target: URL, data: bytes, headers: dict[str, str]
    ) -> Answered:
        try:
            async with self.session.request(
                method, target, data=data or None, headers=headers, allow_redirects=False
            ) as response:
                body = await _read(response)
                kind = response.headers.get("Content-Type", "")
                return Answered(response.status, kind, "", body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            told = f"{type(error).__name__} {legible(str(error))}"
            raise RuleBroken(f"{method} {target.path}: no answer ({told})") from error

    def _look_at(self, method: str, path: str, answered: Answered) -> None:
        """Note an answer that lacks something of the envelope."""
        self.answers += 1
        lacking = _lacking(answered)
        bare = answered.status in BARE_STATUSES
        if lacking and not bare and len(self.incomplete) < INCOMPLETE_MAX:
            self.incomplete.append(f"{method} {path}, HTTP {answered.status}: {lacking}")

    async def get(self, path: str, decoder: type[AnswerT], *, query: str = "") -> AnswerT:
        """Return the answer to a GET that must succeed."""
        return self.read(await self.ask("GET", path, query=query), decoder)

    def read(self, answered: Answered, shape: type[AnswerT]) -> AnswerT:
        """Return an answer that must be OK and of a shape."""
        answer = read_answer(answered, "", msgspec.json.Decoder(shape, strict=False))
        self.names_seen.add(answer.platform_name)
        return answer

    def refusal_code(self, answered: Answered) -> str:
        """Return the code of an answer that must be shaped as the contract says."""
        return self._envelope(answered).code

    def _envelope(self, answered: Answered) -> WireAnswer:
        try:
            answer = msgspec.json.decode(answered.body, type=WireAnswer, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RuleBroken(
                f"HTTP {answered.status} with a body that is not the contract's: {error}"
            ) from None
        self.names_seen.add(answer.platform_name)
        return answer

    def must_refuse(self, answered: Answered, what: str) -> None:
        """Demand a refusal in the contract's words that does not blame the platform itself."""
        code = self.refusal_code(answered)
        if code == OK:
            raise RuleBroken(f"{what} was accepted")
        if answered.status >= 500:  # noqa: PLR2004 - HTTP server errors
            raise RuleBroken(f"{what} was answered {answered.status} {code}, as if it were down")

    def new_message(self, *, number: str = "") -> dict[str, Any]:
        """Return a message with an id that was never used."""
        self.last_message_id += 1
        numbers = self.target.numbers
        mobile = numbers[self.last_message_id % len(numbers)]
        return {
            "messageId": str(self.last_message_id),
            "phoneNumber": number or write_mobile(mobile),
            "content": CONTENT,
            "params": {},
        }

    async def send(
        self,
        messages: list[dict[str, Any]],
        *,
        batch_id: str = "",
        template_code: str = "",
        reply_to: str = "",
    ) -> Answered:
        """Send messages, again if the platform says that it cannot just now."""
        body = {
            "batchId": batch_id or secrets.token_hex(16),
            "signName": self.target.signature,
            "templateCode": template_code or self.template_code,
            "smsType": 1,
            "messages": messages,
        } | ({"replyTo": reply_to} if reply_to else {})
        answered = await self.ask("POST", "/sms/send", body)
        for _ in range(ATTEMPTS_MAX):
            answer = self._envelope(answered)
            if answer.code not in NOT_NOW:
                break
            if answer.code == "THROTTLED":
                self.waits_told.append(answer.retry_after_ms)
            await asyncio.sleep(_wait_seconds(answer))
            answered = await self.ask("POST", "/sms/send", body)
        return answered

    async def results(self, messages: list[dict[str, Any]], batch_id: str = "") -> dict[int, str]:
        """Send messages and return the code of each; the send must be accepted."""
        if not self.template_code:
            raise RuleBroken("there is no approved template to send with")
        answer = self.read(await self.send(messages, batch_id=batch_id), WireSendAnswer)
        codes = {result.message_id: result.code for result in answer.results or []}
        numbers = {int(message["messageId"]): message["phoneNumber"] for message in messages}
        self.sent |= {
            identity: number for identity, number in numbers.items() if codes.get(identity) == OK
        }
        return codes


def _wait_seconds(answer: WireAnswer) -> float:
    told = (answer.retry_after_ms or 0) / 1000
    return min(max(told, POLL_SECONDS), PUT_OFF_SECONDS_MAX)


def _lacking(answered: Answered) -> str:
    if "json" not in answered.content_type.lower():
        return f"the type is “{legible(answered.content_type, 50)}”, not application/json"
    try:
        answer = msgspec.json.decode(answered.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "the body is not JSON in UTF-8"
    if not isinstance(answer, dict):
        return "the body is no object"
    wrong = [name for name in ENVELOPE if not isinstance(answer.get(name), str)]
    return f"no text in {', '.join(wrong)}" if wrong else ""


ENVELOPE = ("platformName", "code", "message", "requestId")


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            response.close()
            raise RuleBroken(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
    return bytes(body)
