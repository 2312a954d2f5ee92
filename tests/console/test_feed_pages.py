"""Feeds in the console: their list, a run begun by hand, and another schedule."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest

from textwave.customers.columns import TableKind
from textwave.customers.request import ImportRequest
from textwave.feeds.address import SourceKind
from textwave.feeds.operations import add_source, create_feed
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

Jobs = Callable[[], Awaitable[None]]
ADDRESS = "/console/feeds/Night%20orders"


@pytest.fixture
async def feed(ledger: Ledger, vault: Vault, workspace_id: WorkspaceId) -> None:
    """A feed from a folder, while the worker has been given no folder to read from."""
    async with ledger.transaction(workspace_id) as connection:
        await add_source(
            connection, vault, workspace_id=workspace_id, actor="test", name="shop",
            kind=SourceKind.FOLDER, address="exports",
        )  # fmt: skip
        await create_feed(
            connection, workspace_id=workspace_id, actor="test", name="Night orders",
            source="shop", query="orders*.csv", schedule="30 6 * * *", now=datetime.now(UTC),
            request=ImportRequest("", "", "orders", TableKind.ORDERS),
        )  # fmt: skip


async def send(client: aiohttp.ClientSession, address: str, **form: str) -> tuple[int, str, str]:
    async with client.get(ADDRESS) as answer:
        page = await answer.text()
    form["token"] = page.split('name="token" value="')[1].split('"')[0]
    async with client.post(address, data=form) as answer:
        return answer.status, answer.url.path_qs, await answer.text()


async def text_of(client: aiohttp.ClientSession, address: str) -> str:
    async with client.get(address) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.usefixtures("feed")
async def test_a_run_that_failed_says_why_on_the_feed(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    assert "every day at 06:30" in await text_of(member, "/console/feeds")
    status, begun, _ = await send(member, f"{ADDRESS}/run")
    assert (status, "operation=" in begun) == (200, True)
    status, _, page = await send(member, f"{ADDRESS}/run")
    assert (status, "is running already" in page) == (409, True)
    await do_jobs()
    assert 'data-ended="failed"' in await text_of(member, begun)
    assert "The last run failed:" in await text_of(member, ADDRESS)


@pytest.mark.usefixtures("feed")
async def test_a_feed_gets_another_schedule_or_the_reason_why_not(
    member: aiohttp.ClientSession,
) -> None:
    form = {"refresh": "weekly", "refresh_time": "07:15", "refresh_weekday": "mon"}
    _, _, page = await send(member, f"{ADDRESS}/schedule", **form)
    assert "every Monday at 07:15" in page
    form = {"refresh": "cron", "refresh_cron": "every day"}
    status, _, page = await send(member, f"{ADDRESS}/schedule", **form)
    assert status == 409
    assert 'value="every day"' in page


@pytest.mark.usefixtures("feed")
async def test_a_page_of_feeds_says_how_others_are_added(member: aiohttp.ClientSession) -> None:
    page = await text_of(member, "/console/feeds")
    assert "textwave source add" in page
    assert "exports" in page
