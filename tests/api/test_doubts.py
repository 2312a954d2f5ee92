"""Doubts over HTTP: listed with their evidence, settled once, and never another workspace's."""

import asyncio
import json
import sys
from typing import Any

import pytest

from tests.api.conftest import Web
from tests.doubt_stage import doubtful_campaign
from tests.stage import Stage
from textwave.kit.ids import CampaignId
from textwave.storage.ledger import Ledger, value


@pytest.fixture
async def campaign_id(stage: Stage) -> CampaignId:
    return await doubtful_campaign(stage)


async def all_doubts(web: Web, **more: Any) -> list[dict[str, Any]]:
    _, page = await web.ask("GET", "/api/in-doubt", **more)
    return page["items"]


async def test_doubts_are_listed_page_by_page_with_their_evidence(
    web: Web, campaign_id: CampaignId
) -> None:
    status, page = await web.ask("GET", "/api/in-doubt", params={"limit": 2})
    assert status == 200
    first = page["items"][0]
    assert first["request"] == f"{campaign_id}-0-0"
    assert (first["campaign"], first["platform"], first["detail"]) == (
        "Spring", "sandbox", "cut off")  # fmt: skip
    assert (first["messages"], first["unsettled"], first["delivered"]) == (2, 2, 0)
    assert first["choices"] == ["sent", "not sent", "send again"]
    assert first["ends_at"] > first["prepared_at"]
    rest = await all_doubts(web, params={"after": page["next"]})
    assert [one["request"] for one in rest] == [f"{campaign_id}-2-0"]
    assert await all_doubts(web, params={"campaign": "Autumn"}) == []
    _, groups = await web.ask("GET", "/api/in-doubt/campaigns")
    assert [(g["campaign"], g["requests"], g["messages"]) for g in groups["items"]] == [
        ("Spring", 3, 6)
    ]


async def test_a_doubt_is_settled_once_and_a_job_carries_it_out(
    web: Web, campaign_id: CampaignId, ledger: Ledger
) -> None:
    path = f"/api/in-doubt/{campaign_id}-0-0/settle"
    status, case = await web.ask("POST", path, json={"as": "sent"})
    assert (status, case["settled_as"], case["choices"]) == (200, "sent", [])
    status, problem = await web.ask("POST", path, json={"as": "not sent"})
    assert (status, problem["code"]) == (409, "doubt_already_settled")
    async with ledger.transaction() as connection:
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'dispatch.settle_doubts'"
        assert await value(connection, jobs) == 1


async def test_sending_again_asks_for_confirmation(web: Web, campaign_id: CampaignId) -> None:
    path = f"/api/in-doubt/{campaign_id}-0-0/settle"
    status, problem = await web.ask("POST", path, json={"as": "send again"})
    assert (status, problem["code"]) == (409, "send_again_unconfirmed")
    status, _ = await web.ask("POST", path, json={"as": "send again", "confirmed": True})
    assert status == 200


async def test_all_doubts_of_a_campaign_are_settled_at_once(
    web: Web, campaign_id: CampaignId
) -> None:
    await web.ask("POST", f"/api/in-doubt/{campaign_id}-0-0/settle", json={"as": "sent"})
    body = {"as": "not sent", "campaign": "Spring"}
    status, settled = await web.ask("POST", "/api/in-doubt/settle", json=body)
    assert (status, settled) == (200, {"campaign": "Spring", "requests": 2})
    status, settled = await web.ask("POST", "/api/in-doubt/settle", json=body)
    assert (status, settled["requests"]) == (200, 0)


async def test_another_workspace_s_doubts_are_not_there(
    web: Web, campaign_id: CampaignId, other_key: str
) -> None:
    assert await all_doubts(web, key=other_key) == []
    path = f"/api/in-doubt/{campaign_id}-0-0/settle"
    status, _ = await web.ask("POST", path, key=other_key, json={"as": "sent"})
    assert status == 404
    body = {"as": "sent", "campaign": "Spring"}
    status, _ = await web.ask("POST", "/api/in-doubt/settle", key=other_key, json=body)
    assert status == 404


async def test_the_metrics_count_doubts_and_the_campaign_says_why_it_stands_still(
    web: Web, campaign_id: CampaignId
) -> None:
    async with web.http.get(f"{web.url}/metrics") as answer:
        assert "textwave_requests_in_doubt 3.0" in await answer.text()
    _, shown = await web.ask("GET", "/api/campaigns/Spring")
    assert shown["id"] == campaign_id
    assert shown["stalled_since"] is not None
    assert "No worker" in shown["stalled_reason"]
    _, page = await web.ask("GET", "/api/campaigns")
    assert page["items"][0]["stalled_reason"] == shown["stalled_reason"]
    _, report = await web.ask("GET", "/api/campaigns/Spring/report")
    assert (report["in_doubt"], report["stalled_reason"]) == (6, shown["stalled_reason"])


async def test_the_command_line_lists_and_settles(web: Web, campaign_id: CampaignId) -> None:
    async def run(*arguments: str) -> Any:
        """Run the command against the server; return what it printed as JSON."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "textwave.cli", "in-doubt", *arguments, "--json"),
            env={"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return json.loads(printed)

    listed = await run("list", "--campaign", "Spring")
    name = f"{campaign_id}-1-0"
    assert [one["request"] for one in listed][1] == name
    assert (await run("settle", name, "--as", "not-sent"))["settled_as"] == "not sent"
    again = ("--as", "send-again", "--confirm")
    assert (await run("settle", "--campaign", "Spring", *again))["requests"] == 2
