"""Opt-outs of a platform, the deny list, one number, and repeated campaigns over HTTP."""

from pathlib import Path
from typing import Any

from tests.api.conftest import Web
from tests.stage import SHANGHAI, Stage, people
from textwave.downloads.opt_out_operations import run_export
from textwave.kit.clock import SystemClock
from textwave.suppression.import_operations import run_import

MOBILE = "15400000000"
PLACE = {"platform": "sandbox", "signature": "Textwave"}


async def test_a_denied_number_is_listed_masked_explained_and_lifted(
    web: Web, stage: Stage
) -> None:
    await stage.set([])
    status, made = await web.ask(
        "POST", "/api/deny-list", json={"mobile": MOBILE, "reason": "a complaint"}
    )
    assert (status, made["mobile"], made["platform_id"]) == (201, "*******0000", None)
    status, _ = await web.ask("POST", "/api/deny-list", json={"mobile": MOBILE})
    assert status == 422
    _, why = await web.ask("POST", "/api/numbers/why", json={"mobile": MOBILE, **PLACE})
    assert why["now"]["allowed"] is False
    assert why["now"]["obstacles"][0]["rule"] == "deny list"
    assert SHANGHAI not in why.values()
    lifted: dict[str, Any] = {"mobile": MOBILE, "evidence": "settled in court"}
    headers = {"Authorization": f"Bearer {web.key}"}
    url = f"{web.url}/api/deny-list/lift"
    for expected in (204, 409):
        async with web.http.post(url, json=lifted, headers=headers) as answer:
            assert answer.status == expected
    _, page = await web.ask("GET", "/api/deny-list")
    assert page["items"] == []


async def test_a_file_of_opt_outs_is_imported_and_its_broken_lines_are_shown(
    web: Web, stage: Stage, tmp_path: Path
) -> None:
    await stage.set([])
    content = f"mobile,evidence\n{MOBILE},called\n1540000,15400000009 is wrong\n".encode()
    status, begun = await web.ask(
        "POST", "/api/opt-outs/import", params={**PLACE, "file_name": "list.csv"}, data=content
    )
    assert status == 202
    key: dict[str, Any] = {
        "workspace_id": stage.founding.workspace_id,
        "operation_id": begun["id"],
    }
    await run_import(ledger=stage.ledger, clock=SystemClock(), **key)
    _, ended = await web.ask("GET", f"/api/operations/{begun['id']}")
    assert (ended["result"]["added"], ended["result"]["invalid"]) == (1, 1)
    path = f"/api/opt-outs/imports/{begun['id']}/rejected-lines"
    _, masked = await web.ask("GET", path)
    assert [line["line"] for line in masked["items"]] == [3]
    assert "15400000009" not in masked["items"][0]["content"]
    _, whole = await web.ask("GET", path, params={"reveal_numbers": "true"})
    assert whole["items"][0]["content"] == "1540000,15400000009 is wrong"
    _, wanted = await web.ask("POST", "/api/opt-outs/export", json={"platform": "sandbox"})
    key["operation_id"] = wanted["id"]
    await run_export(ledger=stage.ledger, folder=tmp_path / "downloads", **key)
    headers = {"Authorization": f"Bearer {web.key}"}
    fetched = f"{web.url}/api/opt-outs/export/{wanted['id']}"
    async with web.http.get(fetched, headers=headers) as answer:
        assert "*******0000,sandbox,Textwave,import,,called" in await answer.text()


async def test_an_import_that_cannot_be_read_is_refused_before_it_is_stored(
    web: Web, stage: Stage, tmp_path: Path
) -> None:
    await stage.set([])
    query = {**PLACE, "file_name": "list.csv", "encoding": "klingon"}
    status, problem = await web.ask("POST", "/api/opt-outs/import", params=query, data=b"x")
    assert (status, problem["code"]) == (422, "invalid_value")
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_a_campaign_is_copied_and_says_from_which(web: Web, stage: Stage) -> None:
    await stage.set(people(3))
    await stage.campaign("Spring/1")
    status, made = await web.ask("POST", "/api/campaigns/Spring%2F1/copy", json={"name": "Summer"})
    assert (status, made["state"], made["copied_from"]) == (201, "draft", "Spring/1")
    status, problem = await web.ask(
        "POST", "/api/campaigns/Summer/retry-failed", json={"name": "Again"}
    )
    assert (status, problem["code"]) == (409, "nothing_to_retry")
    status, begun = await web.ask(
        "POST", "/api/campaigns/Summer/test-send", json={"mobiles": [MOBILE], "customer": "c1"}
    )
    assert (status, begun["kind"]) == (202, "campaigns.test_send")
    status, page = await web.ask("GET", "/api/campaigns/Summer/test-sends")
    assert (status, page["items"]) == (200, [])


async def test_another_workspace_sees_neither_list_nor_rejected_lines(
    web: Web, stage: Stage, other_key: str
) -> None:
    await stage.set([])
    await web.ask("POST", "/api/deny-list", json={"mobile": MOBILE, "reason": "x"})
    _, begun = await web.ask(
        "POST", "/api/deny-list/import", params={"reason": "x"}, data=b"nobody\n"
    )
    _, page = await web.ask("GET", "/api/deny-list", key=other_key)
    assert page["items"] == []
    path = f"/api/opt-outs/imports/{begun['id']}/rejected-lines"
    status, _ = await web.ask("GET", path, key=other_key)
    assert status == 404
