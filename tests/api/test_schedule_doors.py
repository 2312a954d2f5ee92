"""Scheduled and recurring campaigns over HTTP and from the command line: one story each."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.api.conftest import Web
from tests.api.test_audience_doors import ask
from tests.stage import Stage, people
from textwave.cli.main import app
from textwave.storage.ledger import value

PARTS = {
    "platform": "sandbox",
    "signature": "Textwave",
    "template": "welcome",
    "audience": "everybody",
}
SPRING = {
    **PARTS,
    "name": "Spring",
    "type": "promotional",
    "variables": {"name": {"column": "first_name"}},
}
OPTIONS = [f"--{name}={value}" for name, value in PARTS.items()] + ["--variable=name=first_name"]
SOON = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d")


@pytest.fixture(autouse=True)
async def parts(stage: Stage) -> None:
    await stage.set(people(3))


async def delete(web: Web, path: str) -> int:
    headers = {"Authorization": f"Bearer {web.key}"}
    async with web.http.delete(f"{web.url}/api/{path}", headers=headers) as answer:
        return answer.status


async def test_a_campaign_is_scheduled_edited_unscheduled_and_deleted_over_http(web: Web) -> None:
    timed = {**SPRING, "schedule": {"at": f"{SOON}T09:00"}}
    timed |= {"window": {"from": "08:00", "until": "21:00"}, "spread_minutes": 30}
    status, made = await ask(web, "POST campaigns", timed)
    assert (status, made["state"]) == (201, "draft")
    assert made["window"] == {"from": "08:00", "until": "21:00", "days": [1, 2, 3, 4, 5, 6, 7]}
    _, started = await ask(web, "POST campaigns/Spring/start")
    assert (started["state"], started["schedule"]) == (
        "scheduled",
        {
            "at": f"{SOON}T09:00:00+08:00",
            "starts_at": f"{SOON}T09:00:00+08:00",
            "time_zone": "Asia/Shanghai",
            "late_minutes": 60,
            "late_rule": "window",
        },
    )
    later = {"at": f"{SOON}T02:00:00+00:00", "late_rule": "cancel"}
    _, moved = await ask(web, "POST campaigns/Spring/schedule", later)
    assert moved["schedule"]["starts_at"] == f"{SOON}T10:00:00+08:00"
    edited = {**SPRING, "name": "Summer", "schedule": {"at": f"{SOON}T11:00"}}
    _, edited = await ask(web, "PUT campaigns/Spring", edited)
    assert (edited["name"], edited["state"], edited["window"]) == ("Summer", "scheduled", None)
    _, draft = await ask(web, "POST campaigns/Summer/unschedule")
    assert (draft["state"], draft["schedule"]["at"]) == ("draft", None)
    assert await delete(web, "campaigns/Summer") == 204
    assert await ask(web, "GET campaigns/Summer") == (404, "not_found")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"schedule": {"at": "2020-01-01T09:00"}}, "time_unfit"),
        ({"schedule": {"at": "soon"}}, "time_unfit"),
        ({"schedule": {"late_rule": "never"}}, "request_invalid"),
        ({"window": {"from": "09:00", "until": "09:00"}}, "invalid_value"),
        ({"window": {"from": "09:00"}}, "invalid_value"),
        ({"window": {"days": []}}, "invalid_value"),
        ({"window": {"from": "9", "until": "25:00"}}, "request_invalid"),
        ({"spread_minutes": -1}, "request_invalid"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_and_nothing_is_written(
    web: Web, more: dict[str, Any], code: str
) -> None:
    assert await ask(web, "POST campaigns", {**SPRING, **more}) == (422, code)
    assert await ask(web, "GET campaigns/Spring") == (404, "not_found")


async def test_a_recurrence_is_made_paused_resumed_and_deleted_over_http(
    web: Web, other_key: str
) -> None:
    campaign = {name: said for name, said in SPRING.items() if name != "name"}
    rule = {"every": "month", "weekdays": [5], "nth": -1, "at": "09:00"}
    new = {"name": "Fridays", "campaign": campaign, "rule": rule, "max_runs": 3}
    status, made = await ask(web, "POST recurrences", new)
    assert (status, made["state"], len(made["next_runs"])) == (201, "active", 3)
    assert made["sentence"] == "every last Friday of the month at 09:00 (Asia/Shanghai)"
    assert all(moment.endswith("T09:00:00+08:00") for moment in made["next_runs"])
    assert await ask(web, "POST recurrences", new) == (409, "already_exists")
    bad = {**new, "name": "Never", "rule": {"every": "week", "at": "09:00"}}
    assert await ask(web, "POST recurrences", bad) == (422, "rhythm_unfit")
    assert (await ask(web, "POST recurrences/Fridays/pause"))[1]["state"] == "paused"
    assert (await ask(web, "POST recurrences/Fridays/resume"))[1]["next_runs"] == made["next_runs"]
    assert (await ask(web, "GET recurrences"))[1]["items"] == [made]
    assert (await ask(web, "GET recurrences/Fridays/runs"))[1] == {"items": []}
    assert await ask(web, "GET recurrences/Fridays", key=other_key) == (404, "not_found")
    assert await delete(web, "recurrences/Fridays") == 204
    assert await ask(web, "GET recurrences/Fridays") == (404, "not_found")


async def test_an_edited_recurrence_runs_next_as_it_says_then(
    web: Web, stage: Stage, other_key: str
) -> None:
    await stage.template("other", "Dear ${name}, another time. 拒收请回复R")
    campaign = {name: said for name, said in SPRING.items() if name != "name"}
    rule = {"every": "week", "weekdays": [5], "at": "09:00"}
    new = {"name": "Fridays", "campaign": campaign, "rule": rule, "max_runs": 3}
    _, made = await ask(web, "POST recurrences", new)
    mondays = {"every": "week", "weekdays": [1], "at": "10:00"}
    change = {"name": "Mondays", "rule": mondays, "parts": {"template": "other"}, "max_runs": None}
    status, edited = await ask(web, "PUT recurrences/Fridays", change)
    assert (status, edited["state"]) == (200, "active")
    assert edited["sentence"] == "every Monday at 10:00 (Asia/Shanghai)"
    assert edited["campaign"] == {**made["campaign"], "template": "other"}
    assert (edited["max_runs"], len(edited["next_runs"])) == (None, 5)
    async with stage.ledger.transaction() as connection:
        due = await value(connection, "SELECT next_run_at FROM recurrence")
    assert due == datetime.fromisoformat(edited["next_runs"][0])
    await ask(web, "POST recurrences/Mondays/pause")
    _, paused = await ask(web, "PUT recurrences/Mondays", {"rule": rule, "campaign": campaign})
    assert (paused["state"], paused["next_runs"]) == ("paused", [])
    assert paused["campaign"] == made["campaign"]
    _, resumed = await ask(web, "POST recurrences/Mondays/resume")
    assert resumed["next_runs"][:3] == made["next_runs"]
    assert await ask(web, "PUT recurrences/Mondays", {}, key=other_key) == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"parts": {"template": "nothing"}}, 404, "not_found"),
        ({"rule": {"every": "week", "at": "09:00"}}, 422, "rhythm_unfit"),
        ({"ends_on": "2020-01-01"}, 422, "rhythm_unfit"),
        ({"name": "Sundays"}, 409, "already_exists"),
    ],
)
async def test_an_edit_that_does_not_fit_changes_nothing(
    web: Web, change: dict[str, Any], status: int, code: str
) -> None:
    campaign = {name: said for name, said in SPRING.items() if name != "name"}
    rule = {"every": "day", "at": "09:00"}
    for name in ("Sundays", "Fridays"):
        new = {"name": name, "campaign": campaign, "rule": rule}
        _, made = await ask(web, "POST recurrences", new)
    assert await ask(web, "PUT recurrences/Fridays", change) == (status, code)
    assert (await ask(web, "GET recurrences/Fridays"))[1] == made


async def test_the_command_line_does_the_same(web: Web) -> None:
    async def run(*arguments: str) -> Any:
        environment = {"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key}
        done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=environment)
        assert done.exit_code == 0, done.output
        # the server of this process logs to the same output
        return "\n".join(line for line in done.output.splitlines() if " [info " not in line)

    window = ["--window=08:00-21:00", "--window-days=mon,sun", "--spread=30"]
    made = json.loads(await run("campaign", "create", "Spring", *OPTIONS, *window, "--json"))
    assert made["window"] == {"from": "08:00", "until": "21:00", "days": [1, 7]}
    await run("campaign", "edit", "Spring", "--window=always", "--name=Summer")
    said = await run("campaign", "schedule", "Summer", f"--at={SOON}T09:00")
    assert said.strip() == f"“Summer” is scheduled. Starts at {SOON}T09:00:00+08:00."
    moved = await run("campaign", "edit", "Summer", f"--at={SOON}T10:00", "--yes", "--json")
    shown = json.loads(moved)
    assert (shown["window"], shown["spread_minutes"]) == (None, 30)
    assert shown["schedule"]["starts_at"] == f"{SOON}T10:00:00+08:00"
    assert "is a draft" in await run("campaign", "unschedule", "Summer")
    await run("campaign", "delete", "Summer", "--yes")
    assert json.loads(await run("campaign", "list", "--json")) == []

    rule = ["--every=month", "--nth=second", "--on=tue", "--at=09:30"]
    await run("recurrence", "create", "Tuesdays", *OPTIONS, *rule)
    assert "every second Tuesday of the month at 09:30" in await run("recurrence", "list")
    assert "is paused" in await run("recurrence", "pause", "Tuesdays")
    assert "Runs next at" in await run("recurrence", "resume", "Tuesdays")
    changed = ["--every=day", "--at=08:00", "--max-runs=2", "--numbers=latest", "--name=Daily"]
    edited = json.loads(await run("recurrence", "edit", "Tuesdays", *changed, "--json"))
    assert (len(edited["next_runs"]), edited["campaign"]["numbers"]) == (2, "latest")
    await run("recurrence", "edit", "Daily", "--name=Tuesdays", "--max-runs=0")
    shown = json.loads(await run("recurrence", "show", "Tuesdays", "--json"))
    assert (len(shown["next_runs"]), shown["last_runs"]) == (5, [])
    await run("recurrence", "delete", "Tuesdays", "--yes")
    assert json.loads(await run("recurrence", "list", "--json")) == []
