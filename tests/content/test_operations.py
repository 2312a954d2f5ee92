import asyncio

import pytest

from textwave.accounts.store import Caller
from textwave.content import operations, store
from textwave.content.capabilities import CapabilityMissing, TypeNotOffered
from textwave.content.lint import TextNotAcceptable
from textwave.content.operations import TemplateDraft, Written
from textwave.content.store import Template
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.kit.states import MoveNotAllowed
from textwave.platforms.contract import MessageType
from textwave.shortlinks import operations as links
from textwave.shortlinks import store as link_store
from textwave.shortlinks.links import ShortLink
from textwave.storage.ledger import value

from .conftest import LINKS_URL, NOW, Place, Write, actions
from .gateway import NAME


async def submit(place: Place, name: str = "spring") -> Written:
    async with place.people.transaction(place.workspace_id) as connection:
        return await operations.request_review(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            name=name,
            links_url=LINKS_URL,
            now=NOW,
        )


async def edit(place: Place, content: str) -> Written:
    async with place.people.transaction(place.workspace_id) as connection:
        return await operations.edit_template(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            name="spring",
            content=content,
            remark="changed",
            links_url=LINKS_URL,
            now=NOW,
        )


async def delete(place: Place) -> None:
    async with place.people.transaction(place.workspace_id) as connection:
        await operations.delete_template(
            connection, workspace_id=place.workspace_id, actor="wang", name="spring", now=NOW
        )


async def link(place: Place, name: str = "sale", **more: object) -> ShortLink:
    arguments = {"long_url": "https://shop.example/sale", "days": 30} | more
    async with place.people.transaction(place.workspace_id) as connection:
        return await links.create_link(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            name=name,
            links_url=LINKS_URL,
            now=NOW,
            **arguments,  # pyright: ignore[reportArgumentType] - keywords of the test's choice
        )


async def put(place: Place, state: str) -> None:
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE template SET state = %s", [state])


async def jobs(place: Place) -> list[tuple[str, dict[str, int]]]:
    async with place.jobs.transaction() as connection:
        cursor = await connection.execute("SELECT task_name, args FROM procrastinate_jobs")
        return [(row[0], row[1]) for row in await cursor.fetchall()]


async def test_a_template_is_written_as_a_draft(place: Place, write: Write) -> None:
    template = await write()
    assert (template.state, template.platform, template.code) == ("draft", NAME, None)
    assert template.type is MessageType.promotional
    assert await actions(place) == ["platform.add", "template.create"]


async def test_the_opt_out_text_need_not_be_written_and_counts(write: Write) -> None:
    await write(content="字" * 493)
    with pytest.raises(TextNotAcceptable, match="501 characters"):
        await write(name="longer", content="字" * 494)
    await write(name="notice", content="字" * 500, message_type=MessageType.notification)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty|nothing"),
        ("x" * 501, "at most 500"),
        ("【云裳】你好", "brackets"),
        ("你好${姓名}", "is no variable"),
        ("看 https://d.example.cn/abcdef", "no short link"),
        ("看这里${sp_abc}你好", "right behind a short link"),
    ],
)
async def test_a_text_that_its_review_would_fail_on_is_refused(
    place: Place, write: Write, content: str, said: str
) -> None:
    del place
    with pytest.raises(TextNotAcceptable, match=said):
        await write(content=content, message_type=MessageType.notification)


@pytest.mark.parametrize("content", ["a\x00b", "a\ud800b", "a\x1bb"])
async def test_characters_that_cannot_be_kept_are_refused(write: Write, content: str) -> None:
    with pytest.raises(InvalidValue, match="control character"):
        await write(content=content)


@pytest.mark.parametrize("name", ["", " ", "n" * 31, "a\nb"])
async def test_a_name_that_the_contract_does_not_take_is_refused(write: Write, name: str) -> None:
    with pytest.raises(InvalidValue):
        await write(name=name)


async def test_a_name_is_unique_in_the_workspace(write: Write) -> None:
    await write()
    with pytest.raises(AlreadyExists):
        await write()


async def test_of_many_who_write_the_same_name_at_once_one_succeeds(write: Write) -> None:
    outcomes = await asyncio.gather(*(write() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, Template) for outcome in outcomes) == 1


async def test_digital_templates_are_not_offered(write: Write) -> None:
    with pytest.raises(TypeNotOffered):
        await write(message_type=MessageType.digital)


async def test_what_the_account_cannot_send_is_refused_when_it_is_written(
    place: Place, write: Write
) -> None:
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET capabilities = '{}'")
    with pytest.raises(CapabilityMissing, match="variables"):
        await write()
    await write(content="no variable in it")


async def test_a_platform_of_another_name_is_not_found(place: Place) -> None:
    draft = TemplateDraft("x", MessageType.promotional, "nowhere", "x", "x")
    with pytest.raises(NotFound):
        async with place.people.transaction(place.workspace_id) as connection:
            await operations.create_template(
                connection,
                workspace_id=place.workspace_id,
                actor="wang",
                draft=draft,
                links_url=LINKS_URL,
                now=NOW,
            )


