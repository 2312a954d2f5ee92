"""The page of a campaign under way: variants and their winner, who is held out, why it stands."""

import re

import aiohttp

from tests.console.test_campaign_writing import send
from tests.stage import Stage, people
from textwave.campaigns.operations import template_decided
from textwave.campaigns.shares import Control, Shares, Variant, WinnerRule
from textwave.kit.ids import TemplateId

TESTED = Shares(
    control=Control(size=20),
    variants=(Variant("long", "welcome"), Variant("short", "brief")),
    winner=WinnerRule(200, "hand"),
)


async def page_of(client: aiohttp.ClientSession, place: str, status: int = 200) -> str:
    async with client.get(f"/console/campaigns/{place}".rstrip("/")) as answer:
        assert answer.status == status
        return await answer.text()


async def under_way(stage: Stage) -> None:
    """Start a campaign of which most wait for the winner of two texts."""
    await stage.set(people(200))
    await stage.template("brief", "Back again, ${name}? 拒收请回复R")
    campaign_id = await stage.campaign(shares=TESTED)
    await stage.start()
    await stage.plan(campaign_id)


async def test_the_winner_is_chosen_by_hand_after_a_question(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_way(stage)
    page = await page_of(member, "Spring")
    assert "Wait for the winner" in page
    assert "winner?variant=short" in page
    assert "20 people get nothing, to compare" in page
    asked = await page_of(member, "Spring/winner?variant=short")
    assert re.search(r"1[0-9]{2} people who wait get its text", asked)
    await page_of(member, "Spring/winner?variant=other", 404)
    status, page = await send(member, "Spring/winner", {"variant": "short"})
    assert status == 200
    assert "winner?variant=" not in page
    assert re.search(r"short\s*<span[^>]*>Winner</span>", page)
    status, page = await send(member, "Spring/winner", {"variant": "long"})
    assert (status, "has its winner already" in page) == (409, True)


async def test_who_failed_is_tried_again_by_the_chosen_causes(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_way(stage)
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            """INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
               SELECT id, workspace_id, unnest(ARRAY['no route', 'unsubscribed', 'no receipt']), 3
               FROM campaign"""
        )
    page = await page_of(member, "Spring/retry")
    assert re.search(r'value="no route" checked', page)
    assert re.search(r'value="no receipt">', page)
    assert "unsubscribed" not in page
    status, page = await send(member, "Spring/retry", {"name": "Spring again"})
    assert (status, "choose at least one" in page) == (409, True)
    assert 'value="no route">' in page


async def test_a_campaign_says_since_when_and_why_it_stands_still(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_way(stage)
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET stalled_since = now()")
    page = await page_of(member, "Spring")
    assert "Stands still since" in page
    assert "No worker has given a sign of life" in page


async def under_review(stage: Stage, told: str) -> None:
    """Start a campaign whose text is in review, and tell how the review stands."""
    await stage.set(people(1), template_state="reviewing")
    await stage.campaign()
    await stage.start()
    async with stage.ledger.transaction() as connection:
        await connection.execute(told.encode())


async def test_a_campaign_under_review_says_what_it_waits_for_and_since_when(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_review(stage, "UPDATE template SET submitted_at = '2026-11-01T02:30:00Z'")
    page = await page_of(member, "Spring")
    assert "sandbox has it since 2026-11-01 10:30:00" in page
    assert '<a href="/console/templates/welcome">welcome</a>' in page


async def test_a_campaign_whose_text_waits_its_turn_says_when_it_goes(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_review(
        stage, "UPDATE template SET turn_at = '2026-11-01T02:30:00Z', reason = 'Waits its turn.'"
    )
    assert "It goes there on 2026-11-01 10:30:00" in await page_of(member, "Spring")


async def test_a_rejected_campaign_says_why_and_leads_to_the_text(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await under_review(stage, "UPDATE template SET state = 'rejected', reason = 'Name the shop.'")
    async with stage.ledger.transaction() as connection:
        await template_decided(connection, TemplateId(stage.ids["template"]))
    page = await page_of(member, "Spring")
    assert "sandbox rejected the text: Name the shop." in page
    assert 'href="/console/templates/welcome/edit"' in page
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET own_text = true")
    page = await page_of(member, "Spring")
    assert "/console/templates/welcome/edit" not in page
    assert 'href="/console/campaigns/Spring/edit">Edit the campaign' in page


async def test_the_way_to_the_first_campaign_shows_what_is_done_and_what_is_next(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    assert 'class="done"' not in await page_of(member, "")
    await stage.set_rows(template_state="reviewing")
    async with stage.ledger.transaction() as connection:
        await connection.execute("""UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
    steps = (await page_of(member, "")).split('class="first-steps"')[1].split("</ol>")[0]
    assert steps.count('class="done"') == 4
    assert steps.count("in review") == 1
    assert 'btn-primary" href="/console/campaigns/-/new"' in steps
