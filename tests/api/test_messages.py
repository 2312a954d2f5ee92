"""Single messages over HTTP: 202 at once, the same answer for the same key, never twice."""

from typing import Any

import pytest

from tests.api.conftest import Web
from tests.stage import Stage
from textwave.storage.ledger import value

BODY: dict[str, Any] = {
    "to": "+8615412345678",
    "signature": "Textwave",
    "template": "welcome",
    "variables": {"code": "4711"},
}


@pytest.fixture
async def staged(stage: Stage) -> Stage:
    await stage.set_rows(content="您的验证码是${code}", message_type="notification")
    return stage


async def send(web: Web, key: str | None, **changes: Any) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {web.key}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    url = f"{web.url}/api/messages"
    async with web.http.post(url, json=BODY | changes, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.usefixtures("staged")
async def test_a_message_is_taken_shown_masked_and_listed(web: Web) -> None:
    status, made = await send(web, "order-1")
    assert (status, made["state"], made["mobile"]) == (202, "waiting", "*******5678")
    assert await web.ask("GET", f"/api/messages/{made['id']}") == (200, made)
    _, second = await send(web, "order-2")
    _, page = await web.ask("GET", "/api/messages?limit=1")
    assert ([one["id"] for one in page["items"]], page["next"]) == ([second["id"]], second["id"])
    _, rest = await web.ask("GET", f"/api/messages?after={second['id']}")
    assert rest["items"] == [made]


async def test_a_key_is_one_message(web: Web, staged: Stage) -> None:
    first = await send(web, "order-1")
    assert await send(web, "order-1") == first
    status, problem = await send(web, "order-1", variables={"code": "1"})
    assert (status, problem["code"]) == (409, "key_used_differently")
    async with staged.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM single_message") == 1


UNFIT: list[tuple[str | None, dict[str, Any], int]] = [
    (None, {}, 422),
    ("", {}, 422),
    ("x" * 201, {}, 422),
    ("k", {"to": "12"}, 422),
    ("k", {"to": "not a number"}, 422),
    ("k", {"template": "nothing"}, 404),
    ("k", {"signature": "nobody"}, 404),
    ("k", {"variables": {"code": "x" * 501}}, 422),
    ("k", {"variables": {"code": "\x00"}}, 422),
    ("k", {"variables": {"other": "1"}}, 422),
]


async def test_what_cannot_be_sent_is_refused_and_nothing_is_written(
    web: Web, staged: Stage
) -> None:
    for key, changes, status in UNFIT:
        assert (await send(web, key, **changes))[0] == status, changes
    async with staged.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM single_message") == 0


@pytest.mark.usefixtures("staged")
async def test_a_message_of_another_workspace_is_not_found(web: Web, other_key: str) -> None:
    _, made = await send(web, "order-1")
    status, _ = await web.ask("GET", f"/api/messages/{made['id']}", key=other_key)
    assert status == 404
    assert (await web.ask("GET", "/api/messages", key=other_key))[1]["items"] == []
