"""A campaign written by the form: what is offered, what is refused and where, what is kept."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import aiohttp
import pytest

from tests.stage import Stage, people
from textwave.accounts.operations import Founding
from textwave.accounts.store import add_workspace
from textwave.campaigns.operations import campaign
from textwave.console.session import console_secret, form_token, new_session, seal_session
from textwave.console.visit import SESSION_COOKIE
from textwave.content.store import template_named
from textwave.kit.clock import SystemClock
from textwave.kit.ids import WorkspaceId
from textwave.recurrences.operations import recurrence
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

from .conftest import Served

FILLED = {
    "name": "Spring",
    "type": "promotional",
    "platform": "sandbox",
    "signature": "Textwave",
    "template": "welcome",
    "audience": "everybody",
    "column_name": "first_name",
    "missing_name": "drop",
}


@pytest.fixture
async def stage(ledger: Ledger, warehouse: Warehouse, vault: Vault, founding: Founding) -> Stage:
    """A workspace in which a campaign can be written."""
    made = Stage(ledger, warehouse, vault, founding, "http://127.0.0.1:1", clock=SystemClock())
    await made.set(people(3))
    await made.template("short", "Back again, ${name}? 拒收请回复R")
    await made.template("waits", "Soon. 拒收请回复R", state="reviewing")
    await made.audience("staff", ["c0000001"])
    await made.audience("nobody yet", None)
    async with ledger.transaction() as connection:
        await connection.execute("""UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
    return made


async def token_of(client: aiohttp.ClientSession) -> str:
    async with client.get("/console/campaigns/-/new") as answer:
        found = re.search(r'name="token" value="([^"]+)"', await answer.text())
    assert found
    return found[1]


async def write(
    client: aiohttp.ClientSession, given: Mapping[str, str], place: str = "-/new"
) -> tuple[int, str, str]:
    """Send the form; return the status, where it led, and the page."""
    form = {"token": await token_of(client), **given}
    async with client.post(f"/console/campaigns/{place}", data=form) as answer:
        return answer.status, str(answer.url.path), await answer.text()


@pytest.mark.usefixtures("stage")
async def test_the_form_offers_what_fits_with_its_state_and_size(
    member: aiohttp.ClientSession,
) -> None:
    async with member.get("/console/campaigns/-/new?audience=everybody") as answer:
        page = await answer.text()
    assert "waits (in review)" in page
    assert page.index(">welcome<") < page.index(">waits (in review)<")
    assert "everybody (3 people, " in page
    assert "nobody yet (not computed yet)" in page


@pytest.mark.usefixtures("stage")
async def test_the_same_column_is_suggested_for_a_variable_of_its_name(
    member: aiohttp.ClientSession,
) -> None:
    given = FILLED | {"redraw": "yes", "column_name": ""}
    status, _, page = await write(member, given)
    assert status == 200
    assert 'name="column_name"' in page
    assert '<option value="first_name" selected>' in page
    assert "Dear " in page


