"""What the tests of platforms share: a running sandbox, an inbox for pushes, and requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from textwave.platforms.contract import MessageType, OutgoingMessage, SendRequest
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty import ThirdPartyPlatform

KEY = "123456789"
QUIET: dict[str, Any] = {
    "key": KEY,
    "push_key": "push-key",
    "receipt_seconds": (0.0, 0.0),
    "review_seconds": 0.0,
    "delivered": 1.0,
    "failed": 0.0,
    "expired": 0.0,
    "no_receipt": 0.0,
    "bad_number": 0.0,
    "blacklisted": 0.0,
    "reply_rate": 0.0,
    "opt_out_reply_rate": 0.0,
    "click_rate": 0.0,
    "duplicate_receipts": 0.0,
}
APPROVED = "SMS_approved"


@dataclass
class Stage:
    """A running sandbox with an adapter on it."""

    sandbox: Sandbox
    url: str
    session: aiohttp.ClientSession
    platform: ThirdPartyPlatform

    async def counts(self) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/sandbox/counts") as response:
            return await response.json()

    async def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(f"{self.url}{path}", json=body) as response:
            return response.status, await response.json()


@dataclass
class Inbox:
    """Takes callbacks and visits; answers as told, then with success."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[web.Request, bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.received.append((request, await request.read()))
        self.changed.set()
        status = self.answers.pop(0) if self.answers else 200
        return web.json_response({"code": 0, "msg": "OK"}, status=status)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    def paths(self) -> list[str]:
        return [request.path for request, _ in self.received]


def messages(*identities: int, content: str = "您有一张优惠券") -> list[OutgoingMessage]:
    return [
        OutgoingMessage(identity, 8615412000000 + identity, content, {"name": "张三"})
        for identity in identities
    ]


def request(key: str, *identities: int, **changes: Any) -> SendRequest:
    values: dict[str, Any] = {
        "key": key,
        "signature": "测试",
        "template_code": APPROVED,
        "message_type": MessageType.promotional,
        "messages": messages(*identities),
    }
    return SendRequest(**(values | changes))
