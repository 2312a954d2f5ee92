"""Several texts of one campaign, from the plan to the platform; the platform is the witness."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.stage import Stage, people
from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.campaigns.shares import (
    NoWinnerOpen,
    Shares,
    Variant,
    WinnerRule,
)
from textwave.campaigns.winner_operations import (
    choose_due,
    choose_winner,
    count_moved,
    give_winner,
)
from textwave.dispatch.cancelling_operations import settle_campaign
from textwave.kit.ids import CampaignId
from textwave.kit.refusal import NotFound
from textwave.platforms.sandbox.templates import Template
from textwave.responses.store import AskedReply, trace_replies
from textwave.storage.ledger import Ledger

SHORT = "Dear ${name}: http://d.example.cn/abc123/${sp_link} 拒收请回复R"
LONG = "Level ${level}, " + "see you soon, " * 5 + SHORT[5:]
AB = (Variant("A", "welcome", 300), Variant("B", "long", 700))
VARIABLES = {"name": {"column": "first_name"}, "level": {"column": "level"}}


async def planned(show: Show, shares: Shares, count: int = 300) -> CampaignId:
    """Plan a campaign of two texts."""
    stage = show.stage
    await stage.set(people(count), content=SHORT, template_code="T1", max_batch=20)
    show.sandbox.templates.put(Template("long", "long", "text", 2, "another", 0.0))
    await stage.template("long", LONG)
    campaign_id = await stage.campaign(variables=VARIABLES, shares=shares)
    await stage.start()
    await stage.plan(campaign_id, batch_size=100)
    return campaign_id


async def received(show: Show) -> Counter[str]:
    """Count what the platform received, by the beginning of the text."""
    async with show.session.get(
        f"{show.stage.platform_url}/sandbox/messages", params={"limit": "1000"}
    ) as response:
        items = (await response.json())["items"]
    return Counter(message["content"].split(" ")[0] for message in items)


async def traced(show: Show) -> int:
    """Return of how many messages a reply from their number finds them."""
    async with show.ledger.transaction() as connection:
        found = await (await connection.execute("SELECT id, mobile FROM message")).fetchall()
        at = show.stage.clock.now()
        asked = [
            AskedReply(place, mobile, "Textwave", at) for place, (_, mobile) in enumerate(found)
        ]
        replies = await trace_replies(connection, platform_id=show.platform_id, asked=asked)
    return sum(reply.message_id == found[reply.ordinal][0] for reply in replies)


async def give(show: Show, campaign_id: CampaignId) -> None:
    await give_winner(
        show.ledger, show.stage.clock, workspace_id=show.workspace_id, campaign_id=campaign_id
    )


async def choose(ledger: Ledger, stage: Stage, variant: str) -> str:
    """Choose as the API does; return why it won."""
    workspace_id = stage.founding.workspace_id
    async with ledger.transaction(workspace_id) as connection:
        chosen = await choose_winner(
            connection,
            workspace_id=workspace_id,
            actor="mei",
            name="Spring",
            variant=variant,
            now=stage.clock.now(),
        )
    return (chosen.winner or {})["reason"]


async def test_each_message_goes_out_with_the_text_of_its_variant(show: StartShow) -> None:
    playing = await show()
    campaign_id = await planned(playing, Shares(variants=AB, seed=4))
    await playing.send()
    await count_moved(playing.ledger)
    report = await playing.report()
    counts, by_text = await playing.counts(), await received(playing)
    assert (counts["distinct"], counts["twice"]) == (300, 0)
    assert [(v.name, v.messages, v.submitted) for v in report.variants] == [
        ("A", by_text["Dear"], by_text["Dear"]),
        ("B", by_text["Level"], by_text["Level"]),
    ]
    assert 60 < by_text["Dear"] < 120  # 30 % of 300, drawn
    assert (await playing.recount(campaign_id)).parts == report.parts
    assert await traced(playing) == 300
    mixed = await playing.value(
        """SELECT count(*) FROM request r JOIN campaign_variant v ON v.campaign_id = r.campaign_id
           WHERE r.first_id < v.first_id AND r.last_id >= v.first_id"""
    )
    assert mixed == 0


async def test_the_rest_waits_until_somebody_chooses_and_then_gets_the_winners_text(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    rule = WinnerRule(300, "hand")
    campaign_id = await planned(playing, Shares(variants=AB, winner=rule, seed=4))
    before = await playing.report()
    await playing.send()
    tests = (await playing.counts())["distinct"]
    assert 60 < tests < 120
    assert (await playing.report()).state == "sending"

    assert "chosen by mei" in await choose(web_ledger, playing.stage, "A")
    await give(playing, campaign_id)
    await playing.send()
    report = await playing.report()
    assert (report.state, report.submitted) == ("completed", 300)
    assert (await received(playing))["Dear"] > 300 - tests
    assert report.parts < before.parts  # the rest was counted as the dearest text until then
    assert (await playing.recount(campaign_id)).parts == report.parts
    assert [v.template for v in report.variants] == ["welcome", "long", "welcome"]


async def test_a_winner_is_chosen_once_and_only_among_the_variants(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    rule = WinnerRule(300, "hand")
    await planned(playing, Shares(variants=AB, winner=rule), 40)
    with pytest.raises(NotFound, match="no variant “C”"):
        await choose(web_ledger, playing.stage, "C")
    await choose(web_ledger, playing.stage, "B")
    with pytest.raises(NoWinnerOpen, match="has its winner already"):
        await choose(web_ledger, playing.stage, "A")


async def test_clicks_choose_when_the_tests_have_had_their_time_also_in_a_paused_campaign(
    show: StartShow,
) -> None:
    playing = await show()
    rule = WinnerRule(500, "clicks", 120)
    campaign_id = await planned(playing, Shares(variants=AB, winner=rule, seed=1))
    now = playing.stage.clock.now()
    assert await choose_due(playing.ledger, now=now + timedelta(hours=9)) == 0  # not sent yet
    await playing.send()
    await playing.execute(
        """UPDATE message SET clicked_at = now() WHERE id IN (
               SELECT m.id FROM message m JOIN campaign_variant v ON v.number = 2
                   AND m.id BETWEEN v.first_id AND v.last_id ORDER BY m.id LIMIT 12)"""
    )
    workspace_id = playing.workspace_id
    async with playing.ledger.transaction() as connection:
        await pause_campaign(connection, workspace_id=workspace_id, actor="mei", name="Spring")
    assert await choose_due(playing.ledger, now=now + timedelta(minutes=119)) == 0
    assert await choose_due(playing.ledger, now=now + timedelta(minutes=125)) == 1
    await give(playing, campaign_id)
    await playing.send()
    assert (await playing.counts())["distinct"] < 200  # it is paused
    async with playing.ledger.transaction() as connection:
        resumed = await resume_campaign(
            connection, workspace_id=workspace_id, actor="mei", name="Spring"
        )
    await playing.send()
    assert "“B” goes to the rest: most of its people did" in (resumed.winner or {})["reason"]
    assert (await playing.report()).submitted == 300


async def test_a_campaign_that_is_cancelled_while_the_rest_waits_accounts_for_everybody(
    show: StartShow,
) -> None:
    playing = await show()
    campaign_id = await planned(playing, Shares(variants=AB, winner=WinnerRule(300, "hand")))
    await playing.send()
    sent = (await playing.counts())["distinct"]
    async with playing.ledger.transaction() as connection:
        await cancel_campaign(
            connection, workspace_id=playing.workspace_id, actor="mei", name="Spring"
        )
    await settle_campaign(
        playing.ledger,
        workspace_id=playing.workspace_id,
        campaign_id=campaign_id,
        now=playing.stage.clock.now(),
    )
    await give(playing, campaign_id)
    report = await playing.report()
    assert (report.failures, report.waiting) == ({"cancelled": 300 - sent}, sent)
    assert (await playing.counts())["distinct"] == sent