async def test_a_link_with_a_click_token_is_written_into_a_template(
    place: Place, write: Write
) -> None:
    made = await link(place)
    await write(content=f"看 {LINKS_URL}/{made.code}/${{sp_{made.code}}}")


async def test_warnings_are_returned_and_do_not_stop(place: Place, write: Write) -> None:
    made = await link(place, days=3)
    await write(content=f"看 {LINKS_URL}/{made.code}")
    written = await submit(place)
    assert [finding.code for finding in written.warnings] == ["link_expires_soon"]


async def test_submitting_defers_one_job_for_the_template(place: Place, write: Write) -> None:
    template = await write()
    submitted = (await submit(place)).template
    assert (submitted.state, submitted.submitted_at) == ("reviewing", None)
    args = {"workspace_id": place.workspace_id, "template_id": template.id}
    assert await jobs(place) == [("content.submit_template", args)]


async def test_of_many_who_submit_at_once_one_succeeds(place: Place, write: Write) -> None:
    await write()
    outcomes = await asyncio.gather(*(submit(place) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, Written) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, MoveNotAllowed) for outcome in outcomes) == 4
    assert len(await jobs(place)) == 1


async def test_of_one_who_edits_and_one_who_submits_one_whole_text_is_submitted(
    place: Place, write: Write
) -> None:
    await write(content="the first text")
    edited, submitted = await asyncio.gather(
        edit(place, "the second text"), submit(place), return_exceptions=True
    )
    async with place.people.transaction(place.workspace_id) as connection:
        kept = await store.template_named(
            connection, workspace_id=place.workspace_id, name="spring"
        )
    assert isinstance(submitted, Written)
    assert kept.state == "reviewing"
    assert kept.content == submitted.template.content
    if isinstance(edited, MoveNotAllowed):
        assert kept.content == "the first text"


async def test_a_template_whose_link_was_disabled_meanwhile_is_not_submitted(
    place: Place, write: Write
) -> None:
    made = await link(place)
    await write(content=f"看 {LINKS_URL}/{made.code}")
    await switch(place, enabled=False)
    with pytest.raises(TextNotAcceptable, match="disabled"):
        await submit(place)


@pytest.mark.parametrize("state", ["draft", "rejected"])
async def test_a_draft_and_a_rejected_template_can_be_edited(
    place: Place, write: Write, state: str
) -> None:
    await write()
    await put(place, state)
    template = (await edit(place, "another text")).template
    assert (template.state, template.content) == ("draft", "another text")


@pytest.mark.parametrize("state", ["reviewing", "approved"])
async def test_a_template_under_review_or_approved_cannot_be_edited_or_submitted(
    place: Place, write: Write, state: str
) -> None:
    await write()
    await put(place, state)
    with pytest.raises(MoveNotAllowed):
        await edit(place, "another text")
    with pytest.raises(MoveNotAllowed):
        await submit(place)


async def test_a_deleted_template_is_gone_and_its_name_free(place: Place, write: Write) -> None:
    await write()
    await delete(place)
    with pytest.raises(NotFound):
        await submit(place)
    await write()


async def test_templates_are_listed_a_page_at_a_time(place: Place, write: Write) -> None:
    names = [f"t{number}" for number in range(5)]
    for name in names:
        await write(name=name)
    async with place.people.transaction(place.workspace_id) as connection:
        key = place.workspace_id
        first = await store.templates(connection, workspace_id=key, limit=3)
        rest = await store.templates(connection, workspace_id=key, after=first[-1].id)
    assert [template.name for template in first + rest] == names


async def switch(place: Place, *, enabled: bool) -> ShortLink:
    async with place.people.transaction(place.workspace_id) as connection:
        return await links.change_link(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            name="sale",
            enabled=enabled,
            now=NOW,
        )


async def test_another_workspace_sees_and_changes_nothing_of_this_one(
    place: Place, write: Write, caller: Caller
) -> None:
    template = await write()
    made = await link(place)
    async with place.jobs.transaction() as connection:
        other = WorkspaceId(
            await value(
                connection,
                "INSERT INTO workspace (organization_id, name) VALUES (%s, 'other') RETURNING id",
                [caller.organization_id],
            )
        )
    async with place.people.transaction(other) as connection:
        # Even when the statement names the workspace of the rows, row-level security hides them.
        for workspace_id in (other, place.workspace_id):
            assert await store.templates(connection, workspace_id=workspace_id) == []
            assert await link_store.links(connection, workspace_id=workspace_id) == []
            codes = [made.code]
            found = await link_store.links_of_codes(
                connection, workspace_id=workspace_id, codes=codes
            )
            assert found == {}
            with pytest.raises(NotFound):
                await store.template(connection, workspace_id=workspace_id, template_id=template.id)
