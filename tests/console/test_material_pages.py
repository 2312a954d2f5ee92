"""The library of materials in the browser: looked through, added to, tagged, shared, cleared."""

import aiohttp
import pytest

from tests.materials.files import picture, sound
from textwave.accounts.operations import digest_of
from textwave.accounts.store import add_api_key
from textwave.kit.ids import WorkspaceId
from textwave.materials.store import Material, materials
from textwave.storage.ledger import Ledger

from .material_shelf import keep, page_of, send, upload


@pytest.fixture
async def shelf(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    """A picture and a sound of Mei, one of which she keeps to herself."""
    await keep(ledger, workspace_id, "spring sale", picture("PNG"), tags=["spring", "sale"])
    await keep(ledger, workspace_id, "jingle", sound(), shared=False)


async def kept(ledger: Ledger, workspace_id: WorkspaceId) -> dict[str, Material]:
    async with ledger.transaction(workspace_id) as connection:
        return {one.name: one for one in await materials(connection, workspace_id)}


async def test_an_empty_library_says_what_to_do(member: aiohttp.ClientSession) -> None:
    page = await page_of(member, "materials")
    assert "The library is empty" in page
    assert "/console/materials/-/new" in page


async def test_a_file_is_added_under_its_own_name_with_tags(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    content = picture("JPEG", 640, 480)
    status, answer = await upload(
        member, content, file_name="Summer.jpg", tags="summer， beach", shared="yes"
    )
    assert (status, answer) == (200, {"address": "/console/materials/Summer"})
    found = (await kept(ledger, workspace_id))["Summer"]
    assert (found.tags, found.shared, found.width) == (["summer", "beach"], True, 640)
    page = await page_of(member, "materials/Summer")
    assert "640 × 480" in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"MZ\x90 a program", "The file "),
        (b"\0" * (11 * 1024 * 1024), "The file is larger than 10 MB"),
    ],
)
async def test_why_a_file_is_refused_is_said_in_words(
    member: aiohttp.ClientSession,
    ledger: Ledger,
    workspace_id: WorkspaceId,
    content: bytes,
    sentence: str,
) -> None:
    status, answer = await upload(member, content, file_name="x.png")
    assert status == 422
    assert answer["sentence"].startswith(sentence)
    assert not await kept(ledger, workspace_id)


@pytest.mark.usefixtures("shelf")
async def test_the_form_is_checked_before_the_file_is_sent(member: aiohttp.ClientSession) -> None:
    status, _, taken = await send(member, "materials/-/check", {"name": "jingle", "size": "9"})
    assert status == 422
    assert "jingle" in taken
    status, _, large = await send(member, "materials/-/check", {"name": "b", "size": "99000000"})
    assert (status, "10 MB" in large) == (422, True)


@pytest.mark.usefixtures("shelf")
async def test_the_shelf_is_looked_through_by_kind_tag_and_name(
    member: aiohttp.ClientSession,
) -> None:
    everything = await page_of(member, "materials")
    assert "spring sale" in everything
    assert "jingle" in everything
    for query, there in (("kind=image", True), ("kind=audio", False), ("tag=sale", True),
                         ("text=JING", False)):  # fmt: skip
        page = await page_of(member, f"materials?{query}")
        assert ("/console/materials/spring%20sale" in page) is there, query
        assert ("/console/materials/jingle" in page) is not there, query
    assert "Nothing in the library fits" in await page_of(member, "materials?text=winter")


@pytest.mark.usefixtures("shelf")
async def test_pictures_are_served_as_what_they_are_and_never_sniffed(
    member: aiohttp.ClientSession,
) -> None:
    for place, media_type, begins in (
        ("spring%20sale/thumbnail", "image/jpeg", b"\xff\xd8"),
        ("spring%20sale/content", "image/png", b"\x89PNG"),
        ("jingle/content", "audio/mpeg", b""),
    ):
        async with member.get(f"/console/materials/{place}") as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == media_type
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert (await answer.read()).startswith(begins)
    async with member.get("/console/materials/jingle/thumbnail") as answer:
        assert answer.status == 404


@pytest.mark.usefixtures("shelf")
async def test_without_a_session_no_file_is_shown(visitor: aiohttp.ClientSession) -> None:
    address = "/console/materials/spring%20sale/content"
    async with visitor.get(address, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["location"].startswith("/console/login")


@pytest.mark.usefixtures("shelf")
async def test_a_material_is_renamed_tagged_and_shared_in_one_form(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    given = {"name": "bell", "tags": "sound, 2026", "shared": "yes"}
    status, where, _ = await send(member, "materials/jingle/change", given)
    assert (status, where) == (200, "/console/materials/bell")
    found = (await kept(ledger, workspace_id))["bell"]
    assert (found.tags, found.shared) == (["sound", "2026"], True)
    status, _, page = await send(member, "materials/bell/change", given | {"name": "spring sale"})
    assert status == 409
    assert "spring sale" in page


@pytest.mark.usefixtures("shelf")
async def test_several_materials_get_a_tag_at_once(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    ticked = {"chosen_0": "spring sale", "chosen_1": "jingle", "tags": "2026"}
    await send(member, "materials/-/tags", ticked | {"act": "add"})
    await send(member, "materials/-/tags", ticked | {"tags": "sale", "act": "remove"})
    found = await kept(ledger, workspace_id)
    assert found["spring sale"].tags == ["spring", "2026"]
    assert found["jingle"].tags == ["2026"]
    status, _, page = await send(member, "materials/-/tags", {"tags": "2026", "act": "add"})
    assert (status, "Tick the materials first" in page) == (409, True)


@pytest.mark.usefixtures("shelf")
async def test_a_material_is_deleted_after_a_question(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    assert "Delete the material “jingle”?" in await page_of(member, "materials/jingle/delete")
    assert "jingle" in await kept(ledger, workspace_id)
    await send(member, "materials/jingle/delete", {})
    assert "jingle" not in await kept(ledger, workspace_id)


@pytest.mark.usefixtures("shelf")
async def test_another_persons_file_is_seen_when_shared_and_never_changed(
    visitor: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    async with ledger.transaction() as connection:
        await add_api_key(
            connection,
            workspace_id=workspace_id,
            name="li",
            digest=digest_of("tw_li"),
            is_administrator=False,
        )
    async with visitor.post("/console/login", data={"api_key": "tw_li"}) as answer:
        assert answer.status == 200
    page = await page_of(visitor, "materials")
    assert "spring sale" in page
    assert "jingle" not in page
    for place in ("jingle", "jingle/content"):
        async with visitor.get(f"/console/materials/{place}") as answer:
            assert answer.status == 404
    status, _, page = await send(visitor, "materials/spring%20sale/delete", {})
    assert status == 409
    assert "was added by “mei”" in page


@pytest.mark.usefixtures("shelf")
async def test_a_file_without_the_sessions_own_token_is_not_taken(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    status, _ = await upload(member, picture("PNG"), token="made up", file_name="x.png")
    assert status == 403
    assert len(await kept(ledger, workspace_id)) == 2
