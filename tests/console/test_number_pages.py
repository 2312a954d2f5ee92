"""One number in the console: what it got, what not and why, and what would happen now."""

import aiohttp
import pytest

from tests.stage import Stage, people
from textwave.accounts.operations import Founding
from textwave.storage.ledger import Ledger, execute
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, send

NUMBERS = "/console/numbers"


@pytest.fixture
async def shop(stage: Stage) -> Stage:
    """A campaign of which two messages are ready, and one person was dropped."""
    await stage.set(people(3))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    return stage


async def test_an_answer_names_what_was_sent_and_what_would_happen_now(
    member: aiohttp.ClientSession, shop: Stage
) -> None:
    signature = str(shop.ids["signature"])
    _, place, page = await send(member, NUMBERS, mobile="15400000000", signature=signature)
    assert place == NUMBERS
    assert "Spring" in page
    assert "would be sent to *******0000 at this moment" in page
    await send(member, "/console/opt-outs/denied", mobile="15400000000", reason="a complaint")
    _, _, page = await send(member, NUMBERS, mobile="15400000000", signature=signature)
    assert "would not be sent" in page
    assert "until somebody lifts it" in page
    assert "a complaint" in page


@pytest.mark.usefixtures("shop")
async def test_a_drop_is_shown_with_the_rule_that_decided_it(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    async with ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO message_drop (id, workspace_id, campaign_id, customer, mobile, reason)
               SELECT first_message_id + 9, workspace_id, id, 'c9', 8615499999999,
                      'missing variable' FROM campaign""",
        )
    _, _, page = await send(member, NUMBERS, mobile="15499999999", signature="")
    assert "A value that the template needs was missing." in page
    assert "No message, in the newest" in page


async def test_what_is_no_number_is_refused_beside_the_form(member: aiohttp.ClientSession) -> None:
    status, _, page = await send(member, NUMBERS, mobile="none")
    assert (status, "no number that a text" in page, 'value="none"' in page) == (409, True, True)


@pytest.mark.usefixtures("shop")
async def test_another_workspace_learns_nothing(
    member: aiohttp.ClientSession, ledger: Ledger, vault: Vault, founding: Founding
) -> None:
    await become_stranger(member, ledger, vault, founding)
    _, _, page = await send(member, NUMBERS, mobile="15400000000")
    assert "Spring" not in page
