"""Digital campaigns in the browser: the form, whom it reaches, and the text for the others."""

import re
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.campaigns.test_digital import PEOPLE, RANGES
from tests.stage import Stage
from textwave.campaigns.operations import campaign
from textwave.campaigns.planning import run_plan
from textwave.storage.warehouse import Warehouse

from .audience_shop import Jobs
from .conftest import Served
from .material_shelf import page_of, send

FILLED = {
    "name": "Spring",
    "type": "digital",
    "platform": "sandbox",
    "signature": "Textwave",
    "template": "welcome",
    "audience": "everybody",
    "column_name": "first_name",
    "missing_name": "drop",
}
TEXT = FILLED | {"name": "Spring, text", "type": "promotional", "template": "plain"}


@pytest.fixture
async def stage(stage: Stage, served: Served) -> Stage:
    """A workspace whose digital template one of three carriers has approved; beside it a text."""
    await stage.set(PEOPLE, message_type="digital", content="Hello ${name}")
    await stage.template("plain", "Hello ${name}")
    await stage.template("waits", "Soon.", state="reviewing")
    key = [stage.ids["template"], served.workspace_id]
    carrier: Any = """INSERT INTO digital_carrier
        (template_id, workspace_id, carrier, state, changed_at) VALUES (%s, %s, %s, %s, now())"""
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET kind = 'aliyun'")
        await connection.execute(
            "UPDATE template SET signature = 'Textwave' WHERE id = %s", key[:1]
        )
        await connection.execute("""UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
        await connection.execute(
            "INSERT INTO digital_template (template_id, workspace_id, subject)"
            " VALUES (%s, %s, 'New goods')",
            key,
        )
        for name, state in (("mobile", "approved"), ("unicom", "reviewing")):
            await connection.execute(carrier, [*key, name, state])
    return stage


async def plan(stage: Stage, warehouse: Warehouse) -> None:
    """Start the campaign and plan it with the ranges of the tests."""
    await stage.start()
    async with stage.ledger.transaction() as connection:
        found = await campaign(connection, stage.founding.workspace_id, "Spring")
    await run_plan(
        ledger=stage.ledger,
        warehouse=warehouse,
        vault=stage.vault,
        clock=stage.clock,
        batch_size=100,
        workspace_id=stage.founding.workspace_id,
        campaign_id=found.id,
        ranges=RANGES,
    )


@pytest.mark.usefixtures("stage")
async def test_the_form_says_which_carriers_a_digital_template_reaches(
    member: aiohttp.ClientSession,
) -> None:
    given = FILLED | {"redraw": "yes", "texts": "own"}
    _, _, page = await send(member, "campaigns/-/new", given)
    assert "China Mobile: approved" in page
    assert "China Unicom: in review" in page
    assert "Carriers are told by number ranges" in page
    assert "New goods" in page
    assert "a text of this campaign" not in page
    assert ">plain<" not in page


@pytest.mark.usefixtures("stage")
async def test_a_digital_campaign_is_written(member: aiohttp.ClientSession, stage: Stage) -> None:
    status, where, _ = await send(member, "campaigns/-/new", FILLED)
    assert (status, where) == (200, "/console/campaigns/Spring")
    async with stage.ledger.transaction() as connection:
        made = await campaign(connection, stage.founding.workspace_id, "Spring")
    assert (made.type, made.template) == ("digital", "welcome")


async def test_the_dropped_are_sent_a_text_in_one_step(
    member: aiohttp.ClientSession, stage: Stage, warehouse: Warehouse, do_jobs: Jobs
) -> None:
    await stage.campaign(message_type="digital")
    await plan(stage, warehouse)
    board = await page_of(member, "campaigns/Spring")
    assert "6 were dropped because their carrier has not approved" in board
    asks = await page_of(member, "campaigns/Spring/text-from-dropped")
    assert 'value="Spring, text"' in asks
    assert ">welcome<" not in asks
    status, _, page = await send(member, "campaigns/Spring/text-from-dropped", TEXT)
    assert status == 200
    operation = re.search("/console/operations/[0-9]+", page)
    assert operation
    await do_jobs()
    done = await page_of(member, operation[0].removeprefix("/console/"))
    assert quote("Spring, text") in done
    async with stage.ledger.transaction() as connection:
        made = await campaign(connection, stage.founding.workspace_id, "Spring, text")
    assert (made.type, made.template, made.state) == ("promotional", "plain", "draft")
    assert made.variables == {"name": {"column": "first_name", "missing": "drop"}}


async def test_what_is_wrong_with_the_text_is_said_and_what_was_chosen_stays(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.campaign(message_type="digital")
    place = "campaigns/Spring/text-from-dropped"
    status, _, page = await send(member, place, TEXT | {"name": "Spring"})
    assert status == 409
    assert "alert-danger" in page
    assert '<option value="plain" selected>' in page
    status, _, page = await send(member, place, TEXT | {"template": "", "redraw": "yes"})
    assert status == 200
    assert "waits (in review)" in page


async def test_a_text_campaign_offers_no_text_for_the_dropped(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.campaign(message_type="digital")
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET type = 'promotional'")
        await connection.execute("UPDATE template SET type = 'promotional'")
    assert "text-from-dropped" not in await page_of(member, "campaigns/Spring")
    status, _, page = await send(member, "campaigns/Spring/text-from-dropped", TEXT)
    assert status == 409
    assert "is no digital campaign" in page
