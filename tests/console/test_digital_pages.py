"""Digital templates in the browser: put together part by part, reviewed by carriers, deleted."""

from typing import Any

import aiohttp
import pytest

from tests.stage import Stage
from textwave.console.digital_reading import moved
from textwave.digital.parts import MaterialPart, Part, TextPart
from textwave.digital.store import DigitalTemplate, digital_template, digital_templates

from .material_shelf import open_counter, page_of, send

FILLED = {
    "name": "spring",
    "platform": "sandbox",
    "signature": "湖畔",
    "subject": "春季新品",
    "remark": "members who asked for news",
    "text_0": "亲爱的${name}，新品到店",
    "material_1": "poster",
}
A, B, C = TextPart("a"), MaterialPart("b"), TextPart("c")


@pytest.fixture
async def counter(stage: Stage) -> Stage:
    """An account at Alibaba Cloud with a signature, and a library of three files."""
    await open_counter(stage)
    return stage


async def kept(stage: Stage, name: str = "spring") -> DigitalTemplate:
    async with stage.ledger.transaction() as connection:
        return await digital_template(connection, stage.founding.workspace_id, name)


async def said_by_carriers(stage: Stage, **states: str) -> None:
    """Write what carriers say; a rejected one says why."""
    statement: Any = """
        INSERT INTO digital_carrier (template_id, carrier, workspace_id, state, reason, changed_at)
        VALUES (%s, %s, %s, %s, %s, now())"""
    template_id = (await kept(stage)).row.id
    async with stage.ledger.transaction() as connection:
        for carrier, state in states.items():
            reason = "The picture is not clear." if state == "rejected" else ""
            written = [template_id, carrier, stage.founding.workspace_id, state, reason]
            await connection.execute(statement, written)


async def test_without_a_template_the_page_says_what_to_do(member: aiohttp.ClientSession) -> None:
    page = await page_of(member, "digital")
    assert "No digital template yet" in page
    assert "/console/digital/-/new" in page


async def test_without_an_account_that_sends_them_the_form_leads_to_one(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.set_rows()
    page = await page_of(member, "digital/-/new")
    assert "Only accounts at Alibaba Cloud send digital messages" in page
    assert "digital-form" not in page


async def test_a_template_is_written_and_handed_to_review_in_one_step(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    status, where, page = await send(member, "digital/-/new", FILLED | {"then": "submit"})
    assert (status, where) == (200, "/console/digital/spring")
    assert "in review" in page
    found = await kept(counter)
    assert (found.row.state, [part.material for part in found.parts]) == (
        "reviewing",
        [None, "poster"],
    )
    assert "What was handed in" in page


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("text", [A, B, C, TextPart("")]),
        ("add:poster", [A, B, C, MaterialPart("poster")]),
        ("up:1", [A, B, C]),
        ("up:3", [A, C, B]),
        ("down:1", [B, A, C]),
        ("down:3", [A, B, C]),
        ("out:2", [A, C]),
        ("out:4", [A, B, C]),
        ("out:-1", [A, B, C]),
        ("none", [A, B, C]),
    ],
)
def test_a_step_of_editing_moves_one_part(act: str, expected: list[Part]) -> None:
    assert moved([A, B, C], act) == expected


