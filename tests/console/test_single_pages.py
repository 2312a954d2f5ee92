"""Single messages in the console: only looked at, by those of their workspace, numbers masked."""

import aiohttp
import pytest

from tests.stage import LINKS_URL, Stage
from textwave.accounts.operations import Founding
from textwave.kit.ids import SingleMessageId
from textwave.singles.message import AskedMessage
from textwave.singles.operations import ask_for_message
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, text_of

MESSAGES = "/console/messages"


@pytest.fixture
async def message_id(stage: Stage) -> SingleMessageId:
    """A message that waits, of a program's."""
    await stage.set_rows(message_type="notification", content="Your code is ${code}")
    async with stage.ledger.transaction() as connection:
        asked = await ask_for_message(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="shop",
            key="order 17 <paid>",
            asked=AskedMessage("15412345678", "Textwave", "welcome", {"code": "4711"}),
            links_url=LINKS_URL,
            now=stage.clock.now(),
        )
    return asked.id


async def test_without_a_message_the_page_says_where_they_come_from(
    member: aiohttp.ClientSession,
) -> None:
    page = await text_of(member, MESSAGES)
    assert "No single message yet" in page
    assert "textwave message send" in page


async def test_a_message_is_shown_as_it_stands_with_its_number_masked(
    member: aiohttp.ClientSession, stage: Stage, message_id: SingleMessageId
) -> None:
    listed = await text_of(member, MESSAGES)
    assert "Waits to be sent" in listed
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE single_message SET refusal = 'The account was retired.'")
    shown = await text_of(member, f"{MESSAGES}/{message_id}")
    assert "The account was retired." in shown
    assert "order 17 &lt;paid&gt;" in shown
    assert "*5678" in listed
    assert "15412345678" not in listed + shown
    assert "4711" not in listed + shown


async def test_pages_go_on_from_an_id_and_end(
    member: aiohttp.ClientSession, message_id: SingleMessageId
) -> None:
    assert f"{MESSAGES}/{message_id}" in await text_of(
        member, f"{MESSAGES}?before={message_id + 1}"
    )
    assert "no older ones" in await text_of(member, f"{MESSAGES}?before={message_id}")


@pytest.mark.parametrize("wanted", ["0", "x", "99999999999999999999", "17"])
async def test_what_is_no_message_is_not_found(member: aiohttp.ClientSession, wanted: str) -> None:
    await text_of(member, f"{MESSAGES}/{wanted}", 404)


async def test_another_workspace_sees_none_of_it(
    member: aiohttp.ClientSession,
    message_id: SingleMessageId,
    ledger: Ledger,
    vault: Vault,
    founding: Founding,
) -> None:
    await become_stranger(member, ledger, vault, founding)
    assert "No single message yet" in await text_of(member, MESSAGES)
    await text_of(member, f"{MESSAGES}/{message_id}", 404)
