"""Signatures in the browser: added, created with papers, warned about, deleted."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tests.console.test_template_pages import page_of, send
from tests.dispatch.show import CALM
from tests.stage import Stage, people
from textwave.connections.store import platform_named
from textwave.kit.refusal import NotFound
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox
from textwave.signatures.store import Signature, signature_named


async def kept(stage: Stage, name: str) -> Signature:
    workspace_id = stage.founding.workspace_id
    async with stage.ledger.transaction() as connection:
        account = await platform_named(connection, workspace_id=workspace_id, name="sandbox")
        return await signature_named(
            connection, workspace_id=workspace_id, platform_id=account.id, name=name
        )


async def write(stage: Stage, statement: str) -> None:
    async with stage.ledger.transaction() as connection:
        await connection.execute(statement.encode())


@pytest.fixture
async def at_platform(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose platform answers."""
    settings = SandboxSettings(**CALM)
    async with TestServer(build_application(settings, Sandbox(settings))) as server:
        stage.platform_url = str(server.make_url("")).rstrip("/")
        await stage.set(people(1))
        yield stage


async def test_a_signature_that_the_platform_has_is_added_in_the_state_it_says(
    member: aiohttp.ClientSession, at_platform: Stage
) -> None:
    status, where, page = await send(
        member, "signatures", {"platform": "sandbox", "name": "WaveShop"}
    )
    assert (status, where) == (200, "/console/signatures/sandbox/WaveShop")
    assert "approved" in page
    assert (await kept(at_platform, "WaveShop")).verified


async def test_brackets_are_refused_and_what_was_typed_stays(
    member: aiohttp.ClientSession, at_platform: Stage
) -> None:
    status, _, page = await send(member, "signatures", {"platform": "sandbox", "name": "【Shop】"})
    assert status == 409
    assert 'value="【Shop】"' in page
    with pytest.raises(NotFound):
        await kept(at_platform, "【Shop】")


async def test_a_rejected_signature_says_why_and_is_asked_about_again(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    await write(stage, "UPDATE signature SET state = 'rejected', reason = 'No licence.'")
    assert "No licence." in await page_of(member, "signatures/sandbox/Textwave")
    await send(member, "signatures/sandbox/Textwave", {"act": "ask"})
    assert (await kept(stage, "Textwave")).state == "reviewing"


async def test_carriers_that_have_not_registered_it_are_warned_of(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    await write(stage, "UPDATE platform SET kind = 'aliyun'")
    said = (
        '{"mobile": {"state": "approved", "reason": ""}, '
        '"telecom": {"state": "missing", "reason": "new"}}'
    )
    await write(stage, f"UPDATE signature SET carriers = '{said}'")
    page = await page_of(member, "signatures/sandbox/Textwave")
    assert "China Telecom does not have it: its numbers get nothing (new)." in page
    assert "not registered" in page
    assert "Warnings: 1" in await page_of(member, "signatures")


async def test_a_new_one_is_created_with_papers_where_the_platform_takes_them(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    assert "Create with papers" not in await page_of(member, "signatures")
    await write(stage, "UPDATE platform SET kind = 'aliyun'")
    assert "Create with papers" in await page_of(member, "signatures")
    form = {"platform": "sandbox", "name": "WaveShop", "source": "trademark", "remark": "ours"}
    status, _, page = await send(member, "signatures/-/new", form | {"qualification_id": "17"})
    assert status == 409
    assert "is needed when the source is trademark" in page
    status, _, _ = await send(
        member, "signatures/-/new", form | {"qualification_id": "17", "trademark_id": "5"}
    )
    assert status == 200
    made = await kept(stage, "WaveShop")
    assert made.state == "reviewing"
    assert made.papers
    assert made.papers.trademark_id == 5


async def test_its_pace_is_set_and_taken_away(member: aiohttp.ClientSession, stage: Stage) -> None:
    await stage.set(people(1))
    await send(member, "signatures/sandbox/Textwave", {"act": "rate", "rate_per_second": "50"})
    assert (await kept(stage, "Textwave")).rate_per_second == 50
    await send(member, "signatures/sandbox/Textwave", {"act": "rate", "rate_per_second": ""})
    assert (await kept(stage, "Textwave")).rate_per_second is None


async def test_deleting_asks_first(member: aiohttp.ClientSession, stage: Stage) -> None:
    await stage.set(people(1))
    page = await page_of(member, "signatures/sandbox/Textwave/delete")
    assert "Delete the signature 【Textwave】?" in page
    await send(member, "signatures/sandbox/Textwave/delete", {})
    with pytest.raises(NotFound):
        await kept(stage, "Textwave")
