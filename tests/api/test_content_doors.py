"""Signatures and templates over HTTP and from the command line."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aliyun_stage import KEY_ID, KEY_SECRET, SIGNATURE, AliyunStage, aliyun_stage
from tests.api.conftest import Web
from tests.api.test_limits import command
from tests.stage import Person, Stage

TEXT = "${name}，会员日八折 拒收请回复R"
PAPERS = {"source": "enterprise", "qualification_id": 4711}


@pytest.fixture
async def stand_in() -> AsyncIterator[AliyunStage]:
    async with aliyun_stage(review_seconds=3600.0) as stage:
        yield stage


@pytest.fixture
async def ali(web: Web, stand_in: AliyunStage) -> Web:
    """A web server whose workspace has an account at the stand-in."""
    body = {
        "name": "ali", "kind": "aliyun", "base_url": stand_in.url, "key": KEY_SECRET,
        "key_id": KEY_ID, "opt_out_text": "拒收请回复R", "price_milli": 45,
        "capabilities": ["variables", "short_links", "click_tokens", "opt_out_text"],
    }  # fmt: skip
    status, made = await web.ask("POST", "/api/platforms", json=body)
    assert status == 201, made
    return web


async def told(web: Web, *arguments: str) -> Any:
    """Return the JSON that a command printed."""
    status, output = await command(web, *arguments, "--json")
    assert status == 0, output
    # What the server logged meanwhile stands around it.
    begin = re.search(r"^[\[{]", output, re.MULTILINE)
    assert begin is not None, output
    return json.JSONDecoder().raw_decode(output, begin.start())[0]


async def test_a_signature_is_created_shown_and_deleted(ali: Web, stand_in: AliyunStage) -> None:
    made = await told(
        ali, "signature", "create", "云裳服饰", "--platform", "ali", "--qualification", "4711",
        "--remark", "for members",
    )  # fmt: skip
    assert (made["state"], made["papers"]["qualification_id"]) == ("reviewing", 4711)
    assert "云裳服饰" not in stand_in.stand_in.shelf.signatures
    path = "/api/signatures/云裳服饰"
    status, problem = await ali.ask(
        "PUT", f"{path}/papers", json={"platform": "ali", "papers": PAPERS}
    )
    assert (status, problem["code"]) == (409, "move_not_allowed")
    status, problem = await ali.ask("DELETE", f"{path}?platform=ali&at_platform=true")
    assert (status, problem["code"]) == (409, "signature_under_review")
    assert (await told(ali, "signature", "show", "云裳服饰", "--platform", "ali")) == made
    delete = ("signature", "delete", "云裳服饰", "--platform", "ali", "--yes")
    assert (await command(ali, *delete))[0] == 0
    assert await told(ali, "signature", "list") == []


async def test_an_existing_signature_shows_where_carriers_have_it(ali: Web) -> None:
    status, added = await ali.ask(
        "POST", "/api/signatures", json={"platform": "ali", "name": SIGNATURE}
    )
    assert (status, added["state"], added["verified"]) == (201, "approved", True)
    assert {one["carrier"]: one["state"] for one in added["carriers"]} == {
        "mobile": "approved",
        "unicom": "approved",
        "telecom": "approved",
    }
    assert added["warnings"] == []


async def test_a_template_is_written_checked_copied_versioned_and_deleted(ali: Web) -> None:
    await ali.ask("POST", "/api/signatures", json={"platform": "ali", "name": SIGNATURE})
    status, output = await command(
        ali, "template", "check", "【湖畔】${a}${b}", "--platform", "ali"
    )
    assert status == 1
    assert "error at 0: 【】 are for the signature alone" in output
    await told(ali, "template", "create", "spring", "--platform", "ali", "--content", TEXT)
    softer = "${name}，会员日 拒收请回复R"
    edited = await told(ali, "template", "edit", "spring", "--content", softer)
    assert edited["template"]["content"] == softer
    copied = await told(ali, "template", "copy", "spring", "summer")
    assert (copied["template"]["state"], copied["template"]["content"]) == ("draft", softer)
    await told(ali, "template", "submit", "spring")
    (version,) = await told(ali, "template", "versions", "spring")
    assert (version["number"], version["content"], version["decision"]) == (1, softer, None)
    assert (await command(ali, "template", "delete", "spring", "--yes"))[0] == 0
    assert [one["name"] for one in await told(ali, "template", "list")] == ["summer"]


async def test_a_text_is_counted_as_its_platform_does(ali: Web) -> None:
    counted = await told(
        ali, "count", "${name}，会员日八折", "--platform", "ali", "--type", "promotional",
        "--signature", "湖畔", "--value", "name=王小明",
    )  # fmt: skip
    assert counted["text"].endswith("拒收请回复R")
    assert (counted["units"], counted["parts"], counted["price_milli"]) == (19, 1, 45)
    assert (counted["worst"]["units"], counted["average"]) == (51, None)


async def test_a_preview_begins_and_bad_ones_are_refused(web: Web, stage: Stage) -> None:
    await stage.set([Person("a", 1)])
    async with stage.ledger.transaction() as connection:
        rule = {"kind": "attribute", "column": "level", "operator": "not_empty"}
        await connection.execute("UPDATE audience SET rule = %s::jsonb", [json.dumps(rule)])
    variables = {"name": {"column": "first_name"}}
    body = {"audience": "everybody", "customers": ["a"], "variables": variables}
    status, begun = await web.ask("POST", "/api/templates/welcome/preview", json=body)
    assert (status, begun["kind"], begun["state"]) == (202, "previews.preview", "queued")
    status, problem = await web.ask(
        "POST", "/api/templates/welcome/preview", json=body | {"variables": {}}
    )
    assert (status, problem["code"]) == (422, "variable_without_source")
    status, problem = await web.ask(
        "POST", "/api/templates/welcome/preview", json=body | {"audience": "nobody"}
    )
    assert (status, problem["code"]) == (404, "not_found")
