"""A stage with a running sandbox, and jobs that serve its account, without the job engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.stage import KEY, Stage, people
from textwave.connections.accounts import open_platform
from textwave.dispatch.operations import Sender
from textwave.dispatch.serving_operations import serve
from textwave.insights.operations import EffectReport, effect_report
from textwave.insights.store import Recount, recount
from textwave.kit.ids import CampaignId, PlatformId, WorkspaceId
from textwave.platforms.sandbox.world import Sandbox
from textwave.settings import Settings
from textwave.storage.ledger import Ledger, execute, value

MOST_ROUNDS = 400
CALM: dict[str, Any] = {
    "key": KEY,
    "push": False,
    "bad_number": 0.0,
    "blacklisted": 0.0,
    "click_rate": 0.0,
    "throttle_milliseconds": 10.0,
}


@dataclass
class Show:
    """A stage, its sandbox, and what sends to it."""

    stage: Stage
    sandbox: Sandbox
    session: aiohttp.ClientSession
    timeout_seconds: float = 3

    @property
    def ledger(self) -> Ledger:
        return self.stage.ledger

    @property
    def workspace_id(self) -> WorkspaceId:
        return self.stage.founding.workspace_id

    @property
    def platform_id(self) -> PlatformId:
        return PlatformId(self.stage.ids["platform"])

    @property
    def sender(self) -> Sender:
        return Sender(
            ledger=self.stage.ledger,
            vault=self.stage.vault,
            clock=self.stage.clock,
            open_platform=lambda account: open_platform(
                account,
                self.stage.vault,
                self.session,
                Settings(send_timeout_seconds=self.timeout_seconds),
            ),
            concurrency=4,
        )

    async def planned(self, count: int, *, batch_size: int = 100, **more: Any) -> CampaignId:
        """Set the stage for so many people, and plan a campaign to them."""
        await self.stage.set(people(count), template_code="T1", **more)
        campaign_id = await self.stage.campaign(
            message_type=more.get("message_type", "promotional")
        )
        await self.stage.start()
        await self.stage.plan(campaign_id, batch_size=batch_size)
        return campaign_id

    async def job(self) -> int:
        """Write a running serving job and return its number."""
        statement = """INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock)
            VALUES ('dispatch', 'dispatch.serve', 'doing', 'serve-' || %s) RETURNING id"""
        async with self.ledger.transaction() as connection:
            number: int = await value(connection, statement, [self.platform_id])
        return number

    async def serve(self, job_id: int | None = None, *, sender: Sender | None = None) -> int:
        """Serve the account once, as a job; return how many batches were taken."""
        number = job_id or await self.job()
        taken = await serve(sender or self.sender, self.platform_id, job_id=number)
        await self.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [number])
        return taken

    async def send(self, *, rounds: int | None = None) -> None:
        """Serve so many rounds, or until nothing is open, whatever was put off."""
        for _ in range(rounds or MOST_ROUNDS):
            await self.serve()
            if not await self.value(
                """SELECT count(*) FROM batch b JOIN campaign c ON c.id = b.campaign_id
                   WHERE b.state <> 'done' AND c.state = 'sending' AND b.due_at < 'infinity'"""
            ):
                return
            await self.pass_time()
        assert rounds is not None, f"something is still open after {MOST_ROUNDS} rounds"

    async def pass_time(self) -> None:
        """Let whatever waits be due now, but for batches that somebody is at work on."""
        await self.execute(
            """UPDATE batch b SET due_at = now() FROM (
                   SELECT campaign_id, number FROM batch WHERE due_at < 'infinity'
                   FOR UPDATE SKIP LOCKED) waiting
               WHERE (b.campaign_id, b.number) = (waiting.campaign_id, waiting.number)"""
        )
        await self.execute("UPDATE platform SET free_at = now(), resting_until = now()")

    async def execute(self, statement: Any, parameters: Sequence[Any] = ()) -> int:
        async with self.ledger.transaction() as connection:
            return await execute(connection, statement, parameters)

    async def value(self, statement: Any, parameters: Sequence[Any] = ()) -> Any:
        async with self.ledger.transaction() as connection:
            return await value(connection, statement, parameters)

    async def counts(self) -> dict[str, Any]:
        """Return what the sandbox has counted."""
        async with self.session.get(f"{self.stage.platform_url}/sandbox/counts") as response:
            counted: dict[str, Any] = await response.json()
            return counted

    async def report(self) -> EffectReport:
        async with self.ledger.transaction() as connection:
            return await effect_report(connection, workspace_id=self.workspace_id, name="Spring")

    async def recount(self, campaign_id: CampaignId) -> Recount:
        async with self.ledger.transaction() as connection:
            return await recount(connection, campaign_id)
