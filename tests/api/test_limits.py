"""Limits over HTTP and from the command line: set, shown, refused, taken away."""

import asyncio
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.api.conftest import Web
from tests.stage import Stage, people
from textwave.campaigns.allowlist_operations import run_fill
from textwave.cli.main import app
from textwave.kit.ids import AudienceId
from textwave.limits import allowlist_store
from textwave.storage.ledger import value


async def command(web: Web, *arguments: str) -> tuple[int, str]:
    environment = {"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key}
    run = CliRunner().invoke
    answer = await asyncio.to_thread(run, app, list(arguments), env=environment)
    return answer.exit_code, answer.output + str(answer.exception or "")


async def test_fatigue_rules_are_set_listed_and_deleted(web: Web, stage: Stage) -> None:
    await stage.set(people(1))
    body: dict[str, Any] = {
        "per_week": 2.5,
        "signatures": [{"platform": "sandbox", "name": "Textwave"}],
    }
    status, rule = await web.ask("PUT", "/api/fatigue-rules/offers", json=body)
    assert (status, rule["per_week"], rule["global"], rule["signatures"]) == (
        200, 3, False, body["signatures"],
    )  # fmt: skip
    status, problem = await web.ask("PUT", "/api/fatigue-rules/more", json=body)
    assert (status, problem["code"]) == (409, "signature_in_two_rules")
    status, problem = await web.ask(
        "PUT", "/api/fatigue-rules/all", json={"global": True, "per_day": -1}
    )
    assert (status, problem["code"]) == (422, "invalid_value")
    assert (await command(web, "fatigue", "set", "all", "--global", "--per-day", "1"))[0] == 0
    status, listed = await web.ask("GET", "/api/fatigue-rules")
    assert [rule["name"] for rule in listed["items"]] == ["all", "offers"]
    assert (await command(web, "fatigue", "delete", "offers"))[0] == 0
    status, shown = await command(web, "fatigue", "list")
    assert "offers" not in shown
    assert "Counted by number." in shown


async def test_quiet_hours_and_holidays_are_set_and_taken_away(web: Web) -> None:
    status, said = await command(web, "quiet", "set", "21:00-09:00", "--zone", "recipient")
    assert (status, "21:00 to 09:00 by each recipient" in said) == (0, True)
    assert (await command(web, "quiet", "set", "09:00-09:00"))[0] != 0
    status, said = await command(web, "quiet", "set", "00:00-24:00")
    assert (status, "“24:00” is no time of day. Write one like 09:00 or 23:59." in said) == (
        1,
        True,
    )
    status, policy = await web.ask("GET", "/api/sending-policy")
    assert policy["quiet_hours"] == {"from": "21:00:00", "until": "09:00:00", "zone": "recipient"}
    await command(web, "quiet", "set", "off")
    status, said = await command(web, "quiet", "show")
    assert "no quiet hours" in said
    status, holiday = await web.ask(
        "POST", "/api/holidays", json={"name": "off", "from": "2027-02-05", "until": "2027-02-06"}
    )
    assert (status, holiday["ends"]) == (201, "2027-02-07T00:00:00")
    soon = {"name": "soon", "from": "soon", "until": "later"}
    status, problem = await web.ask("POST", "/api/holidays", json=soon)
    assert (status, problem["detail"].startswith("from: “soon” is no day")) == (422, True)
    assert (await command(web, "holiday", "delete", "off"))[0] == 0
    assert (await web.ask("GET", "/api/holidays"))[1]["items"] == []


async def test_an_audience_s_numbers_are_on_the_allowlist_after_its_job(
    web: Web, stage: Stage
) -> None:
    await stage.set(people(3))
    status, _ = await web.ask("POST", "/api/allowlist", json={"audience": "everybody"})
    assert status == 201
    status, problem = await web.ask("POST", "/api/allowlist", json={"audience": "everybody"})
    assert (status, problem["detail"]) == (409, "“everybody” is on the allowlist already.")
    await run_fill(
        ledger=stage.ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        workspace_id=stage.founding.workspace_id,
        audience_id=AudienceId(stage.ids["audience"]),
    )
    _, listed = await web.ask("GET", "/api/allowlist")
    assert [(one["audience"], one["numbers"], one["problem"]) for one in listed["items"]] == [
        ("everybody", 3, "")
    ]
    async with stage.ledger.transaction() as connection:
        assert await allowlist_store.stale(connection) == []
    assert (await command(web, "allowlist", "delete", "everybody"))[0] == 0
    async with stage.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM allowlist_number") == 0


@pytest.mark.parametrize(
    ("path", "named"),
    [("fatigue-rules", "a rule"), ("holidays", "a holiday"), ("allowlist", "an audience")],
)
async def test_what_is_not_there_is_not_deleted(web: Web, path: str, named: str) -> None:
    status, problem = await web.ask("DELETE", f"/api/{path}/{named}")
    assert (status, problem["code"]) == (404, "not_found")


async def test_a_text_that_is_too_short_and_a_name_that_is_taken_are_told_in_words(
    web: Web, stage: Stage
) -> None:
    await stage.set(people(1))
    place, taken = "/api/campaigns/spring/test-send", "/api/audiences"
    _, problem = await web.ask("POST", place, json={"mobiles": ["123"]})
    assert "Text should have at least 4 characters." in problem["detail"]
    rule = {"kind": "attribute", "column": "first_name", "operator": "not_empty"}
    body = {"name": "everybody", "rule": rule, "table": "customers"}
    _, problem = await web.ask("POST", taken, json=body)
    assert problem["detail"].startswith("An audience named “everybody” exists already")
