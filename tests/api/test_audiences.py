"""Audiences and keys over HTTP."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.conftest import Web
from tests.audiences.stores import describe
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

EVERYBODY = {"table": "customers", "rule": {"kind": "all", "of": []}}


@pytest.fixture(autouse=True)
async def tables(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    async with ledger.transaction() as connection:
        await describe(connection, workspace_id)


async def make(web: Web, name: str, key: str | None = None, **more: Any) -> tuple[int, Any]:
    return await web.ask(
        "POST", "/api/audiences", key=key, json={**EVERYBODY, "name": name, **more}
    )


async def colleague(web: Web) -> str:
    body = {"name": "wang", "is_administrator": False}
    status, made = await web.ask("POST", "/api/keys", json=body)
    assert status == 201
    return str(made["key"])


@pytest.mark.parametrize("name", ["preview", "snapshots", "50 % off", "C++?", "老客户", "a&b#c"])
async def test_an_audience_is_read_by_its_name_whatever_that_is(web: Web, name: str) -> None:
    assert (await make(web, name))[0] == 201

    status, found = await web.ask("GET", f"/api/audiences/{quote(name, safe='')}")

    assert (status, found["name"]) == (200, name)


async def test_a_name_with_a_slash_is_refused_with_what_would_be_right(web: Web) -> None:
    status, problem = await make(web, "2026/spring")

    assert (status, problem["code"]) == (422, "invalid_value")
    assert "folders are given apart" in problem["detail"]


async def test_an_edit_of_what_was_changed_since_is_refused(web: Web) -> None:
    _, made = await make(web, "local")
    body = {"version": made["version"], "folder": "2026"}

    status, edited = await web.ask("PATCH", "/api/audiences/local", json=body)
    again, problem = await web.ask("PATCH", "/api/audiences/local", json=body)

    assert (status, edited["folder"], edited["version"]) == (200, "2026", 2)
    assert (again, problem["code"]) == (409, "changed_meanwhile")


async def test_a_private_audience_is_not_found_by_a_colleague_s_key(web: Web) -> None:
    key = await colleague(web)
    await make(web, "mine", is_public=False)
    await make(web, "theirs", key, is_public=False)

    for method, path in (
        ("GET", ""), ("GET", "/snapshots"), ("POST", "/snapshots"), ("POST", "/preview"),
        ("POST", "/archive"),
    ):  # fmt: skip
        status, _ = await web.ask(method, f"/api/audiences/mine{path}", key=key)
        assert status == 404, path
    _, seen = await web.ask("GET", "/api/audiences", key=key)
    _, all_of_them = await web.ask("GET", "/api/audiences")
    assert [one["name"] for one in seen["items"]] == ["theirs"]
    assert [one["name"] for one in all_of_them["items"]] == ["mine", "theirs"]


async def test_keys_are_made_and_revoked_by_administrators_only(web: Web) -> None:
    key = await colleague(web)

    status, problem = await web.ask("POST", "/api/keys", key=key, json={"name": "friend"})
    assert (status, problem["code"]) == (403, "administrator_needed")
    taken, problem = await web.ask("POST", "/api/keys", json={"name": "wang"})
    assert (taken, problem["code"]) == (409, "already_exists")

    headers = {"Authorization": f"Bearer {web.key}"}
    async with web.http.delete(f"{web.url}/api/keys/wang", headers=headers) as answer:
        assert answer.status == 204
    assert (await web.ask("GET", "/api/tables", key=key))[0] == 401


async def test_folders_say_how_many_are_in_each(web: Web) -> None:
    await make(web, "one", folder="2026")
    await make(web, "two", folder="/2026/")

    _, page = await web.ask("GET", "/api/audience-folders")
    _, inside = await web.ask("GET", "/api/audiences?folder=2026&sort=name")

    assert page["items"] == [{"name": "2026", "audiences": 2}]
    assert [one["name"] for one in inside["items"]] == ["one", "two"]
