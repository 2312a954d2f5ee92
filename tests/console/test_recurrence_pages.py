"""Recurring campaigns in the console: next times, runs with reasons, paused, resumed, deleted."""

import json
from datetime import UTC, datetime, time, timedelta

import aiohttp
import pytest

from tests.stage import LINKS_URL, Stage, people
from textwave.accounts.operations import Founding
from textwave.campaigns.draft import CampaignDraft
from textwave.console.rhythm_words import rhythm_in_words
from textwave.recurrences.operations import NewRecurrence, create_recurrence
from textwave.recurrences.recurrence import LAST, Every, Rhythm
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, send, text_of

HOME = "/console/recurrences"
BIRTHDAYS = f"{HOME}/Birth%2Fdays"


@pytest.fixture
async def birthdays(stage: Stage, ledger: Ledger) -> None:
    """A campaign that recurs every morning and was skipped once."""
    await stage.set(people(1))
    rule = json.dumps({"kind": "attribute", "column": "customer_id", "operator": "not_empty"})
    source = {"name": {"column": "first_name"}}
    draft = CampaignDraft(
        "any", "promotional", "sandbox", "Textwave", "welcome", "everybody", source
    )
    new = NewRecurrence("Birth/days", draft, Rhythm(Every.DAY, time(9)))
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        await execute(connection, "UPDATE audience SET rule = %(rule)s::jsonb", {"rule": rule})
        await create_recurrence(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="Ann",
            new=new,
            links_url=LINKS_URL,
            now=datetime.now(UTC),
        )
        due = datetime.now(UTC) - timedelta(days=1)
        await execute(
            connection,
            """INSERT INTO recurrence_run
                   (recurrence_id, workspace_id, due_at, begins_at, state, reason)
               SELECT id, workspace_id, %(due)s, %(due)s, 'skipped', 'Nobody is in the audience.'
               FROM recurrence""",
            {"due": due},
        )


@pytest.mark.usefixtures("birthdays")
async def test_a_recurrence_shows_its_times_and_why_a_run_was_skipped(
    member: aiohttp.ClientSession,
) -> None:
    assert "every day at 09:00" in await text_of(member, HOME)
    page = await text_of(member, BIRTHDAYS)
    for said in ("Next runs", " 09:00:00", "Skipped", "Nobody is in the audience.", "everybody"):
        assert said in page


@pytest.mark.usefixtures("birthdays")
async def test_a_recurrence_is_paused_resumed_and_deleted_after_a_question(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    _, _, page = await send(member, BIRTHDAYS, f"{BIRTHDAYS}/pause")
    assert "None while it is paused" in page
    _, _, page = await send(member, BIRTHDAYS, f"{BIRTHDAYS}/resume")
    assert "Next runs" in page
    assert "stay, also those" in await text_of(member, f"{BIRTHDAYS}/delete")
    _, place, page = await send(member, f"{BIRTHDAYS}/delete")
    assert (place, "No campaign recurs yet" in page) == (HOME, True)
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM recurrence") == 0


@pytest.mark.usefixtures("birthdays")
async def test_an_ended_recurrence_refuses_to_go_on(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE recurrence SET state = 'ended', next_run_at = NULL", {})
    status, _, page = await send(member, f"{BIRTHDAYS}/delete", f"{BIRTHDAYS}/resume")
    assert (status, 'role="alert"' in page) == (409, True)


@pytest.mark.usefixtures("birthdays")
async def test_another_workspace_reaches_no_recurrence(
    member: aiohttp.ClientSession, ledger: Ledger, vault: Vault, founding: Founding
) -> None:
    await become_stranger(member, ledger, vault, founding)
    assert "Birth/days" not in await text_of(member, HOME)
    for place in ("", "/delete"):
        await text_of(member, f"{BIRTHDAYS}{place}", 404)
    for move in ("pause", "resume", "delete"):
        status, _, _ = await send(member, "/console/limits", f"{BIRTHDAYS}/{move}")
        assert status == 404, move


@pytest.mark.parametrize(
    ("rhythm", "english", "chinese"),
    [
        (Rhythm(Every.WEEK, time(10), (1, 4)), "every week on Monday, Thursday", "周一、周四"),
        (Rhythm(Every.MONTH, time(10), day=31), "on the last day of each month", "最后一天"),
        (Rhythm(Every.MONTH, time(10), (5,), nth=LAST), "on the last Friday", "最后一个周五"),
        (Rhythm(Every.MONTH, time(10), day=15), "on day 15 of each month at 10:00", "15"),
    ],
)
def test_a_rhythm_is_a_sentence_in_both_languages(
    rhythm: Rhythm, english: str, chinese: str
) -> None:
    assert english in rhythm_in_words(rhythm, "en")
    assert chinese in rhythm_in_words(rhythm, "zh_CN")
