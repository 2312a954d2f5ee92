"""A server on loopback that answers as Alibaba Cloud is told to, and keeps what it was asked."""

import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.contract import MessageType, OutgoingMessage, SendRequest
from textwave.platforms.exchange import Limits

KEY_ID, KEY = "LTAIexample", "top secret"
LIMITS = Limits(total_seconds=0.5, connect_seconds=0.5, answer_bytes=100_000)
NOON = 1_800_000_005.0  # 2027-01-15 08:00:05 UTC, 16:00:05 in China

Answer = web.StreamResponse | dict[str, Any]
Answering = Callable[["Asked"], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return self.headers.get("x-acs-action", "")


@dataclass(slots=True)
class Alibaba:
    """The server: `answers` is what it says to an action; the rest is OK."""

    answers: dict[str, Answer | Answering] = field(default_factory=dict[str, Any])
    asked: list[Asked] = field(default_factory=list[Asked])
    url: str = ""

    async def take(self, incoming: web.Request) -> web.StreamResponse:
        body = await incoming.read()
        asked = Asked(
            incoming.method,
            incoming.rel_url.raw_path,
            dict(incoming.query),
            dict(parse_qsl(body.decode(), keep_blank_values=True)) if b"=" in body else {},
            incoming.headers.copy(),
            body,
        )
        self.asked.append(asked)
        found = self.answers.get(asked.action, self.answers.get(asked.path, {}))
        answer = found(asked) if callable(found) else found
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response({"Code": "OK", "Message": "OK", "RequestId": "r-1"} | answer)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@asynccontextmanager
async def alibaba(
    answers: Mapping[str, Answer | Answering] | None = None,
    *,
    options: Mapping[str, str] | None = None,
    is_international: bool = False,
    limits: Limits = LIMITS,
    clock: Callable[[], float] = lambda: NOON,
) -> AsyncGenerator[tuple[AliyunPlatform, Alibaba]]:
    server = Alibaba(dict(answers or {}))
    application = web.Application(client_max_size=10**8)
    application.router.add_route("*", "/{tail:.*}", server.take)
    run = TestServer(application)
    await run.start_server(max_line_size=100_000)
    async with run, aiohttp.ClientSession() as session:
        server.url = str(run.make_url("")).rstrip("/")
        places = {"token_endpoint": server.url, "queue_endpoint": server.url}
        yield (
            AliyunPlatform(
                session,
                name="ali",
                endpoint=server.url,
                key_id=KEY_ID,
                key=KEY,
                options=places | dict(options or {}),
                is_international=is_international,
                limits=limits,
                clock=clock,
            ),
            server,
        )


def is_signed(asked: Asked, key: str = KEY) -> bool:
    """Tell, by the vendor's description and not by its client, whether a call is signed."""
    said = dict(
        part.split("=", 1)
        for part in asked.headers["Authorization"].removeprefix("ACS3-HMAC-SHA256 ").split(",")
    )
    names = said["SignedHeaders"].split(";")
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(asked.query.items())
    )
    lines = "".join(f"{name}:{asked.headers[name].strip()}\n" for name in names)
    digest = hashlib.sha256(asked.body).hexdigest()
    canonical = f"{asked.method}\n/\n{query}\n{lines}\n{said['SignedHeaders']}\n{digest}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    must = {"host"} | {name.lower() for name in asked.headers if name.lower().startswith("x-acs-")}
    must |= {"content-type"} & {name.lower() for name in asked.headers}
    return (
        said["Signature"] == signature
        and said["Credential"] == KEY_ID
        and must <= set(names)
        and asked.headers["x-acs-content-sha256"] == digest
    )


def request(*params: dict[str, str], key: str = "key-1") -> SendRequest:
    """Return a request of one message for each set of variables."""
    messages = [
        OutgoingMessage(number, 86_154_0000_0000 + number, "text", values)
        for number, values in enumerate(params, start=1)
    ]
    return SendRequest(key, "阿里云", "SMS_1", MessageType.notification, messages)
