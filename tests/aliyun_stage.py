"""The stand-in for Alibaba Cloud's SMS service on loopback, quiet until a test wants more."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from textwave.platforms.aliyun_sandbox.program import running
from textwave.platforms.aliyun_sandbox.records import Standing, TemplateRecord
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.world import StandIn

KEY_ID = "test-key-id"
KEY_SECRET = "test-key-secret"
SIGNATURE = "湖畔"
NOTIFICATION = "SMS_100000001"
PROMOTION = "SMS_100000002"
PERSONAL = "SMS_100000003"
QUIET: dict[str, Any] = {
    "key_id": KEY_ID,
    "key_secret": KEY_SECRET,
    "signatures": SIGNATURE,
    "receipt_seconds": (0.0, 0.0),
    "push_retry_seconds": (0.05, 0.1, 0.2),
    "review_seconds": 0.0,
    "template_apart_seconds": 0.0,
    "delivered": 1.0,
    "failed": 0.0,
    "expired": 0.0,
    "no_receipt": 0.0,
    "blacklisted": 0.0,
    "reply_rate": 0.0,
    "opt_out_reply_rate": 0.0,
    "click_rate": 0.0,
    "duplicate_receipts": 0.0,
    "number_limits": False,
    "carrier_ranges": "154=mobile 164=unicom 169=telecom",
}
"""Every message is delivered at once, reviews end at once, and nobody replies."""


@dataclass(frozen=True)
class AliyunStage:
    """A running stand-in; the queues are at the same URL."""

    stand_in: StandIn
    url: str
    session: aiohttp.ClientSession

    async def counts(self) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/sandbox/counts") as response:
            return await response.json()

    async def post(self, what: str, **body: Any) -> dict[str, Any]:
        """Turn a knob: `settings`, `fail`, `reply` or `decide`."""
        async with self.session.post(f"{self.url}/sandbox/{what}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    def queue(self, kind: str) -> str:
        """Return the name of the queue of SmsReport, SmsUp, SignSmsReport or TemplateSmsReport."""
        return self.stand_in.queues.name_of(kind)


def approved(code: str, content: str, template_type: int) -> TemplateRecord:
    """Return a template that has passed its review."""
    return TemplateRecord(
        code, "offer", content, template_type, f"order-{code}", 0.0, 0.0, Standing.passed
    )


@asynccontextmanager
async def aliyun_stage(**changes: Any) -> AsyncGenerator[AliyunStage]:
    """Run a stand-in with an approved signature and three approved templates.

    NOTIFICATION and PROMOTION have no variables, PERSONAL (a notification) has `name` and `code`.
    """
    stand_in = StandIn(StandInSettings(**(QUIET | changes)))
    for template in (
        approved(NOTIFICATION, "您的订单已发货", 1),
        approved(PROMOTION, "新品上市, 欢迎光临 拒收请回复R", 2),
        approved(PERSONAL, "${name}, 您的取货码是 ${code}", 1),
    ):
        stand_in.shelf.put(template)
    async with running(stand_in) as url, aiohttp.ClientSession() as session:
        yield AliyunStage(stand_in, url, session)


class Caller:
    """Calls the stand-in as the vendor's own client does; an operation is named as there."""

    def __init__(self, stage: AliyunStage) -> None:
        from alibabacloud_dysmsapi20170525.client import Client
        from alibabacloud_tea_openapi.models import Config

        self._client = Client(
            Config(
                access_key_id=KEY_ID,
                access_key_secret=KEY_SECRET,
                endpoint=stage.url.removeprefix("http://"),
                protocol="http",
            )
        )

    async def call(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Return the answer to an operation such as SendSms."""
        from alibabacloud_dysmsapi20170525 import models

        name = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        request = getattr(models, f"{operation}Request")(**fields)
        answer = await getattr(self._client, f"{name}_async")(request)
        return answer.body.to_map()

    async def send(self, *numbers: str, key: str = "k1", **fields: Any) -> dict[str, Any]:
        """Send one text to some numbers."""
        usual = {"sign_name": SIGNATURE, "template_code": NOTIFICATION, "out_id": key}
        return await self.call("SendSms", phone_numbers=",".join(numbers), **(usual | fields))


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the stand-in says nothing when time passes
            await asyncio.sleep(0.01)
