"""Text templates in the browser: written, counted while they are written, reviewed, deleted."""

import re
from collections.abc import Mapping

import aiohttp
import pytest

from tests.stage import Stage, people
from textwave.content.store import Template, template_named
from textwave.storage.ledger import value

FILLED = {
    "name": "summer",
    "platform": "sandbox",
    "type": "promotional",
    "content": "Dear ${name}, summer is here.",
    "remark": "members who asked for news",
}


async def page_of(client: aiohttp.ClientSession, place: str) -> str:
    async with client.get(f"/console/{place}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def send(
    client: aiohttp.ClientSession, place: str, given: Mapping[str, str]
) -> tuple[int, str, str]:
    """Send a form; return the status, where it led, and the page."""
    found = re.search(r'name="token" value="([^"]+)"', await page_of(client, "templates"))
    assert found
    async with client.post(f"/console/{place}", data={"token": found[1], **given}) as answer:
        return answer.status, str(answer.url.path), await answer.text()


async def kept(stage: Stage, name: str) -> Template:
    async with stage.ledger.transaction() as connection:
        return await template_named(connection, workspace_id=stage.founding.workspace_id, name=name)


async def test_without_a_template_the_page_says_what_to_do(member: aiohttp.ClientSession) -> None:
    page = await page_of(member, "templates")
    assert "No template yet" in page
    assert "/console/templates/-/new" in page


async def test_a_template_is_written_and_handed_to_review_in_one_step(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    status, where, page = await send(member, "templates/-/new", FILLED | {"then": "submit"})
    assert (status, where) == (200, "/console/templates/summer")
    assert "in review" in page
    assert (await kept(stage, "summer")).state == "reviewing"


async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    status, _, page = await send(
        member, "templates/-/new", FILLED | {"content": "【Shop】 hello ${name}"}
    )
    assert status == 409
    assert "【Shop】 hello" in page
    assert "alert-danger" in page
    async with stage.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM template") == 1


async def test_the_count_has_signature_and_opt_out_text(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    whole = "【Textwave】" + "a" * 54 + "拒收请回复R"
    assert len(whole) == 70
    _, _, one = await send(member, "templates/-/count", FILLED | {"content": "a" * 54})
    _, _, two = await send(member, "templates/-/count", FILLED | {"content": "a" * 55})
    assert "<dt>Billed parts at most</dt><dd>1</dd>" in one
    assert "0.045 CNY" in one
    assert "<dt>Billed parts at most</dt><dd>2</dd>" in two
    assert "0.09 CNY" in two


async def test_a_rejected_template_says_why_and_is_edited(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1), template_state="rejected")
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE template SET reason = 'Name the shop.'")
    assert "Name the shop." in await page_of(member, "templates/welcome")
    status, _, _ = await send(
        member, "templates/welcome/edit", FILLED | {"content": "The shop greets ${name}."}
    )
    assert status == 200
    changed = await kept(stage, "welcome")
    assert (changed.state, changed.content) == ("draft", "The shop greets ${name}.")


async def test_an_approved_template_is_not_edited_but_copied(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    async with member.get("/console/templates/welcome/edit") as answer:
        assert answer.url.path == "/console/templates/welcome"
    page = await page_of(member, "templates/welcome/copy")
    assert "Dear ${name}, see you soon." in page


async def test_deleting_asks_first_and_is_refused_while_a_campaign_needs_it(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(3))
    await stage.campaign()
    await stage.start()
    assert "Delete the template “welcome”?" in await page_of(member, "templates/welcome/delete")
    status, _, page = await send(member, "templates/welcome/delete", {})
    assert status == 409
    assert "is used by the campaign “Spring”" in page
    assert (await kept(stage, "welcome")).state == "approved"


@pytest.mark.parametrize("act", ["submit", "delete", "edit"])
async def test_nothing_happens_without_the_sessions_own_token(
    member: aiohttp.ClientSession, stage: Stage, act: str
) -> None:
    await stage.set(people(1), template_state="draft")
    async with member.post(f"/console/templates/welcome/{act}", data=FILLED) as answer:
        assert answer.status == 403
    assert (await kept(stage, "welcome")).state == "draft"


async def test_what_was_handed_to_review_stands_on_the_page_with_each_decision(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    await send(member, "templates/-/new", FILLED | {"then": "submit"})
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            """UPDATE template_version SET decision = 'rejected', reason = 'Name the shop.',
                   decided_at = now()"""
        )
        await connection.execute("UPDATE template SET state = 'rejected' WHERE name = 'summer'")
    changed = FILLED | {"content": "The shop greets ${name}.", "then": "submit"}
    await send(member, "templates/summer/edit", changed)
    page = await page_of(member, "templates/summer")
    newest, oldest = page.split("What was handed to review")[1].split("</tr>")[1:3]
    assert "The shop greets" in newest
    assert "in review" in newest
    assert "Dear ${name}, summer is here." in oldest
    assert "Name the shop." in oldest


async def test_an_application_that_waits_its_turn_says_when_it_goes(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1), template_state="reviewing")
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            "UPDATE template SET turn_at = '2037-11-01T02:30:00Z', reason = 'Waits its turn.'"
        )
    page = await page_of(member, "templates/welcome")
    assert "It goes there on 2037-11-01 10:30:00" in page
