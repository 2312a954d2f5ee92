"""Short links in the browser: made, switched, extended, their clicks, and domains of one's own."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.console.test_template_pages import page_of, send
from tests.stage import Stage, people
from textwave.shortlinks.links import ShortLink
from textwave.shortlinks.store import domains, link_named

SPRING = {"name": "spring", "long_url": "https://shop.example.com/spring", "days": "30"}


async def kept(stage: Stage, name: str) -> ShortLink:
    async with stage.ledger.transaction() as connection:
        return await link_named(connection, workspace_id=stage.founding.workspace_id, name=name)


async def write(stage: Stage, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
    async with stage.ledger.transaction() as connection:
        await connection.execute(statement.encode(), parameters)


async def test_without_a_link_the_page_says_what_they_are_for(
    member: aiohttp.ClientSession,
) -> None:
    assert "No short link yet" in await page_of(member, "links")


async def test_a_link_is_made_and_shown_with_its_address(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    status, where, page = await send(member, "links", SPRING)
    assert (status, where) == (200, "/console/links/spring")
    assert (await kept(stage, "spring")).code in page


async def test_a_link_to_nowhere_is_refused_and_what_was_typed_stays(
    member: aiohttp.ClientSession,
) -> None:
    status, _, page = await send(member, "links", SPRING | {"long_url": "javascript:alert(1)"})
    assert status == 409
    assert 'value="spring"' in page
    assert "alert-danger" in page
    status, _, page = await send(member, "links", SPRING | {"days": "soon"})
    assert status == 409
    assert "whole number of days" in page


async def test_a_link_is_switched_off_and_on_and_works_longer(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await send(member, "links", SPRING)
    _, _, page = await send(member, "links/spring", {"act": "disable"})
    assert "It is switched off" in page
    assert not (await kept(stage, "spring")).enabled
    await send(member, "links/spring", {"act": "enable"})
    before = await kept(stage, "spring")
    await send(member, "links/spring", {"act": "extend", "days": "90"})
    after = await kept(stage, "spring")
    assert before.enabled
    assert after.expires_at > before.expires_at


async def test_clicks_are_shown_masked_with_the_rule_that_judged_them(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set(people(1))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    await write(
        stage,
        """INSERT INTO click (id, workspace_id, link_id, campaign_id, message_id, human, judged_by,
               clicked_at)
           SELECT n, m.workspace_id, l.id, m.campaign_id, m.id, n = 1,
               CASE n WHEN 1 THEN 'no rule matched' ELSE 'link preview' END, now()
           FROM message m, short_link l, generate_series(1, 2) n""",
    )
    page = await page_of(member, "links/sale")
    assert "a link preview" in page
    assert "*0000" in page
    assert "8615400000000" not in page
    only = await page_of(member, "links/sale?who=people")
    assert "a link preview" not in only


async def test_an_administrator_adds_a_domain_and_makes_it_the_default(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    status, _, page = await send(
        member, "links/-/domains", {"address": "https://d.example.cn", "default": "yes"}
    )
    assert status == 200
    assert "https://d.example.cn" in page
    _, _, made = await send(member, "links", SPRING)
    assert "https://d.example.cn/" in made
    await send(member, "links/-/domains/retire", {"host": "d.example.cn"})
    async with stage.ledger.transaction() as connection:
        [found] = await domains(connection, workspace_id=stage.founding.workspace_id)
    assert found.retired_at is not None
    assert "https://d.example.cn/" in await page_of(member, "links/spring")
