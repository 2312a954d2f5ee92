"""Signed calls of Alibaba Cloud's SMS service, made once each, with what came back.

The vendor's client is loaded with the first call, aside, because that takes the better part of a
second. Nothing is sent again here.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any

import aiohttp
from yarl import URL

from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun.errors import OK, Meaning, meaning_of
from textwave.platforms.aliyun.wire import AnswerT, Unreadable, WireAnswer, read
from textwave.platforms.contract import (
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
)
from textwave.platforms.exchange import Heard, Letter, Limits, NoAnswer, exchange, legible

CLIENT = "textwave.platforms.aliyun.sdk"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Line:
    """Where calls go and as whom: an account, the time it has, and a clock in seconds."""

    session: aiohttp.ClientSession
    name: str
    key_id: str
    key: str = field(repr=False)
    limits: Limits
    clock: Callable[[], float] = time.time

    @property
    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC)


async def load_client() -> Any:
    """Return the module of the vendor's client, importing it aside at first."""
    if _client.cache_info().currsize:
        return _client()
    return await asyncio.to_thread(_client)


@cache
def _client() -> Any:
    # Whoever comes while another imports it waits here: what `sys.modules` has then is half done.
    return import_module(CLIENT)


async def letter_for(line: Line, endpoint: URL, operation: str, **fields: Any) -> Letter:
    """Return the signed letter that calls an operation such as `send_sms` with its fields."""
    client = await load_client()
    return _signed(line, endpoint, client, await client.shape(operation, **fields))


async def call_other(line: Line, endpoint: URL, action: str, **query: str) -> Heard:
    """Make one call of a sister service of the same version, which the client does not know.

    Raises:
        NoAnswer: no whole answer came; its outcome says whether the call left.
    """
    client = await load_client()
    letter = _signed(line, endpoint, client, client.Call(action, client.VERSION, query, {}))
    return await exchange(line.session, letter, line.limits)


def _signed(line: Line, endpoint: URL, client: Any, shaped: Any) -> Letter:
    return client.sign(
        shaped,
        endpoint=endpoint,
        credentials=client.Credentials(line.key_id, line.key),
        now=line.now,
        nonce=secrets.token_hex(16),
    )


async def ask(
    line: Line, endpoint: URL, kind: type[AnswerT], operation: str, **fields: Any
) -> AnswerT:
    """Make one call and return its answer as a type.

    Raises:
        PlatformUnreachable: no whole answer came.
        PlatformRefused: its code is not OK.
        PlatformAnsweredNonsense: it is not what the service documents.
    """
    try:
        letter = await letter_for(line, endpoint, operation, **fields)
        heard = await exchange(line.session, letter, line.limits)
    except NoAnswer as nothing:
        raise PlatformUnreachable(line.name, nothing.detail) from nothing
    return understand(line, heard, kind)


def understand(line: Line, heard: Heard, kind: type[AnswerT]) -> AnswerT:
    """Return an answer as a type.

    Raises:
        PlatformRefused, PlatformAnsweredNonsense: as `ask`.
    """
    refusal, said = refusal_of(heard, line.now)
    if refusal is not None and said is not None and said.code:
        code, detail = legible(said.code, 100), legible(said.message)
        raise PlatformRefused(line.name, refusal.outcome, code, detail)
    try:
        if refusal is None:
            return read(heard, kind)
        problem = "there is no code"
    except Unreadable as unreadable:
        problem = str(unreadable)
    raise PlatformAnsweredNonsense(line.name, f"HTTP {heard.status}: {problem}")


def refusal_of(heard: Heard, now: datetime) -> tuple[Meaning | None, WireAnswer | None]:
    """Return what an answer refuses and the answer; no refusal: it is OK; no answer: no JSON."""
    try:
        said = read(heard, WireAnswer)
    except Unreadable:
        said = None
    code = said.code.strip() if said else ""
    message = (said.message or "") if said else ""
    if code == OK and heard.status < 400:  # noqa: PLR2004 - where HTTP's refusals begin
        return None, said
    meaning = meaning_of(code, message, status=heard.status, headers=heard.headers, now=now)
    return meaning, said


def endpoint_of(place: str, address: str) -> URL:
    """Return an endpoint as an address; one without a scheme is meant to be https.

    Raises:
        InvalidValue: it is no address, has a path, or would send keys in the open to elsewhere.
    """
    try:
        url = URL(address if "://" in address else f"https://{address}")
        fits = bool(url.host) and url.scheme in {"http", "https"} and " " not in address
    except ValueError:
        raise InvalidValue(place, "must be an address such as dysmsapi.aliyuncs.com") from None
    if not fits or url.path not in {"", "/"} or url.query_string or url.fragment or url.user:
        raise InvalidValue(place, "must be a bare address such as https://dysmsapi.aliyuncs.com")
    if url.scheme == "http" and url.host not in LOOPBACK:
        raise InvalidValue(place, "use https://; http:// is for this machine only")
    return url
