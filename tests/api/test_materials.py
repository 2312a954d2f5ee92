"""The material library over HTTP."""

import io

from tests.api.conftest import Web
from tests.materials.files import picture, sound
from textwave.materials.kinds import LARGEST_BYTES


async def test_a_file_is_added_looked_at_and_taken_away(web: Web) -> None:
    content = picture("PNG")
    path = "/api/materials/spring%20sale"
    status, made = await web.ask("POST", f"{path}/imports?tag=sale&tag=2026", data=content)
    assert (status, made["kind"], made["width"], made["tags"]) == (
        201,
        "image",
        100,
        ["sale", "2026"],
    )
    headers = {"Authorization": f"Bearer {web.key}"}
    async with web.http.get(f"{web.url}{path}/content", headers=headers) as answer:
        assert await answer.read() == content
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    async with web.http.get(f"{web.url}{path}/thumbnail", headers=headers) as answer:
        assert (await answer.read()).startswith(b"\xff\xd8\xff")
    status, page = await web.ask("GET", "/api/materials?kind=image&tag=sale&mine=true")
    assert [one["name"] for one in page["items"]] == ["spring sale"]
    async with web.http.delete(f"{web.url}{path}", headers=headers) as answer:
        assert answer.status == 204
    assert (await web.ask("GET", path))[0] == 404


async def test_a_sound_has_no_thumbnail(web: Web) -> None:
    await web.ask("POST", "/api/materials/jingle/imports", data=sound())
    status, problem = await web.ask("GET", "/api/materials/jingle/thumbnail")
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_file_that_is_too_large_or_no_material_is_refused(web: Web) -> None:
    path = "/api/materials/spring/imports"
    status, problem = await web.ask("POST", path, data=io.BytesIO(b"\0" * (LARGEST_BYTES + 1)))
    assert (status, problem["code"]) == (422, "material_not_acceptable")
    assert "larger than 10 MB" in problem["detail"]
    status, problem = await web.ask("POST", path, data=b"<html></html>")
    assert (status, problem["code"]) == (422, "material_not_acceptable")
    assert (await web.ask("POST", path, data=b""))[0] == 422


async def test_a_material_of_another_workspace_is_not_there(web: Web, other_key: str) -> None:
    await web.ask("POST", "/api/materials/spring/imports?shared=true", data=picture("PNG"))
    assert (await web.ask("GET", "/api/materials/spring", key=other_key))[0] == 404
    assert (await web.ask("GET", "/api/materials/spring/content", key=other_key))[0] == 404
    assert (await web.ask("GET", "/api/materials", key=other_key))[1]["items"] == []
