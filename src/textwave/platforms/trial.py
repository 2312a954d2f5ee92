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

from textwave.platforms.signing import signature_headers
from textwave.platforms.thirdparty.answers import Answered, AnswerT, read_answer
from textwave.platforms.thirdparty.mobiles import write_mobile
from textwave.platforms.thirdparty.wire import WireAnswer, WireSendAnswer, legible

ANSWER_BYTES_MAX = 10 * 1024 * 1024
ATTEMPTS_MAX = 10
POLL_SECONDS = 0.2
CONTENT = "Textwave conformance check, please ignore."


class RuleBroken(Exception):
    """A rule does not hold."""


@dataclass(slots=True)
class Trial:
    """What the rules share: the connection, and what earlier rules made."""

    session: aiohttp.ClientSession
    url: str
    key: str
    name: str | None
    signature: str
    template_code: str
    numbers: Sequence[int]
    wait_seconds: float
    receipt_wait_seconds: float
    names_seen: set[str] = field(default_factory=set[str])
    made: list[str] = field(default_factory=list[str])
    never_sent: set[int] = field(default_factory=set[int])
    last_message_id: int = field(default_factory=lambda: int(time.time() * 1000) * 1000)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        key: str | None = None,
        signed: bool = True,
        age_seconds: int = 0,
        nonce: str | None = None,
    ) -> Answered:
        """Make one request, signed as wished."""
        data = b"" if body is None else msgspec.json.encode(body)
        stamp, nonce = str(int(time.time()) - age_seconds), nonce or secrets.token_hex(16)
        base = URL(self.url.rstrip("/") + path, encoded=True)
        headers = {"Accept-Encoding": "identity"}
        if data:
            headers["Content-Type"] = "application/json"
        if signed:
            headers |= signature_headers(
                self.key if key is None else key,
                method=method,
                path=base.raw_path,
                timestamp=stamp,
                nonce=nonce,
                body=data,
            )
        target = URL(f"{base}?timestamp={stamp}&nonce={nonce}{query}", encoded=True)
        return await self._exchange(method, target, data, headers)

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
        try:
            answer = msgspec.json.decode(answered.body, type=WireAnswer, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RuleBroken(
                f"HTTP {answered.status} with a body that is not the contract's: {error}"
            ) from None
        self.names_seen.add(answer.platform_name)
        return answer.code

    def new_message(self, *, number: str = "") -> dict[str, Any]:
        """Return a message with an id that was never used."""
        self.last_message_id += 1
        mobile = self.numbers[self.last_message_id % len(self.numbers)]
        return {
            "messageId": str(self.last_message_id),
            "phoneNumber": number or write_mobile(mobile),
            "content": CONTENT,
            "params": {},
        }

    async def send(
        self, messages: list[dict[str, Any]], *, batch_id: str = "", template_code: str = ""
    ) -> Answered:
        """Send messages, again if the platform says that it cannot just now."""
        body = {
            "batchId": batch_id or secrets.token_hex(16),
            "signName": self.signature,
            "templateCode": template_code or self.template_code,
            "smsType": 1,
            "messages": messages,
        }
        answered = await self.ask("POST", "/sms/send", body)
        for _ in range(ATTEMPTS_MAX):
            if self.refusal_code(answered) not in {"THROTTLED", "BUSY"}:
                break
            await asyncio.sleep(POLL_SECONDS)
            answered = await self.ask("POST", "/sms/send", body)
        return answered

    async def results(self, messages: list[dict[str, Any]], batch_id: str) -> dict[int, str]:
        """Send messages and return the code of each; the send must be accepted."""
        if not self.template_code:
            raise RuleBroken("there is no approved template to send with")
        answer = self.read(await self.send(messages, batch_id=batch_id), WireSendAnswer)
        return {result.message_id: result.code for result in answer.results or []}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            response.close()
            raise RuleBroken(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
    return body
