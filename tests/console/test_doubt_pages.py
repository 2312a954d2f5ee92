"""What is in doubt in the console: counted in the bar, shown with evidence, settled by a person."""

import aiohttp
import pytest

from tests.doubt_stage import doubtful_campaign
from tests.stage import Stage
from textwave.accounts.operations import Founding
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, send, text_of

DOUBTS = "/console/in-doubt"


@pytest.fixture
async def campaign_id(stage: Stage) -> int:
    return await doubtful_campaign(stage)


async def test_nothing_in_doubt_says_that_there_is_nothing_to_do(
    member: aiohttp.ClientSession,
) -> None:
    page = await text_of(member, DOUBTS)
    assert "There is nothing to do here" in page
    assert 'class="count"' not in page


async def test_a_request_is_settled_once_with_what_is_known_beside_the_question(
    member: aiohttp.ClientSession, campaign_id: int, ledger: Ledger
) -> None:
    page = await text_of(member, "/console/campaigns")
    assert ">3</span>" in page.split('class="count"')[1][:60]
    assert "cut off" in await text_of(member, DOUBTS)
    request = f"{DOUBTS}/requests/{campaign_id}-0-0"
    assert "cut off" in await text_of(member, request)
    _, _, page = await send(member, request, **{"as": "sent"})
    assert "Noted." in page
    assert "It was sent ·" in page
    status, _, page = await send(member, request.replace("-0-0", "-1-0"), request, **{"as": "sent"})
    assert (status, "is not in doubt any more" in page) == (409, True)
    async with ledger.transaction() as connection:
        said = "SELECT settled_as FROM doubt_settlement"
        assert await value(connection, said) == "sent"


async def test_what_the_platform_said_when_it_was_asked_stands_beside_the_question(
    member: aiohttp.ClientSession, campaign_id: int, ledger: Ledger
) -> None:
    request = f"{DOUBTS}/requests/{campaign_id}-0-0"
    assert "when asked" not in await text_of(member, request)
    async with ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO doubt_inquiry (campaign_id, number, attempt, workspace_id, asked,
                   asked_at, due_at, answer)
               SELECT id, 0, 0, workspace_id, 2, '2026-11-01T02:30:00Z', 'infinity',
                   'it did not know the request' FROM campaign""",
        )
    assert "the platform: it did not know the request." in await text_of(member, DOUBTS)
    page = await text_of(member, request)
    assert "asked 2 times" in page
    assert "proves nothing" in page


async def test_sending_again_has_to_be_meant(
    member: aiohttp.ClientSession, campaign_id: int, ledger: Ledger
) -> None:
    request = f"{DOUBTS}/requests/{campaign_id}-0-0"
    status, _, page = await send(member, request, **{"as": "send again"})
    assert (status, "Confirm that this is meant" in page) == (409, True)
    await send(member, request, **{"as": "send again", "confirmed": "yes"})
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT settled_as FROM doubt_settlement") == "send again"


@pytest.mark.usefixtures("campaign_id")
async def test_all_of_a_campaign_is_settled_at_once(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    campaign = f"{DOUBTS}/campaigns/Spring"
    status, _, page = await send(member, campaign, **{"as": "perhaps"})
    assert (status, "choose one of the answers" in page) == (409, True)
    await send(member, campaign, **{"as": "not sent"})
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM doubt_settlement") == 3


async def test_another_workspace_sees_and_settles_nothing(
    member: aiohttp.ClientSession,
    campaign_id: int,
    ledger: Ledger,
    vault: Vault,
    founding: Founding,
) -> None:
    await become_stranger(member, ledger, vault, founding)
    assert "Spring" not in await text_of(member, DOUBTS)
    for place in (f"requests/{campaign_id}-0-0", "campaigns/Spring", "requests/nothing"):
        await text_of(member, f"{DOUBTS}/{place}", 404)
        status, _, _ = await send(member, "/console/limits", f"{DOUBTS}/{place}", **{"as": "sent"})
        assert status == 404
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM doubt_settlement") == 0
