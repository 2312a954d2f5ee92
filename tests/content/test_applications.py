"""Templates on their way through Alibaba Cloud's reviewers: turns, versions, withdrawal."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.aliyun_stage import SIGNATURE, AliyunStage
from textwave.content import operations, store, version_store
from textwave.content.operations import NoApprovedSignature, TemplateDraft
from textwave.content.review_operations import ask_reviews, submit_template, withdraw_template
from textwave.content.store import Template
from textwave.content.version_store import Version
from textwave.kit.ids import TemplateId
from textwave.kit.states import MoveNotAllowed
from textwave.platforms.contract import MessageType
from textwave.signatures.operations import add_signature

from .conftest import LINKS_URL, NOW, Place

TEXT = "云裳会员日，全场八折 拒收请回复R"


async def signed(place: Place, stand_in: AliyunStage, status: int = 1) -> None:
    """Add the signature that the stand-in has, as it stands there."""
    await stand_in.post("decide", signature=SIGNATURE, status=status)
    await add_signature(
        place.people,
        place.open_platform,
        workspace_id=place.workspace_id,
        actor="wang",
        platform="ali",
        name=SIGNATURE,
        now=NOW,
    )


async def write(place: Place, name: str = "spring", signature: str = "") -> Template:
    draft = TemplateDraft(name, MessageType.promotional, "ali", TEXT, "members' day", signature)
    async with place.people.transaction(place.workspace_id) as connection:
        written = await operations.create_template(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            draft=draft,
            links_url=LINKS_URL,
            now=NOW,
        )
    return written.template


async def submit(place: Place, name: str = "spring", actor: str = "wang") -> Template:
    async with place.people.transaction(place.workspace_id) as connection:
        written = await operations.request_review(
            connection,
            workspace_id=place.workspace_id,
            actor=actor,
            name=name,
            links_url=LINKS_URL,
            now=NOW,
        )
    return written.template


async def hand_over(
    place: Place, template_id: int, now: datetime = NOW, *, has_turn: bool = False
) -> Template:
    await submit_template(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        template_id=TemplateId(template_id),
        now=now,
        has_turn=has_turn,
    )
    async with place.people.transaction(place.workspace_id) as connection:
        return await store.template(
            connection, workspace_id=place.workspace_id, template_id=TemplateId(template_id)
        )


async def decide(
    place: Place, stand_in: AliyunStage, template: Template, status: int, reason: str = ""
) -> None:
    await stand_in.post("decide", template=template.code, status=status, reason=reason)
    await ask_reviews(place.jobs, place.open_platform, now=NOW + timedelta(hours=1))


async def versions(place: Place, template: Template) -> list[Version]:
    async with place.people.transaction(place.workspace_id) as connection:
        return await version_store.versions(
            connection, workspace_id=place.workspace_id, template_id=template.id
        )


async def test_reviewers_see_the_text_with_an_approved_signature(
    ali: Place, stand_in: AliyunStage
) -> None:
    await write(ali)
    with pytest.raises(NoApprovedSignature, match="none is approved"):
        await submit(ali)
    await signed(ali, stand_in)
    template = await hand_over(ali, (await submit(ali)).id)
    assert template.code is not None
    record = stand_in.stand_in.shelf.templates[template.code]
    assert (record.content, record.signature) == (TEXT, SIGNATURE)


async def test_the_signature_that_was_chosen_must_be_the_approved_one(
    ali: Place, stand_in: AliyunStage
) -> None:
    await signed(ali, stand_in)
    await write(ali, signature="云裳")
    with pytest.raises(NoApprovedSignature, match="the signature “云裳” is not approved"):
        await submit(ali)


async def test_applications_wait_their_turn_and_say_when_it_is(
    ali: Place, stand_in: AliyunStage
) -> None:
    await signed(ali, stand_in)
    first, second, third = [(await write(ali, name)).id for name in ("a", "b", "c")]
    for name in ("a", "b", "c"):
        await submit(ali, name)
    assert (await hand_over(ali, first)).submitted_at == NOW
    waiting = [await hand_over(ali, one, NOW + timedelta(seconds=1)) for one in (second, third)]
    assert [one.turn_at for one in waiting] == [
        NOW + timedelta(seconds=30),
        NOW + timedelta(seconds=60),
    ]
    assert waiting[0].submitted_at is None
    assert "It goes there at 2026-03-01 12:00:30" in waiting[0].reason
    went = await hand_over(ali, second, NOW + timedelta(seconds=30), has_turn=True)
    assert (went.submitted_at, went.turn_at, went.reason) == (
        NOW + timedelta(seconds=30), None, "",
    )  # fmt: skip
    async with ali.jobs.transaction() as connection:
        cursor = await connection.execute(
            "SELECT scheduled_at, (args ->> 'has_turn')::boolean FROM procrastinate_jobs"
            " WHERE scheduled_at IS NOT NULL ORDER BY id"
        )
        assert await cursor.fetchall() == [
            (NOW + timedelta(seconds=30), True),
            (NOW + timedelta(seconds=60), True),
        ]


async def test_workers_at_once_never_share_a_turn(ali: Place, stand_in: AliyunStage) -> None:
    await signed(ali, stand_in)
    names = [f"t{number}" for number in range(6)]
    made = [(await write(ali, name)).id for name in names]
    for name in names:
        await submit(ali, name)
    at_once = await asyncio.gather(*(hand_over(ali, one) for one in made))
    turns = sorted(one.turn_at or NOW for one in at_once)
    assert turns == [NOW + timedelta(seconds=30 * number) for number in range(6)]


async def test_versions_say_what_was_submitted_by_whom_and_what_was_decided(
    ali: Place, stand_in: AliyunStage
) -> None:
    await signed(ali, stand_in)
    await write(ali)
    template = await hand_over(ali, (await submit(ali)).id)
    await decide(ali, stand_in, template, 2, "too loud")
    async with ali.people.transaction(ali.workspace_id) as connection:
        await operations.edit_template(
            connection,
            workspace_id=ali.workspace_id,
            actor="li",
            name="spring",
            content="云裳会员日 拒收请回复R",
            remark="softer",
            links_url=LINKS_URL,
            now=NOW,
        )
    await submit(ali, actor="li")
    template = await hand_over(ali, template.id, has_turn=True)
    newest, first = await versions(ali, template)
    assert (first.number, first.content, first.submitted_by) == (1, TEXT, "wang")
    assert (first.decision, first.reason, first.code) == ("rejected", "too loud", template.code)
    assert (newest.number, newest.submitted_by, newest.decision) == (2, "li", None)
    await decide(ali, stand_in, template, 1)
    newest, first = await versions(ali, template)
    assert (newest.decision, first.decision, first.reason) == ("approved", "rejected", "too loud")


async def test_a_copy_is_a_draft_with_the_same_text(ali: Place, stand_in: AliyunStage) -> None:
    await signed(ali, stand_in)
    await write(ali, signature=SIGNATURE)
    async with ali.people.transaction(ali.workspace_id) as connection:
        copied = await operations.copy_template(
            connection,
            workspace_id=ali.workspace_id,
            actor="wang",
            name="spring",
            new_name="summer",
            platform=None,
            links_url=LINKS_URL,
            now=NOW,
        )
    copy = copied.template
    assert (copy.name, copy.state, copy.content) == ("summer", "draft", TEXT)
    assert (copy.signature, copy.code) == (SIGNATURE, None)


async def test_a_template_deleted_under_review_is_withdrawn_when_that_is_decided(
    ali: Place, stand_in: AliyunStage
) -> None:
    await signed(ali, stand_in)
    await write(ali)
    template = await hand_over(ali, (await submit(ali)).id)
    assert template.code is not None
    async with ali.people.transaction(ali.workspace_id) as connection:
        await operations.delete_template(
            connection, workspace_id=ali.workspace_id, actor="wang", name="spring", now=NOW
        )
    assert [version.decision for version in await versions(ali, template)] == ["withdrawn"]
    await withdraw(ali, template)
    assert template.code in stand_in.stand_in.shelf.templates
    await stand_in.post("decide", template=template.code, status=1)
    await withdraw(ali, template)
    assert template.code not in stand_in.stand_in.shelf.templates


async def withdraw(place: Place, template: Template) -> None:
    await withdraw_template(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        template_id=template.id,
        now=NOW,
    )


async def test_of_two_who_submit_at_once_one_is_refused_and_one_version_is_kept(
    ali: Place, stand_in: AliyunStage
) -> None:
    await signed(ali, stand_in)
    template = await write(ali)
    outcomes = await asyncio.gather(*(submit(ali) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Template) for one in outcomes) == 1
    assert sum(isinstance(one, MoveNotAllowed) for one in outcomes) == 2
    assert len(await versions(ali, template)) == 1
