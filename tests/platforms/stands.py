"""Every adapter on a simulated platform of its own, so that one battery can ask them all."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from aiohttp.test_utils import TestServer, unused_port
from platform_stage import APPROVED, KEY, QUIET
from tests.aliyun_stage import KEY_ID, KEY_SECRET, NOTIFICATION, SIGNATURE, aliyun_stage

from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.contract import MessageType, OutgoingMessage, Page, Platform, SendRequest
from textwave.platforms.exchange import Limits
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty import ThirdPartyPlatform

ItemT = TypeVar("ItemT")
QUEUES = {
    "report_queue": "SmsReport",
    "reply_queue": "SmsUp",
    "signature_queue": "SignSmsReport",
    "template_queue": "TemplateSmsReport",
}
LIMITS = Limits(total_seconds=5, connect_seconds=2)
SHORT = Limits(total_seconds=0.4, connect_seconds=0.4)


@dataclass(frozen=True)
class Stand:
    """A simulated platform with an adapter on it; `at` opens the adapter at another address."""

    platform: Platform
    url: str
    session: aiohttp.ClientSession
    at: Callable[[str], Platform]
    stranger: Platform
    signature: str
    template_code: str
    key_is_honoured: bool

    async def counts(self) -> dict[str, Any]:
        """Return what the witness has counted."""
        async with self.session.get(f"{self.url}/sandbox/counts") as response:
            return await response.json()

    async def reply(self, number: str, content: str) -> None:
        """Let a phone reply now, to the last message that it got."""
        body = {"phoneNumber": number, "content": content}
        async with self.session.post(f"{self.url}/sandbox/reply", json=body) as response:
            assert response.status == 200, await response.text()

    def request(self, key: str, count: int, **changes: Any) -> SendRequest:
        """Return a request with so many messages."""
        messages = [
            OutgoingMessage(number, 86_154_0000_0000 + number, "您的订单已发货", {})
            for number in range(1, count + 1)
        ]
        values: dict[str, Any] = {
            "key": key,
            "signature": self.signature,
            "template_code": self.template_code,
            "message_type": MessageType.notification,
            "messages": messages,
        }
        return SendRequest(**(values | changes))


Start = Callable[..., Any]


@asynccontextmanager
async def third_party(**changes: Any) -> AsyncGenerator[Stand]:
    """The third-party adapter on the sandbox."""
    settings = SandboxSettings(**(QUIET | changes), push=False)
    sandbox = Sandbox(settings)
    sandbox.templates.put(Template(APPROVED, "a", "b", 1, "c", 0.0))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(build_application(settings, sandbox)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = str(server.make_url("")).rstrip("/")

        def at(place: str, key: str = KEY, limits: Limits = SHORT) -> ThirdPartyPlatform:
            return ThirdPartyPlatform(session, url=place, name="sandbox", key=key, limits=limits)

        right, stranger = at(url, limits=LIMITS), at(url, "another")
        yield Stand(right, url, session, at, stranger, "测试", APPROVED, key_is_honoured=True)


@asynccontextmanager
async def aliyun(**changes: Any) -> AsyncGenerator[Stand]:
    """The adapter for Alibaba Cloud on its stand-in."""
    async with aliyun_stage(**changes) as stage:
        options = {option: stage.queue(kind) for option, kind in QUEUES.items()}

        def at(place: str, key: str = KEY_SECRET, limits: Limits = SHORT) -> AliyunPlatform:
            places = {"token_endpoint": place, "queue_endpoint": place}
            return AliyunPlatform(
                stage.session, name="ali", endpoint=place, key_id=KEY_ID, key=key,
                options=options | places, limits=limits,
            )  # fmt: skip

        right, stranger = at(stage.url, limits=LIMITS), at(stage.url, "another")
        yield Stand(
            right, stage.url, stage.session, at, stranger, SIGNATURE, NOTIFICATION,
            key_is_honoured=False,
        )  # fmt: skip


STANDS: dict[str, Start] = {"thirdparty": third_party, "aliyun": aliyun}
"""How the stand of every kind of platform is started; settings are those of its simulation."""


async def pulled(pull: Callable[[str], Awaitable[Page[ItemT]]], count: int) -> Sequence[ItemT]:
    """Pull page after page, each acknowledged, until so many items came."""
    items: list[ItemT] = []
    after = ""
    async with asyncio.timeout(10):
        while len(items) < count:
            page = await pull(after)
            items += page.items
            after = page.next
            if page.acknowledge is not None:
                await page.acknowledge()
            await asyncio.sleep(0.01)
    return items


def nowhere() -> str:
    """Return an address at which nobody answers."""
    return f"http://127.0.0.1:{unused_port()}"
