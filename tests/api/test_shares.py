"""Variants, control groups and winners over HTTP and from the command line."""

import asyncio
import json
from typing import Any

from typer.testing import CliRunner

from tests.api.conftest import Web
from tests.stage import Stage, people
from textwave.cli.main import app

TEXT = "Dear ${name}: http://127.0.0.1:8001/abc123/${sp_link} 拒收请回复R"
CAMPAIGN: dict[str, Any] = {
    "name": "Spring",
    "type": "promotional",
    "platform": "sandbox",
    "signature": "Textwave",
    "audience": "everybody",
    "variables": {"name": {"column": "first_name"}},
}
VARIANTS = [{"name": "A", "template": "welcome"}, {"name": "B", "template": "short"}]


async def set_stage(stage: Stage) -> None:
    await stage.set(people(40), content="Dear ${name}, see you soon. 拒收请回复R")
    await stage.template("short", "${name}, see you. 拒收请回复R")
    await stage.audience("vip", ["c0000001"])


async def command(web: Web, *arguments: str) -> tuple[int, str]:
    environment = {"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key}
    run = CliRunner().invoke
    answer = await asyncio.to_thread(run, app, list(arguments), env=environment)
    return answer.exit_code, answer.output + str(answer.exception or "")


def shown(said: str) -> dict[str, Any]:
    """Return the JSON that a command printed, among what the server logged meanwhile."""
    found: dict[str, Any] = json.JSONDecoder().raw_decode(said, said.index("{\n"))[0]
    return found


async def test_a_campaign_shows_whom_it_leaves_out_and_which_texts_it_has(
    web: Web, stage: Stage
) -> None:
    await set_stage(stage)
    shares = {
        "exclude": ["vip"],
        "control": {"share": 0.1},
        "variants": VARIANTS,
        "winner": {"test_share": 0.2, "by": "hand"},
        "seed": 7,
    }
    status, made = await web.ask("POST", "/api/campaigns", json=CAMPAIGN | shares)
    assert (status, made["template"], made["seed"], made["exclude"]) == (201, "welcome", 7, ["vip"])
    assert made["control"] == {"share": 0.1, "size": None}
    assert made["variants"] == [
        {"name": "A", "template": "welcome", "share": 0.5},
        {"name": "B", "template": "short", "share": 0.5},
    ]
    assert (made["winner"]["test_share"], made["winner"]["chosen"]) == (0.2, None)
    status, problem = await web.ask("POST", "/api/campaigns/Spring/winner", json={"variant": "A"})
    assert (status, problem["code"]) == (409, "no_winner_open")


async def test_shares_that_do_not_fit_are_refused(web: Web, stage: Stage) -> None:
    await set_stage(stage)
    shares = [{**one, "share": 0.6} for one in VARIANTS]
    body = CAMPAIGN | {"variants": shares}
    status, problem = await web.ask("POST", "/api/campaigns", json=body)
    assert (status, problem["code"]) == (422, "shares_do_not_add_up")
    body = CAMPAIGN | {"variants": VARIANTS, "winner": {"test_share": 0.2, "by": "clicks"}}
    status, problem = await web.ask("POST", "/api/campaigns", json=body)
    assert (status, problem["code"]) == (422, "clicks_not_counted")
    status, problem = await web.ask("POST", "/api/campaigns", json=CAMPAIGN)
    assert (status, problem["code"]) == (422, "invalid_value")


async def test_the_winner_is_chosen_from_the_command_line(web: Web, stage: Stage) -> None:
    await set_stage(stage)
    status, said = await command(
        web, "campaign", "create", "Spring", "--platform", "sandbox", "--signature", "Textwave",
        "--audience", "everybody", "--variable", "name=first_name", "--exclude", "vip",
        "--control", "5", "--variant", "A=welcome:30%", "--variant", "B=short:70%",
        "--test-share", "50%", "--winner-by", "hand", "--json",
    )  # fmt: skip
    assert status == 0, said
    made = shown(said)
    assert (made["control"]["size"], made["winner"]["test_share"]) == (5, 0.5)
    assert [one["share"] for one in made["variants"]] == [0.3, 0.7]
    await stage.start()
    await stage.plan(made["id"])
    status, said = await command(web, "campaign", "winner", "Spring", "B")
    assert (status, "“B” goes to the rest: chosen by" in said) == (0, True)
    status, said = await command(web, "campaign", "report", "Spring", "--json")
    report = shown(said)
    assert [one["name"] for one in report["variants"]] == ["A", "B", "rest"]
    assert (report["control_group"], report["drops"]["excluded"]) == (5, 1)
    assert (await command(web, "campaign", "report", "Spring"))[0] == 0
