"""A campaign in the ledger, and the console served over HTTP on a free port."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from starlette.applications import Starlette

from textwave.accounts.operations import Founding
from textwave.connections.accounts import PlatformAccount, open_platform
from textwave.console.assets import fetch_assets
from textwave.console.router import mount
from textwave.kit.clock import Clock, SystemClock
from textwave.kit.ids import WorkspaceId
from textwave.platforms.contract import Platform
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault
from textwave.wiring import open_runtime, prepare_data_folder
from textwave.worker.process import job_app

CHROMIUM = Path("/usr/bin/chromium")
HOW = "Chromium is missing; install it with `apt-get install chromium` to run the browser tests."
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAME = "Double Eleven / warm-up 预热"
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a console stands on in tests."""

    settings: Settings
    ledger: Ledger
    vault: Vault
    clock: Clock
    http: aiohttp.ClientSession

    def open_platform(self, account: PlatformAccount) -> Platform:
        """Return the adapter of an account, as the runtime does."""
        return open_platform(account, self.vault, self.http, self.settings)


@dataclass(frozen=True, slots=True)
class Served:
    """A console that listens, and the key that opens it."""

    address: str
    api_key: str
    workspace_id: WorkspaceId
    vault: Vault


@pytest.fixture
async def served(
    web_ledger: Ledger, vault: Vault, founding: Founding, tmp_path: Path
) -> AsyncIterator[Served]:
    """The console as a process serves it: as the web role, over HTTP."""
    application = Starlette()
    settings = Settings(data=tmp_path)
    prepare_data_folder(settings)
    http = aiohttp.ClientSession()
    standing = Standing(settings, web_ledger, vault, SystemClock(), http)
    mount(application, lambda: standing)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(
        application, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    address = f"http://127.0.0.1:{port}"
    await _until_it_answers(address)
    yield Served(address, founding.api_key, founding.workspace_id, vault)
    server.stop()
    await serving
    await http.close()


@pytest.fixture
async def visitor(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser without a session."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(served.address, cookie_jar=jar) as client:
        yield client


@pytest.fixture
async def member(visitor: aiohttp.ClientSession, served: Served) -> aiohttp.ClientSession:
    """The same with a session of the first workspace."""
    async with visitor.post("/console/login", data={"api_key": served.api_key}) as answer:
        assert answer.status == 200
    return visitor


@pytest.fixture
async def do_jobs(
    urls: DatabaseUrls, tmp_path: Path
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What the worker of the served console does: all jobs of computing that wait."""
    settings = Settings(data=tmp_path)
    async with open_runtime(settings, urls, role="owner", connections=4) as runtime:
        app = job_app(runtime, urls)
        async with app.open_async():

            async def work() -> None:
                await app.run_worker_async(
                    queues=["compute"],
                    wait=False,
                    install_signal_handlers=False,
                    listen_notify=False,
                )

            yield work


@pytest.fixture
async def worker(do_jobs: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A worker that works as long as the test runs."""
    ended = asyncio.Event()

    async def work() -> None:
        while not ended.is_set():
            await do_jobs()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 0.1)

    working = asyncio.create_task(work())
    yield
    ended.set()
    await working


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(HOW)
    fetch_assets()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """A signed-in page; whatever its console complains of fails the test at the end."""
    context = await browser.new_context(
        base_url=served.address, locale="en-GB", reduced_motion="reduce"
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: _note(complaints, message))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await sign_in(page, served.api_key)
    yield page
    await context.close()
    assert complaints == []


def _note(complaints: list[str], message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        complaints.append(message.text)


async def sign_in(page: Page, key: str) -> None:
    await page.goto("/console/login")
    await page.locator("#api_key").fill(key)
    await page.locator("form.card button").click()


async def _until_it_answers(address: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.get(f"{address}/console/login"):
                    return
            except aiohttp.ClientConnectorError:
                assert loop.time() < deadline, "the console did not begin to listen"
                await asyncio.sleep(0.02)


@pytest.fixture
async def campaign_id(ledger: Ledger, workspace_id: WorkspaceId) -> int:
    """A campaign half way through: 200 customers, 180 messages, some of everything."""
    async with ledger.transaction() as connection:
        return await seed_campaign(connection, workspace_id, NAME)


async def seed_campaign(connection: Connection, workspace_id: WorkspaceId, name: str) -> int:
    """Write a campaign that is being sent, with its tallies and replies."""
    parts = await _parts_of_campaign(connection, workspace_id)
    campaign_id = await _value(
        connection,
        """
        INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
                              audience_id, state, created_by, started_at, planned_at)
        VALUES (%s, %s, 'promotional', %s, %s, %s, %s, 'sending', 'test',
                now() - interval '64 seconds', now() - interval '61 seconds')
        RETURNING id
        """,
        [workspace_id, name, *parts],
    )
    await connection.execute(
        """
        INSERT INTO campaign_tally (campaign_id, workspace_id, audience, messages, parts, submitted,
            delivered, failed, clicks, human_clicks, clickers, replies, opt_outs)
        VALUES (%s, %s, 200000, 183114, 201428, 120653, 98310, 4127, 15222, 9120, 8044, 1310, 212)
        """,
        [campaign_id, workspace_id],
    )
    await _seed_tallies(connection, workspace_id, campaign_id)
    await _seed_replies(connection, workspace_id, campaign_id, parts[0])
    return campaign_id


async def _parts_of_campaign(connection: Connection, workspace_id: WorkspaceId) -> list[int]:
    organization_id = await _value(
        connection, "SELECT organization_id FROM workspace WHERE id = %s", [workspace_id]
    )
    platform_id = await _value(
        connection,
        """
        INSERT INTO platform (organization_id, name, kind, base_url, sealed_key, rate_per_second,
                              max_batch, opt_out_text, counting, price_milli)
        VALUES (%s, 'sandbox', 'thirdparty', 'http://127.0.0.1:1', '', 1000, 100, ' 拒收请回复R',
                'mainland', 45) RETURNING id
        """,
        [organization_id],
    )
    await connection.execute(
        "INSERT INTO platform_workspace (platform_id, workspace_id) VALUES (%s, %s)",
        [platform_id, workspace_id],
    )
    signature_id = await _value(
        connection,
        "INSERT INTO signature (workspace_id, platform_id, name, state)"
        " VALUES (%s, %s, '云杉小铺', 'approved') RETURNING id",
        [workspace_id, platform_id],
    )
    template_id = await _value(
        connection,
        """
        INSERT INTO template (workspace_id, platform_id, name, type, content, remark, state)
        VALUES (%s, %s, 'warm-up', 'promotional', %s, 'warm-up', 'approved') RETURNING id
        """,
        [workspace_id, platform_id, TEXT],
    )
    audience_id = await _value(
        connection,
        "INSERT INTO audience (workspace_id, name, table_name, rule, created_by)"
        " VALUES (%s, 'Loyal women in Shanghai', 'customers', '{}', 'test') RETURNING id",
        [workspace_id],
    )
    return [platform_id, signature_id, template_id, audience_id]


TEXT = "${name}，您的${level}会员专享券已到账，满299减60，11月11日前有效： https://d.cn/rksqdc/${sp_rksqdc}"


async def _seed_tallies(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: int
) -> None:
    drops = {"opted out": 6204, "duplicate number": 5120, "bad number": 3318, "no number": 2244}
    causes = {"phone out of service": 2120, "blacklisted": 1207, "failed at the carrier": 800}
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO campaign_drop_tally (campaign_id, workspace_id, reason, count)"
            " VALUES (%s, %s, %s, %s)",
            [(campaign_id, workspace_id, *drop) for drop in drops.items()],
        )
        await cursor.executemany(
            "INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)"
            " VALUES (%s, %s, %s, %s)",
            [(campaign_id, workspace_id, *cause) for cause in causes.items()],
        )


async def _seed_replies(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: int, platform_id: int
) -> None:
    replies = [
        (8615412345678, "T", "opt out"),
        (8616498761234, "别再发了，谢谢", "leaning"),
        (8617923456789, "券可以和满减一起用吗？打 15487654321 找我", "other"),
        (8619434567890, "<b>How long</b> is the coupon valid?", "other"),
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO reply (workspace_id, platform_id, platform_reply_id, campaign_id, mobile,
                               content, intent, received_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (workspace_id, platform_id, f"r{n}", campaign_id, *reply, _received(n))
                for n, reply in enumerate(replies)
            ],
        )


def _received(number: int) -> datetime:
    return datetime(2026, 11, 1, 2, 30, number, tzinfo=UTC)


async def _value(connection: Connection, statement: str, parameters: list[object]) -> int:
    cursor = await connection.execute(statement.encode(), parameters)
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])
