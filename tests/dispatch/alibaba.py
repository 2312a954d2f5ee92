"""A campaign over the stand-in for Alibaba Cloud, which honours no keys and keeps queues."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from psycopg.types.json import Jsonb

from tests.dispatch.show import CALM, Show
from tests.stage import KEY, Stage
from textwave.connections.accounts import PlatformAccount
from textwave.connections.store import platform_account
from textwave.dispatch.doubt import DoubtCase
from textwave.dispatch.doubt_operations import doubts
from textwave.kit.ids import CampaignId
from textwave.platforms.aliyun_sandbox.application import build_application
from textwave.platforms.aliyun_sandbox.records import PROMOTION, Standing, TemplateRecord
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.world import StandIn
from textwave.platforms.sandbox.agenda import SLOT_SECONDS
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox
from textwave.responses.inquiry_operations import look_up_doubts
from textwave.responses.pull_operations import pull_account

QUIET: dict[str, Any] = {
    "key_secret": KEY,
    "signatures": "Textwave",
    "delivered": 1.0,
    "failed": 0.0,
    "expired": 0.0,
    "no_receipt": 0.0,
    "blacklisted": 0.0,
    "duplicate_receipts": 0.0,
    "reply_rate": 0.0,
    "opt_out_reply_rate": 0.0,
    "click_rate": 0.0,
    "receipt_seconds": (0.0, 0.0),
    "number_limits": False,
}


QUEUES = {
    "report_queue": "SmsReport",
    "reply_queue": "SmsUp",
    "signature_queue": "SignSmsReport",
    "template_queue": "TemplateSmsReport",
}


@dataclass
class Ahead:
    """A clock that can be put forward."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.seconds


@dataclass
class Alibaba:
    """The stage, the stand-in, and what sends to it."""

    show: Show
    stand_in: StandIn
    clock: Ahead

    async def planned(self, count: int = 40) -> CampaignId:
        """Plan a campaign to so many people, in requests of 20."""
        campaign_id = await self.show.planned(count, max_batch=20)
        user = self.stand_in.settings.user_id
        url = self.show.stage.platform_url
        options = {name: f"Alicom-Queue-{user}-{report}" for name, report in QUEUES.items()}
        options |= {"token_endpoint": url, "queue_endpoint": url}
        await self.show.execute(
            "UPDATE platform SET kind = 'aliyun', key_id = %s, options = %s, receipts = 'pull',"
            " capabilities = '{variables,click_tokens}'",
            [self.stand_in.settings.key_id, Jsonb(options)],
        )
        return campaign_id

    async def account(self) -> PlatformAccount:
        async with self.show.ledger.transaction() as connection:
            return await platform_account(connection, self.show.platform_id)

    async def pull(self) -> dict[str, int]:
        """Pull once, after what is due has come about; it comes about in small slots of time."""
        await asyncio.sleep(2 * SLOT_SECONDS)
        self.stand_in.pass_time()
        return await pull_account(
            self.show.ledger, self.show.sender.open_platform, account=await self.account()
        )

    async def look_up(self, seconds: float) -> int:
        """Ask for what is in doubt so many seconds from now."""
        now = self.show.stage.clock.now() + timedelta(seconds=seconds)
        return await look_up_doubts(self.show.ledger, self.show.sender.open_platform, now=now)

    async def doubts(self) -> list[DoubtCase]:
        async with self.show.ledger.transaction() as connection:
            return await doubts(connection, self.show.workspace_id, limit=1_000)


@asynccontextmanager
async def alibaba(stage: Stage, **changes: Any) -> AsyncGenerator[Alibaba]:
    """Start the stand-in and set the stage to it."""
    clock = Ahead()
    stand_in = StandIn(StandInSettings(**(QUIET | changes)), clock)
    now = clock()
    content = "Dear ${name}, see you soon. 拒收请回复R"
    stand_in.shelf.put(
        TemplateRecord("T1", "welcome", content, PROMOTION, "1", now, now, Standing.passed)
    )
    server = TestServer(build_application(stand_in.settings, stand_in))
    async with server, aiohttp.ClientSession() as session:
        stage.platform_url = str(server.make_url("")).rstrip("/")
        yield Alibaba(Show(stage, Sandbox(SandboxSettings(**CALM)), session), stand_in, clock)
