"""A campaign that was sent to a simulated platform and of which everything came back.

Everything that can become of a member of its audience becomes of somebody: each way of being
dropped, refused at once, sent again, delivered, failed, silent, late, and each answer of a person.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from tests.dispatch.show import Show
from tests.stage import KEY, SHANGHAI, Person, Stage, people
from textwave.content.token_keys import token_keys
from textwave.content.tokens import tokens
from textwave.insights.operations import EffectReport, effect_report
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox
from textwave.responses.operations import (
    expire_receipts,
    merge_clicks,
    merge_receipts,
    merge_replies,
)

SIZE = 400
TEXT = "Dear ${name}: http://d.example.cn/abc123/${sp_link} 拒收请回复R"
PHONE = "Mozilla/5.0 (Linux; Android 14; V2301) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"
_FATES: dict[str, Any] = {"bad_number": 0.05, "blacklisted": 0.05, "busy": 0.05, "throttled": 0.05}


@dataclass
class Finished:
    """A campaign on a stage, step by step."""

    stage: Stage
    campaign_id: CampaignId = field(default=CampaignId(0))

    @property
    def workspace_id(self) -> WorkspaceId:
        return self.stage.founding.workspace_id

    async def plan(self) -> None:
        """Plan it with drops of each kind."""
        twin = Person("twin", SHANGHAI)
        nobody = [Person(f"nobody{n}", None) for n in range(3)]
        bad = [Person(f"bad{n}", None, bad_mobile=True) for n in range(2)]
        nameless = Person("nameless", SHANGHAI + 5, first_name=None)
        await self.stage.set([*people(SIZE), twin, *nobody, *bad, nameless], content=TEXT)
        self.campaign_id = await self.stage.campaign(
            variables={"name": {"column": "first_name", "missing": "drop"}}
        )
        await self.stage.opt_out(SHANGHAI + 7)
        await self.stage.start()
        await self.stage.plan(self.campaign_id, batch_size=100)
        await self.stage.opt_out(SHANGHAI + 14)  # becomes a drop at the gate

    async def send(self, **changes: Any) -> None:
        """Send it to a sandbox that refuses some for good and some for a while."""
        settings = SandboxSettings(
            key=KEY, push=False, throttle_milliseconds=1, **(_FATES | changes)
        )
        sandbox = Sandbox(settings)
        sandbox.templates.put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
        async with TestServer(build_application(settings, sandbox)) as server:
            address = str(server.make_url("")).rstrip("/")
            async with aiohttp.ClientSession() as session:
                async with self.stage.ledger.transaction() as connection:
                    await connection.execute("UPDATE platform SET base_url = %s", [address])
                await Show(self.stage, sandbox, session).send()

    async def submitted(self) -> list[int]:
        """Return the ids of messages that wait for their receipts."""
        async with self.stage.ledger.transaction() as connection:
            cursor = await connection.execute(
                "SELECT id FROM message_state WHERE state = 'submitted' ORDER BY id"
            )
            return [row[0] for row in await cursor.fetchall()]

    async def receive(
        self,
        message_ids: Sequence[int],
        status: str,
        code: str = "",
        *,
        reported_at: datetime | None = None,
    ) -> None:
        """Merge receipts for these messages, each of them twice."""
        at = (reported_at or self.stage.clock.now()).isoformat()
        receipts = [
            {
                "messageId": message_id,
                "status": status,
                "errorCode": code,
                "parts": 1,
                "reportedAt": at,
            }
            for message_id in message_ids
        ]
        await self._store("receipts", [*receipts, *receipts[::-1]])
        await merge_receipts(self.stage.ledger)

    async def give_up(self) -> None:
        """Let three days go by for what was sent."""
        later = self.stage.clock.now() + timedelta(days=4)
        await expire_receipts(self.stage.ledger, now=later, no_receipt_hours=72)

    async def click(self, message_ids: Sequence[int], *, method: str = "GET") -> None:
        """Let the links of these messages be opened, each twice."""
        async with self.stage.ledger.transaction() as connection:
            keys = await token_keys(connection, self.stage.vault)
            written = tokens(list(message_ids), keys[-1]) * 2
            count, now = len(written), self.stage.clock.now()
            await connection.execute(
                "SELECT record_clicks(%s, %s, %s, %s, %s)",
                [
                    [self.stage.ids["link"]] * count,
                    written,
                    [method] * count,
                    [PHONE] * count,
                    [now] * count,
                ],
            )
        await merge_clicks(self.stage.ledger, keys=keys)

    async def reply(self, message_ids: Sequence[int], content: str) -> None:
        """Let the people of these messages answer."""
        async with self.stage.ledger.transaction() as connection:
            cursor = await connection.execute(
                "SELECT id, mobile FROM message WHERE id = ANY(%s)", [list(message_ids)]
            )
            mobiles = await cursor.fetchall()
        at = self.stage.clock.now().isoformat()
        replies = [
            {
                "replyId": f"{message_id}-{content}",
                "phoneNumber": str(mobile - 86 * 10**11),
                "content": content,
                "signName": "Textwave",
                "receivedAt": at,
            }
            for message_id, mobile in mobiles
        ]
        await self._store("replies", replies)
        await merge_replies(self.stage.ledger)

    async def _store(self, kind: str, items: Sequence[dict[str, Any]]) -> None:
        body = json.dumps(list(items)).encode()
        async with self.stage.ledger.transaction() as connection:
            await connection.execute(
                "SELECT store_callback(%s, %s, %s)", [self.stage.ids["platform"], kind, body]
            )

    async def everything(self) -> None:
        """Plan, send and let everything come back."""
        await self.plan()
        await self.send()
        await self.come_back()

    async def come_back(self) -> None:
        """Let receipts of each kind, silence, clicks and replies come."""
        waiting = await self.submitted()
        await self.receive(waiting[:200], "DELIVERED")
        await self.receive(waiting[200:230], "FAILED", "MOBILE_NOT_ON_SERVICE")
        await self.receive(waiting[230:240], "FAILED", "NO_ROUTE")
        await self.give_up()
        await self.receive(waiting[240:250], "DELIVERED")
        await self.receive(waiting[250:255], "FAILED", "NO_ROUTE")
        await self.click(waiting[:20])
        await self.click(waiting[15:25], method="HEAD")
        await self.reply(waiting[:6], "好的")
        await self.reply(waiting[4:9], "T")

    async def report(self) -> EffectReport:
        """Return the effect report."""
        async with self.stage.ledger.transaction() as connection:
            return await effect_report(connection, workspace_id=self.workspace_id, name="Spring")
