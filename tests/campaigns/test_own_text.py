"""A text changed in a campaign becomes a template named after it, reviewed before it is sent."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.stage import LINKS_URL, Stage, people
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import create_campaign, start_campaign, template_decided
from textwave.campaigns.own_text_operations import TextNotReviewed
from textwave.campaigns.schedule_operations import edit_campaign
from textwave.campaigns.shares import Shares, Variant
from textwave.campaigns.store import Campaign, campaigns
from textwave.campaigns.timing import Timing
from textwave.content.store import Template, template_named, templates
from textwave.kit.ids import TemplateId
from textwave.kit.refusal import InvalidValue
from textwave.kit.states import MoveNotAllowed

OWN = "Dear ${name}, spring is here. 拒收请回复R"
DRAFT = CampaignDraft(
    "Spring", "promotional", "sandbox", "Textwave", "welcome", "everybody",
    {"name": {"column": "first_name"}}, content=OWN,
)  # fmt: skip


async def do(stage: Stage, operation: Any, **more: Any) -> Any:
    async with stage.ledger.transaction(stage.founding.workspace_id) as connection:
        return await operation(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="wang",
            links_url=LINKS_URL,
            now=stage.clock.now(),
            **more,
        )


async def template(stage: Stage, name: str) -> Template:
    async with stage.ledger.transaction() as connection:
        return await template_named(connection, workspace_id=stage.founding.workspace_id, name=name)


async def decide(stage: Stage, name: str, state: str, reason: str = "") -> None:
    async with stage.ledger.transaction() as connection:
        decided = await connection.execute(
            """UPDATE template SET state = %s, reason = %s, decided_at = now(), code = 'T9',
                   submitted_at = now()
               WHERE name = %s RETURNING id""",
            [state, reason, name],
        )
        row = await decided.fetchone()
        assert row is not None
        await template_decided(connection, TemplateId(row[0]))


async def spring(stage: Stage) -> Campaign:
    async with stage.ledger.transaction() as connection:
        [found] = await campaigns(connection, stage.founding.workspace_id)
    return found


async def names(stage: Stage) -> list[str]:
    async with stage.ledger.transaction() as connection:
        found = await templates(connection, workspace_id=stage.founding.workspace_id)
    return [one.name for one in found]


async def test_a_changed_text_is_a_new_template_and_the_chosen_one_stays(stage: Stage) -> None:
    await stage.set(people(3))
    before = await template(stage, "welcome")
    made = await do(stage, create_campaign, draft=DRAFT)
    assert (made.template, made.own_text) == ("Spring", True)
    assert (await template(stage, "Spring")).content == OWN
    assert await template(stage, "welcome") == before


async def test_started_it_waits_for_the_review_and_goes_by_itself(stage: Stage) -> None:
    await stage.set(people(3))
    await do(stage, create_campaign, draft=DRAFT)
    started = await do(stage, start_campaign, name="Spring")
    assert started.state == "reviewing"
    assert (await template(stage, "Spring")).state == "reviewing"
    await decide(stage, "Spring", "approved")
    assert (await spring(stage)).state == "planning"


async def test_a_rejection_shows_the_platforms_reason_and_the_text_is_corrected_in_place(
    stage: Stage,
) -> None:
    await stage.set(people(3))
    await do(stage, create_campaign, draft=DRAFT)
    await do(stage, start_campaign, name="Spring")
    await decide(stage, "Spring", "rejected", "Name the sender.")
    rejected = await spring(stage)
    assert rejected.state == "rejected"
    assert "Name the sender." in rejected.reason
    better = replace(DRAFT, template="Spring", content="Dear ${name}, it is us. 拒收请回复R")
    edited = await do(stage, edit_campaign, name="Spring", draft=better)
    assert (edited.state, edited.template, edited.own_text) == ("draft", "Spring", True)
    assert (await template(stage, "Spring")).content == better.content
    assert (await do(stage, start_campaign, name="Spring")).state == "reviewing"
    assert await names(stage) == ["welcome", "Spring"]


async def test_an_approved_own_text_that_is_changed_again_is_one_template_more(
    stage: Stage,
) -> None:
    await stage.set(people(3))
    await do(stage, create_campaign, draft=DRAFT)
    await decide(stage, "Spring", "approved")
    changed = replace(DRAFT, template="Spring", content="Dear ${name}, at last. 拒收请回复R")
    edited = await do(stage, edit_campaign, name="Spring", draft=changed)
    assert edited.template == "Spring-2"
    assert (await template(stage, "Spring")).content == OWN


async def test_the_templates_own_words_are_no_text_of_its_own(stage: Stage) -> None:
    await stage.set(people(3))
    same = (await template(stage, "welcome")).content
    made = await do(stage, create_campaign, draft=replace(DRAFT, content=same))
    assert (made.template, made.own_text) == ("welcome", False)
    assert await names(stage) == ["welcome"]


async def test_choosing_another_template_again_gives_up_the_own_text(stage: Stage) -> None:
    await stage.set(people(3))
    await do(stage, create_campaign, draft=DRAFT)
    edited = await do(stage, edit_campaign, name="Spring", draft=replace(DRAFT, content=""))
    assert (edited.template, edited.own_text) == ("welcome", False)
    assert (await do(stage, start_campaign, name="Spring")).state == "planning"


async def test_a_text_without_any_template_before_it_is_enough(stage: Stage) -> None:
    await stage.set(people(3))
    made = await do(stage, create_campaign, draft=replace(DRAFT, template=""))
    assert (await template(stage, made.template)).remark == "Text of the campaign Spring"


async def test_a_campaign_with_a_time_refuses_a_text_that_nobody_has_approved(
    stage: Stage,
) -> None:
    await stage.set(people(3))
    with pytest.raises(TextNotReviewed, match="Take the time away"):
        await do(stage, create_campaign, draft=replace(DRAFT, timing=Timing(at="2099-12-01T09:00")))
    assert await names(stage) == ["welcome"]


async def test_variants_have_texts_of_their_own(stage: Stage) -> None:
    await stage.set(people(3))
    shares = Shares(variants=(Variant("A", "welcome", 500), Variant("B", "welcome", 500)))
    with pytest.raises(InvalidValue, match="variants have templates"):
        await do(stage, create_campaign, draft=replace(DRAFT, shares=shares))


async def test_a_long_name_is_cut_and_numbered_where_it_is_taken(stage: Stage) -> None:
    await stage.set(people(3))
    long = "The spring of all the springs that there ever were"
    first = await do(stage, create_campaign, draft=replace(DRAFT, name=long))
    second = await do(stage, create_campaign, draft=replace(DRAFT, name=long + " 2"))
    assert (first.template, second.template) == (long[:30].rstrip(), long[:27].rstrip() + "-2")


async def test_of_two_people_who_start_it_at_once_one_hands_the_text_over(stage: Stage) -> None:
    await stage.set(people(3))
    await do(stage, create_campaign, draft=DRAFT)
    both = await asyncio.gather(
        do(stage, start_campaign, name="Spring"),
        do(stage, start_campaign, name="Spring"),
        return_exceptions=True,
    )
    refused = [one for one in both if isinstance(one, Exception)]
    assert [type(one) for one in refused] == [MoveNotAllowed]
    async with stage.ledger.transaction() as connection:
        found = await connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'content.submit_template'"
        )
        assert await found.fetchone() == (1,)