async def test_a_step_answers_with_the_parts_and_what_they_lack(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    _, _, page = await send(member, "digital/-/parts", FILLED | {"act": "out:2"})
    assert "It has neither an image nor a video" in page
    _, _, page = await send(member, "digital/-/parts", FILLED | {"act": "add:clip"})
    assert 'name="material_2" value="clip"' in page
    assert "neither an image nor a video" not in page
    async with counter.ledger.transaction() as connection:
        assert not await digital_templates(connection, counter.founding.workspace_id)


async def test_without_a_script_a_step_shows_the_whole_form_again(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    status, _, page = await send(member, "digital/-/new", FILLED | {"act": "up:2"})
    assert status == 200
    assert page.index("material_0") < page.index("text_1")
    assert 'value="春季新品"' in page
    assert counter.ids


async def test_the_library_is_looked_through_by_name_and_kind(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    for look, there in (({"look": "POST"}, "poster"), ({"look_kind": "audio"}, "jingle")):
        _, _, page = await send(member, "digital/-/parts", {"platform": "sandbox", **look})
        offered = {name for name in ("poster", "clip", "jingle") if f'"add:{name}"' in page}
        assert offered == {there}
    assert counter.ids


async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    broken = FILLED | {"text_0": "【湖畔】你好", "then": "keep"}
    status, _, page = await send(member, "digital/-/new", broken)
    assert status == 409
    assert "【湖畔】你好</textarea>" in page
    assert "alert-danger" in page
    async with counter.ledger.transaction() as connection:
        assert not await digital_templates(connection, counter.founding.workspace_id)


async def test_a_material_that_is_gone_is_named_with_its_place(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    _, _, page = await send(member, "digital/-/check", FILLED | {"material_1": "gone"})
    assert "Part 2: the library has no material “gone”" in page
    assert counter.ids


async def test_each_carrier_says_where_it_stands_and_why(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    await send(member, "digital/-/new", FILLED | {"then": "submit"})
    await said_by_carriers(counter, mobile="approved", telecom="rejected")
    for place in ("digital", "digital/spring"):
        page = await page_of(member, place)
        assert "China Mobile: approved" in page
        assert "China Telecom: rejected" in page
    page = await page_of(member, "digital/spring")
    assert "The picture is not clear." in page
    assert "Carriers are told by number ranges" in page


async def test_a_rejected_template_is_edited_and_an_approved_one_copied(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    await send(member, "digital/-/new", FILLED | {"then": "keep"})
    async with counter.ledger.transaction() as connection:
        await connection.execute("UPDATE template SET state = 'rejected' WHERE type = 'digital'")
    page = await page_of(member, "digital/spring/edit")
    assert 'name="material_1" value="poster"' in page
    edited = FILLED | {"material_2": "clip", "then": "keep"}
    assert (await send(member, "digital/spring/edit", edited))[0] == 200
    found = await kept(counter)
    assert (found.row.state, len(found.parts)) == ("draft", 3)
    async with counter.ledger.transaction() as connection:
        await connection.execute("UPDATE template SET state = 'approved' WHERE type = 'digital'")
    async with member.get("/console/digital/spring/edit") as answer:
        assert answer.url.path == "/console/digital/spring"
    page = await page_of(member, "digital/spring/copy")
    assert 'name="material_2" value="clip"' in page


async def test_who_sees_a_template_sees_its_materials_shared_or_not(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    await send(member, "digital/-/new", FILLED | {"then": "keep"})
    async with member.get("/console/digital/spring/parts/2") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    async with member.get("/console/digital/spring/parts/2?small=1") as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
    for place in (1, 3, 99999999999):
        async with member.get(f"/console/digital/spring/parts/{place}") as answer:
            assert answer.status == 404
    assert counter.ids


async def test_deleting_asks_first_and_lets_the_materials_go(
    member: aiohttp.ClientSession, counter: Stage
) -> None:
    await send(member, "digital/-/new", FILLED | {"then": "keep"})
    status, _, page = await send(member, "materials/poster/delete", {})
    assert (status, "“spring” is made of the material “poster”" in page) == (409, True)
    assert "Delete the digital template “spring”?" in await page_of(member, "digital/spring/delete")
    await send(member, "digital/spring/delete", {})
    assert "No digital template yet" in await page_of(member, "digital")
    assert (await send(member, "materials/poster/delete", {}))[0] == 200
    assert counter.ids


@pytest.mark.parametrize("act", ["submit", "delete", "edit"])
async def test_nothing_happens_without_the_sessions_own_token(
    member: aiohttp.ClientSession, counter: Stage, act: str
) -> None:
    await send(member, "digital/-/new", FILLED | {"then": "keep"})
    async with member.post(f"/console/digital/spring/{act}", data=FILLED) as answer:
        assert answer.status == 403
    assert (await kept(counter)).row.state == "draft"
