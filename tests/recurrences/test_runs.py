"""Recurring campaigns: each time one campaign, with a fresh audience, or a notice why not."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.stage import LINKS_URL, Stage, people
from textwave.audiences.life_operations import AudienceInUse, archive_audience
from textwave.audiences.visibility import SEES_ALL
from textwave.campaigns.draft import CampaignDraft, NotReadyToStart
from textwave.campaigns.store import campaigns
from textwave.campaigns.timing import LateRule, Timing, Window
from textwave.kit.clock import FixedClock
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.recurrences import operations as recurrences
from textwave.recurrences.operations import (
    NewRecurrence,
    RecurrenceEnded,
    ShownRecurrence,
    read_draft,
    write_draft,
)
from textwave.recurrences.recurrence import Every, Rhythm, RhythmUnfit
from textwave.recurrences.run_operations import Runner, plan_due_runs, run_recurrence
from textwave.recurrences.store import Run
from textwave.storage.ledger import Ledger, value

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 12, 1, 12, tzinfo=SHANGHAI).astimezone(UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
NINE = NOON + 21 * HOUR  # of the following day
EVERYBODY = {"kind": "attribute", "column": "customer_id", "operator": "not_empty"}
BROKEN = {"kind": "attribute", "column": "shoe_size", "operator": "not_empty"}
DRAFT = CampaignDraft(
    "any",
    "promotional",
    "sandbox",
    "Textwave",
    "welcome",
    "everybody",
    {"name": {"column": "first_name"}},
)
BIRTHDAYS = NewRecurrence("Birthdays", DRAFT, Rhythm(Every.DAY, time(9)))


@pytest.fixture
async def now(stage: Stage) -> FixedClock:
    """Noon in the workspace; the audience of the stage can be refreshed."""
    clock = FixedClock(NOON)
    stage.clock = clock
    await stage.set(people(3))
    await ask(stage, "UPDATE audience SET rule = %(rule)s::jsonb", rule=json.dumps(EVERYBODY))
    return clock


async def ask(stage: Stage, statement: Any, **parameters: Any) -> Any:
    async with stage.ledger.transaction() as connection:
        cursor = await connection.execute(statement, parameters)
        row = await cursor.fetchone() if cursor.description else None
        return row and row[0]


async def make(stage: Stage, ledger: Ledger, new: NewRecurrence = BIRTHDAYS) -> ShownRecurrence:
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        return await recurrences.create_recurrence(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="Ann",
            new=new,
            links_url=LINKS_URL,
            now=stage.clock.now(),
        )


async def do(stage: Stage, ledger: Ledger, operation: Any, **more: Any) -> Any:
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        return await operation(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="Ann",
            name="Birthdays",
            **more,
        )


async def runs(stage: Stage, name: str = "Birthdays") -> list[Run]:
    async with stage.ledger.transaction() as connection:
        return await recurrences.runs(connection, stage.founding.workspace_id, name)


async def work(stage: Stage) -> None:
    """Do what the worker does at this time: write the times down, and their jobs."""
    await plan_due_runs(stage.ledger, now=stage.clock.now())
    for run in await runs(stage):
        if run.state in ("planned", "refreshing"):
            await run_once(stage, run.due_at)


async def run_once(stage: Stage, due_at: datetime) -> None:
    runner = Runner(stage.ledger, stage.warehouse, stage.clock, LINKS_URL)
    recurrence_id = await ask(stage, "SELECT id FROM recurrence")
    await run_recurrence(
        runner,
        workspace_id=stage.founding.workspace_id,
        recurrence_id=recurrence_id,
        due_at=due_at.isoformat(),
    )


async def made(stage: Stage) -> dict[str, str]:
    """Return the campaigns by name, with their states."""
    async with stage.ledger.transaction() as connection:
        found = await campaigns(connection, stage.founding.workspace_id)
    return {one.name: one.state for one in found}


async def test_each_time_a_campaign_is_made_from_a_fresh_audience_and_started(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    shown = await make(stage, web_ledger)
    assert shown.sentence == "every day at 09:00 (Asia/Shanghai)"
    assert [str(run) for run in shown.next_runs[:2]] == [
        "2026-12-02 09:00:00+08:00",
        "2026-12-03 09:00:00+08:00",
    ]
    await work(stage)
    assert await made(stage) == {}
    for _ in range(2):
        now.set(NINE if now.now() == NOON else now.now() + DAY)
        await work(stage)
    assert await made(stage) == {
        "Birthdays 2026-12-02": "planning",
        "Birthdays 2026-12-03": "planning",
    }
    assert await ask(stage, "SELECT count(*) FROM snapshot") == 3
    statement = "SELECT count(*) FROM campaign WHERE recurrence_id IS NOT NULL"
    assert await ask(stage, statement) == 2


async def test_a_run_that_is_done_again_at_any_point_makes_one_campaign(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    now.set(NINE)
    await asyncio.gather(*(plan_due_runs(stage.ledger, now=now.now()) for _ in range(3)))
    assert len(await runs(stage)) == 1
    await asyncio.gather(*(run_once(stage, NINE) for _ in range(3)))
    await run_once(stage, NINE)
    assert list(await made(stage)) == ["Birthdays 2026-12-02"]


async def test_a_run_whose_worker_died_while_it_refreshed_is_given_to_another(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    now.set(NINE)
    await plan_due_runs(stage.ledger, now=now.now())
    await ask(stage, "UPDATE recurrence_run SET state = 'refreshing'")
    await ask(stage, "DELETE FROM procrastinate_jobs")
    now.advance(61 * SECOND)
    await plan_due_runs(stage.ledger, now=now.now())
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'campaigns.run_recurrence'"
    assert await ask(stage, jobs) == 1
    await work(stage)
    [run] = await runs(stage)
    assert (run.state, run.campaign, run.campaign_state) == (
        "started",
        "Birthdays 2026-12-02",
        "planning",
    )


async def test_when_the_refresh_fails_the_run_is_skipped_with_the_reason(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    await ask(stage, "UPDATE audience SET rule = %(rule)s::jsonb", rule=json.dumps(BROKEN))
    now.set(NINE)
    await work(stage)
    [run] = await runs(stage)
    assert run.state == "skipped"
    assert "The audience could not be refreshed" in run.reason
    assert "shoe_size" in run.reason
    assert await made(stage) == {}


async def test_a_run_in_unexpected_trouble_is_tried_again_and_given_up_after_ten_minutes(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    await ask(stage, "UPDATE recurrence SET draft = '{}'")  # of a later version, say
    now.set(NINE)
    with pytest.raises(ValueError, match="CampaignDraft"):
        await work(stage)
    assert (await runs(stage))[0].state == "planned"
    now.advance(timedelta(minutes=10))
    await work(stage)
    [run] = await runs(stage)
    assert (run.state, "the worker's log" in run.reason) == ("skipped", True)


async def test_a_day_without_anybody_is_skipped_and_leaves_no_campaign(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    nobody = {**EVERYBODY, "operator": "empty"}
    await ask(stage, "UPDATE audience SET rule = %(rule)s::jsonb", rule=json.dumps(nobody))
    now.set(NINE)
    await work(stage)
    [run] = await runs(stage)
    assert (run.state, run.campaign) == ("skipped", None)
    assert "nobody would get a message" in run.reason
    assert await made(stage) == {}


async def test_of_times_missed_in_an_outage_the_last_one_is_late_by_rule_and_the_others_are_skipped(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger, replace(BIRTHDAYS, draft=with_timing(late_rule=LateRule.GO)))
    now.set(NINE + 2 * DAY + 3 * HOUR)
    await work(stage)
    last, *others = await runs(stage)
    assert (last.state, last.campaign) == ("started", "Birthdays 2026-12-04")
    assert "3 h late; it went on all the same" in last.reason
    assert [run.state for run in others] == ["skipped", "skipped"]
    assert "the next one was due already" in others[0].reason


def with_timing(**timing: Any) -> CampaignDraft:
    return replace(DRAFT, timing=Timing(**timing))


@pytest.mark.parametrize(
    ("draft", "state", "reason"),
    [
        (with_timing(late_rule=LateRule.CANCEL), "skipped", "3 h late; it is cancelled"),
        (with_timing(window=Window(time(18), time(21))), "planned", "2026-12-02 18:00"),
        # without a window it would wait for the next day, when the next run is
        (with_timing(), "skipped", "The next run is due before that"),
    ],
)
async def test_a_late_run_does_what_the_campaign_s_rule_says(
    stage: Stage,
    now: FixedClock,
    web_ledger: Ledger,
    draft: CampaignDraft,
    state: str,
    reason: str,
) -> None:
    await make(stage, web_ledger, replace(BIRTHDAYS, draft=draft))
    now.set(NINE + 3 * HOUR)
    await work(stage)
    [run] = await runs(stage)
    assert run.state == state
    assert reason in run.reason
    assert await made(stage) == {}


async def test_a_postponed_run_refreshes_and_starts_at_its_later_time(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    evening = with_timing(window=Window(time(18), time(21)))
    await make(stage, web_ledger, replace(BIRTHDAYS, draft=evening))
    now.set(NINE + 3 * HOUR)
    await work(stage)
    await work(stage)  # a job that comes too early changes nothing
    assert await made(stage) == {}
    now.set(NINE + 9 * HOUR + SECOND)
    await work(stage)
    assert list(await made(stage)) == ["Birthdays 2026-12-02"]


async def test_a_paused_recurrence_runs_no_more_and_goes_on_with_the_next_time(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    paused = await do(stage, web_ledger, recurrences.pause_recurrence, now=now.now())
    assert (paused.recurrence.state, paused.next_runs) == ("paused", [])
    now.set(NINE + DAY)
    await work(stage)
    assert await runs(stage) == []
    resumed = await do(stage, web_ledger, recurrences.resume_recurrence, now=now.now())
    assert str(resumed.next_runs[0]) == "2026-12-04 09:00:00+08:00"


async def test_a_run_that_waits_when_the_recurrence_is_paused_is_skipped(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    now.set(NINE)
    await plan_due_runs(stage.ledger, now=now.now())
    await do(stage, web_ledger, recurrences.pause_recurrence, now=now.now())
    await run_once(stage, NINE)
    [run] = await runs(stage)
    assert (run.state, run.reason) == (
        "skipped",
        "The recurrence was paused before the run began.",
    )


async def test_a_deleted_recurrence_leaves_its_campaigns(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger)
    now.set(NINE)
    await work(stage)
    await do(stage, web_ledger, recurrences.delete_recurrence)
    assert list(await made(stage)) == ["Birthdays 2026-12-02"]
    with pytest.raises(NotFound):
        await runs(stage)


async def test_a_recurrence_ends_after_its_last_run(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await make(stage, web_ledger, replace(BIRTHDAYS, max_runs=2))
    for day in range(3):
        now.set(NINE + day * DAY)
        await work(stage)
    assert len(await made(stage)) == 2
    assert await ask(stage, "SELECT state FROM recurrence") == "ended"
    with pytest.raises(RecurrenceEnded, match="Make a new one"):
        await do(stage, web_ledger, recurrences.resume_recurrence, now=now.now())


async def test_a_campaign_that_could_not_be_sent_is_refused_as_a_recurrence_and_leaves_nothing(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    assert now.now() == NOON
    await ask(stage, "UPDATE template SET state = 'reviewing'")
    with pytest.raises(NotReadyToStart, match="when its template is approved"):
        await make(stage, web_ledger)
    with pytest.raises(NotFound, match="no audience “nobody”"):
        await make(stage, web_ledger, replace(BIRTHDAYS, draft=replace(DRAFT, audience="nobody")))
    assert await ask(stage, "SELECT count(*) FROM campaign") == 0
    assert await ask(stage, "SELECT count(*) FROM audit_event") == 0


@pytest.mark.parametrize(
    ("changed", "error", "problem"),
    [
        ({"name": " "}, InvalidValue, "1-80"),
        ({"max_runs": 0}, InvalidValue, "give 1 to"),
        ({"ends_on": date(2026, 12, 1)}, RhythmUnfit, "its last time is past"),
        ({"starts_on": date(2028, 1, 1)}, RhythmUnfit, "more than a year away"),
        ({"draft": with_timing(at="2026-12-01T09:00")}, InvalidValue, "no time of its own"),
        ({"rhythm": Rhythm(Every.MONTH, time(9))}, RhythmUnfit, "either a day"),
    ],
)
async def test_a_recurrence_that_cannot_be_is_refused(
    stage: Stage,
    now: FixedClock,
    web_ledger: Ledger,
    changed: dict[str, Any],
    error: type[Exception],
    problem: str,
) -> None:
    assert now.now() == NOON
    with pytest.raises(error, match=problem):
        await make(stage, web_ledger, replace(BIRTHDAYS, **changed))


async def test_names_of_recurrences_are_unique_and_their_audience_is_not_archived(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    assert now.now() == NOON
    await make(stage, web_ledger)
    with pytest.raises(AlreadyExists):
        await make(stage, web_ledger)
    with pytest.raises(AudienceInUse, match="the recurrence “Birthdays”"):
        async with web_ledger.transaction(stage.founding.workspace_id) as connection:
            await archive_audience(
                connection,
                workspace_id=stage.founding.workspace_id,
                viewer=SEES_ALL,
                name="everybody",
            )


async def test_nobody_else_sees_a_recurrence(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    assert now.now() == NOON
    await make(stage, web_ledger)
    async with web_ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM recurrence") == 0


def test_a_kept_draft_is_read_as_it_was() -> None:
    draft = with_timing(window=Window(time(9), time(21), (1, 2)), late_rule=LateRule.GO)
    assert read_draft(json.loads(json.dumps(write_draft(draft)))) == draft
