"""Platform accounts in the browser: added, tested, changed, shared, taken away; never a key."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tests.console.test_template_pages import page_of, send
from tests.dispatch.show import CALM
from tests.stage import KEY, Stage, people
from textwave.accounts.operations import Founding
from textwave.connections.accounts import PlatformAccount, open_key
from textwave.connections.store import account_named
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox

NEW = {
    "kind": "thirdparty",
    "name": "gateway",
    "base_url": "https://sms.example.cn",
    "key": "a very secret key",
    "rate_per_second": "50",
    "max_batch": "200",
    "price": "0.05",
    "currency": "cny",
    "opt_out_text": "拒收请回复R",
    "can_variables": "yes",
    "takes_replies": "yes",
}


async def kept(stage: Stage, name: str) -> PlatformAccount:
    organization_id = stage.founding.organization_id
    async with stage.ledger.transaction() as connection:
        return await account_named(connection, organization_id=organization_id, name=name)


@pytest.fixture
async def at_platform(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose platform answers."""
    settings = SandboxSettings(**CALM, name="sandbox")
    async with TestServer(build_application(settings, Sandbox(settings))) as server:
        stage.platform_url = str(server.make_url("")).rstrip("/")
        await stage.set(people(1))
        yield stage


async def test_without_an_account_the_page_says_what_to_do(member: aiohttp.ClientSession) -> None:
    page = await page_of(member, "platforms")
    assert "No account yet" in page
    assert "/console/platforms/-/new" in page


async def test_an_account_is_added_and_its_key_is_never_shown(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    status, where, page = await send(member, "platforms/-/new", NEW)
    assert (status, where) == (200, "/console/platforms/gateway")
    assert "a very secret key" not in page
    account = await kept(stage, "gateway")
    assert (account.price_milli, account.currency, account.max_batch) == (50, "CNY", 200)
    assert account.capabilities == {"variables"}
    assert open_key(stage.vault, "gateway", account.sealed_key) == "a very secret key"
    assert "a very secret key" not in await page_of(member, "platforms/gateway/edit")


async def test_what_is_wrong_is_said_and_the_key_is_to_be_typed_again(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    status, _, page = await send(member, "platforms/-/new", NEW | {"price": "much"})
    assert status == 409
    assert "is no amount" in page
    assert 'value="gateway"' in page
    assert "a very secret key" not in page


async def test_an_account_at_alibaba_cloud_has_options_of_its_own(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    assert "Queue of receipts" in await page_of(member, "platforms/-/new?kind=aliyun")
    form = NEW | {
        "kind": "aliyun",
        "name": "ali",
        "base_url": "https://dysmsapi.aliyuncs.com",
        "key_id": "LTAIexample",
        "option_report_queue": "Alicom-Queue-1-SmsReport",
        "can_variables": "",
    }
    status, _, page = await send(member, "platforms/-/new", form)
    assert status == 200, page
    account = await kept(stage, "ali")
    assert account.kind == "aliyun"
    assert account.options == {"report_queue": "Alicom-Queue-1-SmsReport"}
    assert "/callbacks/ali/" in await page_of(member, "platforms/ali")


async def test_the_connection_test_says_that_all_is_well(
    member: aiohttp.ClientSession, at_platform: Stage
) -> None:
    assert at_platform
    status, _, page = await send(member, "platforms/sandbox/test", {})
    assert status == 200
    assert "The connection works" in page


async def test_the_connection_test_says_what_is_wrong_and_what_to_do(
    member: aiohttp.ClientSession, at_platform: Stage
) -> None:
    await send(member, "platforms/sandbox/key", {"key": "another key"})
    status, _, page = await send(member, "platforms/sandbox/test", {})
    assert status == 200
    assert "Something is wrong with the connection" in page
    assert "Replace the key by the one" in page
    assert (await kept(at_platform, "sandbox")).previous_key_until is not None


async def test_an_account_is_changed_and_keeps_its_key(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    form = NEW | {"price": "0.1", "rate_per_second": "7", "key": ""}
    await send(member, "platforms/sandbox/edit", form)
    account = await kept(stage, "sandbox")
    assert (account.price_milli, account.rate_per_second) == (100, 7)
    assert open_key(stage.vault, "sandbox", account.sealed_key) == KEY


async def test_a_workspace_is_withdrawn_and_admitted_again(
    member: aiohttp.ClientSession, stage: Stage, founding: Founding
) -> None:
    await stage.set(people(1))
    async with stage.ledger.transaction() as connection:
        found = await connection.execute(
            "SELECT name FROM workspace WHERE id = %s", [founding.workspace_id]
        )
        row = await found.fetchone()
    assert row
    _, _, page = await send(member, "platforms/sandbox/withdraw", {"workspace": row[0]})
    assert "None: nobody can send through it." in page
    _, _, page = await send(member, "platforms/sandbox/admit", {"workspace": row[0]})
    assert "None: nobody can send through it." not in page


async def test_deleting_needs_the_name(member: aiohttp.ClientSession, stage: Stage) -> None:
    await send(member, "platforms/-/new", NEW)
    status, _, page = await send(member, "platforms/gateway/delete", {"confirm": "gate"})
    assert status == 409
    assert "Confirm it by giving that name again." in page
    status, where, _ = await send(member, "platforms/gateway/delete", {"confirm": "gateway"})
    assert (status, where) == (200, "/console/platforms")
    assert "gateway" not in await page_of(member, "platforms")
    assert stage
