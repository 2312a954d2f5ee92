"""Sending batches to a simulated platform over HTTP; the platform's own count is the witness."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tests.stage import KEY, SHANGHAI, Stage, people
from textwave.content.accounts import open_platform
from textwave.content.store import platform_account
from textwave.dispatch.operations import Sender, send_batch
from textwave.dispatch.store import BatchKey
from textwave.insights.operations import EffectReport, effect_report
from textwave.insights.store import Recount, recount
from textwave.kit.ids import CampaignId, PlatformId
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox
from textwave.responses.operations import merge_receipts, pull_receipts
from textwave.settings import Settings
from textwave.storage.ledger import Ledger, execute, value

CALM: dict[str, Any] = {
    "key": KEY,
    "push": False,
    "bad_number": 0.0,
    "blacklisted": 0.0,
    "click_rate": 0.0,
    "throttle_milliseconds": 10.0,
}


class Show:
    """A stage with a running sandbox and a sender that can send to it."""

    def __init__(self, stage: Stage, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.sandbox = sandbox
        self.session = session
        self.naps: list[float] = []

    @property
    def sender(self) -> Sender:
        async def nap(seconds: float) -> None:
            self.naps.append(seconds)

        return Sender(
            ledger=self.stage.ledger,
            vault=self.stage.vault,
            clock=self.stage.clock,
            open_platform=lambda account: open_platform(
                account, self.stage.vault, self.session, Settings(send_timeout_seconds=3)
            ),
            concurrency=4,
            sleep=nap,
        )

    async def planned(self, count: int, **more: Any) -> CampaignId:
        await self.stage.set(people(count), template_code="T1", **more)
        campaign_id = await self.stage.campaign(
            message_type=more.get("message_type", "promotional")
        )
        await self.stage.start()
        await self.stage.plan(campaign_id, batch_size=100)
        return campaign_id

    async def send(self, campaign_id: CampaignId) -> None:
        async with self.stage.ledger.transaction() as connection:
            batches = await value(connection, "SELECT count(*) FROM batch")
        for number in range(batches):
            await send_batch(self.sender, self.key(campaign_id, number))

    def key(self, campaign_id: CampaignId, number: int) -> BatchKey:
        return BatchKey(self.stage.founding.workspace_id, campaign_id, number)

    async def counts(self) -> dict[str, Any]:
        async with self.session.get(f"{self.stage.platform_url}/sandbox/counts") as response:
            counted: dict[str, Any] = await response.json()
            return counted

    async def report(self) -> EffectReport:
        async with self.stage.ledger.transaction() as connection:
            return await effect_report(
                connection, workspace_id=self.stage.founding.workspace_id, name="Spring"
            )

    async def recount(self, campaign_id: CampaignId) -> Recount:
        async with self.stage.ledger.transaction() as connection:
            return await recount(connection, campaign_id)


@pytest.fixture
async def show(stage: Stage) -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Show:
            settings = SandboxSettings(**(CALM | changes))
            sandbox = Sandbox(settings)
            sandbox.templates.put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
            server = TestServer(build_application(settings, sandbox))
            await stack.enter_async_context(server)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            stage.platform_url = str(server.make_url("")).rstrip("/")
            return Show(stage, sandbox, session)

        yield start


async def test_every_message_reaches_the_platform_once(show: Callable[..., Any]) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(250)
    await playing.send(campaign_id)
    counts = await playing.counts()
    report = await playing.report()
    assert (counts["distinct"], counts["twice"]) == (250, 0)
    assert (report.state, report.submitted, report.waiting) == ("completed", 250, 250)


async def test_texts_go_out_with_values_and_a_click_token_of_their_own(
    show: Callable[..., Any],
) -> None:
    playing: Show = await show()
    text = "Dear ${name}: http://d.example.cn/abc123/${sp_link} 拒收请回复R"
    campaign_id = await playing.planned(3, content=text)
    await playing.send(campaign_id)
    async with playing.session.get(f"{playing.stage.platform_url}/sandbox/messages") as response:
        received = (await response.json())["items"]
    texts = sorted(message["content"] for message in received)
    tokens = {text.split("abc123/")[1][:8] for text in texts}
    assert [text[:8] for text in texts] == ["Dear N0:", "Dear N1:", "Dear N2:"]
    assert len(tokens) == 3
    assert all(text.endswith(" 拒收请回复R") for text in texts)


async def test_a_request_cut_off_after_it_was_accepted_is_sent_again_under_its_key_only(
    show: Callable[..., Any],
) -> None:
    playing: Show = await show(unknown_after_accept=0.5)
    campaign_id = await playing.planned(600, max_batch=20)
    await playing.send(campaign_id)
    counts = await playing.counts()
    report = await playing.report()
    assert counts["requests"] > 30
    assert (counts["distinct"], counts["twice"]) == (600, 0)
    assert (report.state, report.in_doubt) == ("completed", 0)


async def test_a_worker_that_dies_after_preparing_loses_nothing_and_sends_nothing_twice(
    show: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(200)
    recorded = "textwave.dispatch.store.record"

    class Died(BaseException):
        """What kill -9 looks like from inside: nothing after it happens."""

    async def die(*_: Any) -> bool:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(recorded, die)
        for number in range(2):
            with pytest.raises(Died):
                await send_batch(playing.sender, playing.key(campaign_id, number))
    assert (await playing.counts())["distinct"] == 200
    await playing.send(campaign_id)
    counts = await playing.counts()
    report = await playing.report()
    assert (counts["distinct"], counts["twice"]) == (200, 0)
    assert (report.state, report.submitted) == ("completed", 200)


async def test_where_no_keys_are_honoured_an_interrupted_request_stays_in_doubt_until_receipts(
    show: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    playing: Show = await show(receipt_seconds=(0.0, 0.0), no_receipt=0.0, duplicate_receipts=0.0)
    campaign_id = await playing.planned(100)

    class Died(BaseException):
        """What kill -9 looks like from inside."""

    async def die(*_: Any) -> bool:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr("textwave.dispatch.store.record", die)
        with pytest.raises(Died):
            await send_batch(playing.sender, playing.key(campaign_id, 0))
    monkeypatch.setattr("textwave.dispatch.operations.HONOURS_KEYS", frozenset[str]())
    await playing.send(campaign_id)
    counts, report = await playing.counts(), await playing.report()
    assert (counts["requests"], counts["distinct"], counts["twice"]) == (1, 100, 0)
    assert (report.in_doubt, report.waiting) == (100, 0)

    async with playing.stage.ledger.transaction() as connection:
        account = await platform_account(connection, PlatformId(playing.stage.ids["platform"]))
    platform = playing.sender.open_platform(account)
    pulled = 0
    while pulled < 100:
        pulled += await pull_receipts(
            playing.stage.ledger, platform_id=account.id, platform=platform
        )
    await merge_receipts(playing.stage.ledger)
    report = await playing.report()
    assert (report.in_doubt, report.delivered + report.failed) == (0, 100)


@pytest.mark.parametrize("trouble", ["throttled", "busy", "error_500"])
async def test_a_platform_in_trouble_gets_the_same_requests_again_later(
    show: Callable[..., Any], trouble: str
) -> None:
    playing: Show = await show(**{trouble: 0.4})
    campaign_id = await playing.planned(300, max_batch=10)
    for _ in range(6):
        await playing.send(campaign_id)
    counts = await playing.counts()
    report = await playing.report()
    assert (counts["distinct"], counts["twice"]) == (300, 0)
    assert (report.state, report.submitted, report.failed) == ("completed", 300, 0)


async def test_numbers_that_the_platform_refuses_are_failed_with_the_cause(
    show: Callable[..., Any],
) -> None:
    playing: Show = await show(bad_number=0.3)
    campaign_id = await playing.planned(200)
    await playing.send(campaign_id)
    report = await playing.report()
    counted = await playing.recount(campaign_id)
    assert 20 < report.failed < 120
    assert report.failures == {"bad number": report.failed}
    assert report.submitted == 200 - report.failed
    assert (counted.failed, counted.delivered) == (report.failed, 0)


async def test_who_opted_out_after_the_plan_is_dropped_at_the_gate(
    show: Callable[..., Any],
) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(100)
    await playing.stage.opt_out(SHANGHAI)
    await playing.send(campaign_id)
    report = await playing.report()
    counts = await playing.counts()
    assert report.drops == {"opted out": 1}
    assert (report.audience, report.messages, counts["distinct"]) == (100, 99, 99)
    counted = await playing.recount(campaign_id)
    assert (counted.messages, counted.drops, counted.parts) == (99, 1, report.parts)


async def test_notifications_go_to_people_who_opted_out_of_promotions(
    show: Callable[..., Any],
) -> None:
    playing: Show = await show()
    await playing.stage.set(people(0))  # the signature to opt out of
    await playing.stage.opt_out(SHANGHAI)
    async with playing.stage.ledger.transaction() as connection:
        await execute(
            connection, "UPDATE template SET type = 'notification', content = 'Hi ${name}'"
        )
    await playing.stage.warehouse.run(
        playing.stage.founding.workspace_id,
        lambda lake: lake.duckdb.execute(
            f"INSERT INTO {lake.qualified('customers')} "
            f"VALUES ('c', '1', 'Li', 3, {SHANGHAI}, false)"
        ).execute(f"INSERT INTO {lake.qualified('audience_member')} VALUES (1, 'c')"),
    )
    async with playing.stage.ledger.transaction() as connection:
        await execute(connection, "UPDATE snapshot SET size = 1")
    campaign_id = await playing.stage.campaign(message_type="notification")
    await playing.stage.start()
    await playing.stage.plan(campaign_id)
    await playing.send(campaign_id)
    assert (await playing.counts())["distinct"] == 1


async def test_a_platform_that_is_down_keeps_the_batch_waiting_and_says_why(
    show: Callable[..., Any], ledger: Ledger
) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(50)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE platform SET base_url = 'http://127.0.0.1:9'")
    await playing.send(campaign_id)
    report = await playing.report()
    assert (report.state, report.waiting) == ("sending", 50)
    assert report.trouble.startswith("unreachable")
    async with ledger.transaction() as connection:
        jobs = await value(
            connection,
            "SELECT count(*) FROM procrastinate_jobs WHERE lock = 'batch-1-0' "
            "AND scheduled_at > now()",
        )
        await execute(connection, "UPDATE platform SET base_url = %s", [playing.stage.platform_url])
    assert jobs == 1
    await playing.send(campaign_id)
    assert (await playing.report()).state == "completed"


async def test_a_refusal_of_the_whole_campaign_pauses_it_and_loses_nothing(
    show: Callable[..., Any], ledger: Ledger
) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(50)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE template SET code = 'unknown'")
    await playing.send(campaign_id)
    report = await playing.report()
    assert (report.state, report.waiting, report.failed) == ("paused", 50, 0)
    assert "template" in report.reason
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE template SET code = 'T1'")
        await execute(connection, "UPDATE campaign SET state = 'sending'")
    await playing.send(campaign_id)
    assert (await playing.counts())["distinct"] == 50


async def test_the_account_s_rate_is_shared_by_all_batches(show: Callable[..., Any]) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(300, rate_per_second=100)
    began = time.monotonic()
    for number in range(2):
        await send_batch(playing.sender, playing.key(campaign_id, number))
    # the second hundred leaves when the first second has passed, slept or not
    assert time.monotonic() - began + sum(playing.naps) > 0.95


async def test_nothing_leaves_a_cancelled_campaign(
    show: Callable[..., Any], ledger: Ledger
) -> None:
    playing: Show = await show()
    campaign_id = await playing.planned(100)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE campaign SET state = 'cancelled'")
    await playing.send(campaign_id)
    assert (await playing.counts())["requests"] == 0