@pytest.mark.usefixtures("stage")
async def test_a_draft_is_saved_as_it_was_filled_in(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    more = {
        "missing_name": "default",
        "default_name": "friend",
        "exclude_0": "staff",
        "control": "share",
        "control_percent": "12.5",
        "when": "at",
        "at": "2027-05-01T10:30",
        "window": "own",
        "window_from": "09:00",
        "window_until": "21:00",
        "day_6": "yes",
        "spread_minutes": "30",
        "quiet": "drop",
        "priority": "high",
        "budget_percent": "20",
    }
    status, led, _ = await write(member, FILLED | more)
    assert (status, led) == (200, "/console/campaigns/Spring")
    async with ledger.transaction(workspace_id) as connection:
        made = await campaign(connection, workspace_id, "Spring")
    assert made.state == "draft"
    assert made.variables["name"] == {
        "column": "first_name",
        "missing": "default",
        "default": "friend",
    }
    assert made.exclude == ["staff"]
    assert made.control == {"share": 0.125}
    assert made.schedule.at is not None
    assert f"{made.schedule.at:%Y-%m-%dT%H:%M}" == "2027-05-01T10:30"
    assert made.window == {"from": "09:00", "until": "21:00", "days": [6]}
    assert (made.spread_minutes, made.quiet, made.priority) == (30, "drop", "high")
    assert made.error_budget.percent == 20
    assert made.created_by == "first key"


@pytest.mark.usefixtures("stage")
async def test_variants_with_a_winner_are_written(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    several = {
        "texts": "several",
        "variant_name_0": "long",
        "variant_template_0": "welcome",
        "variant_template_1": "short",
        "winner": "hand",
        "test_percent": "20",
    }
    status, _, _ = await write(member, FILLED | several)
    assert status == 200
    async with ledger.transaction(workspace_id) as connection:
        made = await campaign(connection, workspace_id, "Spring")
    assert [(one["name"], one["template"]) for one in made.variants] == [
        ("long", "welcome"),
        ("B", "short"),
    ]
    assert made.winner is not None
    assert (made.winner["by"], made.winner["test_share"]) == ("hand", 0.2)


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize(
    ("wrong", "beside", "says"),
    [
        ({"name": " "}, "name-problem", "1-100"),
        ({"template": ""}, "template-problem", "choose one"),
        ({"column_name": ""}, "variables-problem", "has no column"),
        ({"control": "share", "control_percent": "many"}, "control-problem", "no percentage"),
        ({"when": "at", "at": "2001-01-01T10:00"}, "at-problem", "is past"),
        ({"window": "own", "window_from": "25:00"}, "window-problem", "no time of day"),
        ({"exclude_0": "hidden"}, "exclude-problem", "no audience"),
        ({"budget_percent": "200"}, "budget-problem", "1 to 100"),
        ({"spread_minutes": "-5"}, "spread_minutes-problem", "no whole number"),
        ({"priority": "urgent"}, "priority-problem", "none of"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_the_input_stays(
    member: aiohttp.ClientSession, wrong: dict[str, str], beside: str, says: str
) -> None:
    status, _, page = await write(member, FILLED | {"name": "Kept as typed"} | wrong)
    assert status == 409
    found = re.search(f'id="{beside}">([^<]+)<', page)
    assert found, beside
    assert says in found[1]
    if "name" not in wrong:
        assert 'value="Kept as typed"' in page


@pytest.mark.usefixtures("stage")
async def test_a_name_that_is_taken_is_refused(member: aiohttp.ClientSession) -> None:
    await write(member, FILLED)
    status, _, page = await write(member, FILLED)
    assert status == 409
    assert "exists already" in page


async def test_a_draft_is_edited_with_what_it_said(
    member: aiohttp.ClientSession, stage: Stage, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await stage.campaign("Spring / 春")
    place = quote("Spring / 春", safe="")
    async with member.get(f"/console/campaigns/{place}/edit") as answer:
        page = await answer.text()
    assert 'value="Spring / 春"' in page
    assert '<option value="first_name" selected>' in page
    status, led, _ = await write(member, FILLED | {"name": "Summer"}, f"{place}/edit")
    assert (status, led) == (200, "/console/campaigns/Summer")
    async with ledger.transaction(workspace_id) as connection:
        assert (await campaign(connection, workspace_id, "Summer")).state == "draft"


@pytest.mark.usefixtures("stage")
async def test_a_form_without_the_token_writes_nothing(member: aiohttp.ClientSession) -> None:
    async with member.post("/console/campaigns/-/new", data=FILLED) as answer:
        assert answer.status == 403
    async with member.get("/console/campaigns/Spring") as answer:
        assert answer.status == 404


async def send(
    client: aiohttp.ClientSession, place: str, form: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Send a form of a campaign; return the status and the page."""
    whole = {"token": await token_of(client), **(form or {})}
    async with client.post(f"/console/campaigns/{place}", data=whole) as answer:
        return answer.status, await answer.text()


async def test_a_refused_test_send_keeps_what_was_typed(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.campaign()
    status, page = await send(member, "Spring/test-send", {"mobiles": "15499990001"})
    assert status == 409
    assert "needs a value for “name”" in page
    assert ">15499990001</textarea>" in page
    status, page = await send(member, "Spring/test-send", {"mobiles": "call me"})
    assert (status, "“call me” is no number" in page) == (409, True)


async def test_a_start_that_is_refused_says_why_on_the_page_that_asked(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.campaign()
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE template SET state = 'draft' WHERE name = 'welcome'")
    async with member.get("/console/campaigns/Spring/start") as answer:
        assert "There was no dry run" in await answer.text()
    status, page = await send(member, "Spring/start")
    assert status == 409
    assert "Submit it for review first" in page


async def test_a_copy_and_a_rhythm_are_made_of_a_draft(
    member: aiohttp.ClientSession, stage: Stage, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await stage.campaign()
    status, page = await send(member, "Spring/copy", {"name": "Spring"})
    assert (status, "exists already" in page) == (409, True)
    await send(member, "Spring/copy", {"name": "Spring 2"})
    rhythm = {"name": "Mondays", "every": "week", "at": "10:00", "day_1": "yes"}
    status, page = await send(member, "Spring/recur", rhythm | {"at": "soon"})
    assert (status, "write a time of day" in page, 'value="Mondays"' in page) == (409, True, True)
    await send(member, "Spring/recur", rhythm)
    async with ledger.transaction(workspace_id) as connection:
        assert (await campaign(connection, workspace_id, "Spring 2")).copied_from == "Spring"
        made = await recurrence(connection, workspace_id, "Mondays", now=SystemClock().now())
    assert made.recurrence.state == "active"
    assert made.draft.template == "welcome"


async def test_only_campaigns_of_the_chosen_state_are_listed(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await stage.campaign()
    for state, shown in (("draft", True), ("completed", False), ("", True), ("none", True)):
        async with member.get(f"/console/campaigns?state={state}") as answer:
            assert (">Spring</a>" in await answer.text()) is shown, state


PLACES = ("edit", "start", "delete", "copy", "retry", "recur", "winner", "test-sends", "live")
ACTS = ("edit", "dry-run", "test-send", "start", "unschedule", "delete", "copy", "retry", "recur")


async def test_another_workspace_reaches_nothing_of_a_campaign(
    visitor: aiohttp.ClientSession, served: Served, stage: Stage, founding: Founding
) -> None:
    await stage.campaign()
    async with stage.ledger.transaction() as connection:
        other = await add_workspace(
            connection,
            organization_id=founding.organization_id,
            name="other",
            time_zone="UTC",
            default_region="CN",
        )
    session = new_session(other, datetime.now(UTC))
    secret = console_secret(served.vault.key)
    visitor.cookie_jar.update_cookies({SESSION_COOKIE: seal_session(secret, session)})
    for place in PLACES:
        async with visitor.get(f"/console/campaigns/Spring/{place}") as answer:
            assert answer.status == 404, place
    form = {**FILLED, "token": form_token(secret, session), "mobiles": "15499990001"}
    for act in (*ACTS, "winner"):
        async with visitor.post(f"/console/campaigns/Spring/{act}", data=form) as answer:
            assert answer.status in (404, 409), act
            assert "first_name" not in await answer.text(), act
    async with visitor.get("/console/campaigns/-/new?audience=everybody") as answer:
        page = await answer.text()
    assert "welcome" not in page
    assert "everybody (" not in page
    async with stage.ledger.transaction(founding.workspace_id) as connection:
        found = await campaign(connection, founding.workspace_id, "Spring")
    assert found.state == "draft"


OWN = FILLED | {"texts": "own", "content": "Dear ${name},\r\nspring is here. 拒收请回复R"}


@pytest.mark.usefixtures("stage")
async def test_a_text_of_its_own_starts_with_the_templates_words(
    member: aiohttp.ClientSession,
) -> None:
    status, _, page = await write(member, FILLED | {"texts": "own", "redraw": "yes"})
    assert status == 200
    area = re.search(r'<textarea[^>]*name="content"[^>]*>([^<]*)</textarea>', page)
    assert area
    assert area[1].startswith("Dear ${name}, see you soon.")


async def test_a_text_of_its_own_becomes_a_template_and_is_shown_again_when_edited(
    stage: Stage, member: aiohttp.ClientSession
) -> None:
    status, where, _ = await write(member, OWN)
    assert (status, where) == (200, "/console/campaigns/Spring")
    async with stage.ledger.transaction() as connection:
        made = await campaign(connection, stage.founding.workspace_id, "Spring")
        kept = await template_named(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )
    assert (made.template, made.own_text) == ("Spring", True)
    assert kept.content == "Dear ${name},\nspring is here. 拒收请回复R"
    async with member.get("/console/campaigns/Spring/edit") as answer:
        page = await answer.text()
    assert "spring is here." in page
    assert '<option value="own" selected>' in page


@pytest.mark.usefixtures("stage")
async def test_starting_it_says_that_its_text_is_handed_to_review(
    member: aiohttp.ClientSession,
) -> None:
    await write(member, OWN)
    async with member.get("/console/campaigns/Spring/start") as answer:
        assert "Its text is handed to review" in await answer.text()


@pytest.mark.usefixtures("stage")
async def test_what_is_wrong_with_a_text_of_its_own_stands_beside_it(
    member: aiohttp.ClientSession,
) -> None:
    timed = OWN | {"when": "at", "at": "2099-12-01T09:00"}
    status, _, page = await write(member, timed)
    assert status == 409
    assert re.search(r'id="content-problem">“Spring” has a time', page)
    assert "spring is here." in page


async def test_starting_says_when_the_draft_was_edited_after_its_dry_run(
    stage: Stage, member: aiohttp.ClientSession
) -> None:
    await write(member, FILLED)
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            """INSERT INTO operation (workspace_id, kind, state, request, result, finished_at)
               SELECT workspace_id, 'campaigns.dry_run', 'succeeded',
                   jsonb_build_object('campaign_id', id),
                   '{"messages": 3, "audience": 3, "parts": 3, "price_milli": 135, "currency":
                     "CNY"}', now()
               FROM campaign"""
        )
    async with member.get("/console/campaigns/Spring/start") as answer:
        assert "changed, or its audience refreshed" not in await answer.text()
    await write(member, FILLED | {"numbers": "all"}, "Spring/edit")
    async with member.get("/console/campaigns/Spring/start") as answer:
        assert "changed, or its audience refreshed" in await answer.text()
