"""Scheduled campaigns: begun once and in time, changed until five minutes before, late by rule."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.stage import LINKS_URL, Stage, people
from textwave.campaigns.draft import CampaignDraft, NotReadyToStart
from textwave.campaigns.operations import create_campaign, start_campaign, template_decided
from textwave.campaigns.schedule_operations import (
    CampaignTooClose,
    begin_due,
    delete_campaign,
    edit_campaign,
    schedule_campaign,
    unschedule_campaign,
)
from textwave.campaigns.start_operations import begin_campaign
from textwave.campaigns.store import Campaign, campaigns
from textwave.campaigns.timing import LateRule, TimeUnfit, Timing, Window
from textwave.kit.clock import FixedClock
from textwave.kit.ids import CampaignId, TemplateId
from textwave.kit.states import MoveNotAllowed
from textwave.storage.ledger import Ledger, many, value

Operation = Callable[..., Awaitable[Any]]
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 12, 1, 12, tzinfo=SHANGHAI).astimezone(UTC)
MINUTE = timedelta(minutes=1)
DRAFT = CampaignDraft(
    "Spring",
    "promotional",
    "sandbox",
    "Textwave",
    "welcome",
    "everybody",
    {"name": {"column": "first_name"}},
)


@pytest.fixture
def clock(stage: Stage) -> FixedClock:
    """Noon of the first of December in the workspace."""
    clock = FixedClock(NOON)
    stage.clock = clock
    return clock


@pytest.fixture
async def now(stage: Stage, clock: FixedClock) -> FixedClock:
    await stage.set(people(3))
    return clock


def keys(stage: Stage, **more: Any) -> dict[str, Any]:
    return {
        "workspace_id": stage.founding.workspace_id,
        "actor": "Ann",
        "now": stage.clock.now(),
        **more,
    }


async def create(stage: Stage, ledger: Ledger, timing: Timing, name: str = "Spring") -> Campaign:
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        draft = replace(DRAFT, name=name, timing=timing)
        return await create_campaign(connection, **keys(stage, draft=draft, links_url=LINKS_URL))


async def schedule(stage: Stage, ledger: Ledger, timing: Timing, name: str = "Spring") -> Campaign:
    """Create the campaign and put it on its time, as the API does."""
    await create(stage, ledger, timing, name)
    async with ledger.transaction(stage.founding.workspace_id) as connection:
        return await start_campaign(connection, **keys(stage, name=name, links_url=LINKS_URL))


async def shown(stage: Stage, name: str = "Spring") -> Campaign:
    async with stage.ledger.transaction() as connection:
        [found] = await campaigns(connection, stage.founding.workspace_id, name=name)
    return found


async def begin(stage: Stage, campaign_id: CampaignId) -> Any:
    async with stage.ledger.transaction() as connection:
        return await begin_campaign(
            connection,
            workspace_id=stage.founding.workspace_id,
            campaign_id=campaign_id,
            links_url=LINKS_URL,
            now=stage.clock.now(),
        )


async def count(stage: Stage, statement: Any, **parameters: Any) -> Any:
    async with stage.ledger.transaction() as connection:
        return await value(connection, statement, parameters)


async def change(stage: Stage, statement: str) -> None:
    async with stage.ledger.transaction() as connection:
        await connection.execute(statement.encode())


async def test_a_campaign_begins_at_its_time_and_its_job_is_deferred_to_it(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    assert (made.state, str(made.schedule.starts_at)) == ("scheduled", "2026-12-01 15:00:00+08:00")
    due = "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'campaigns.begin'"
    assert await count(stage, due) == NOON + timedelta(hours=3)
    assert await begin(stage, made.id) is None  # too early: nothing happens
    now.advance(timedelta(hours=3))
    await begin(stage, made.id)
    assert ((await shown(stage)).state, (await shown(stage)).reason) == ("planning", "")


async def test_many_who_begin_a_campaign_at_once_begin_it_once(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    now.advance(timedelta(hours=3))
    net = [begin_due(stage.ledger, links_url=LINKS_URL, now=now.now()) for _ in range(2)]
    await asyncio.gather(*(begin(stage, made.id) for _ in range(4)), *net)
    plans = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'campaigns.plan'"
    assert await count(stage, plans) == 1


async def test_a_campaign_whose_job_was_lost_is_begun_all_the_same(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    await change(stage, "DELETE FROM procrastinate_jobs")
    now.advance(timedelta(hours=3, seconds=5))
    assert await begin_due(stage.ledger, links_url=LINKS_URL, now=now.now()) == 1
    assert (await shown(stage)).state == "planning"


async def test_the_job_of_an_earlier_time_does_not_begin_a_campaign_that_was_moved(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    async with web_ledger.transaction(stage.founding.workspace_id) as connection:
        timing = Timing("2026-12-02T09:00")
        given = keys(stage, name="Spring", timing=timing, links_url=LINKS_URL)
        moved = await schedule_campaign(connection, **given)
    assert str(moved.schedule.at) == "2026-12-02 09:00:00+08:00"
    now.advance(timedelta(hours=3))
    assert await begin(stage, made.id) is None
    assert (await shown(stage)).state == "scheduled"


@pytest.mark.parametrize(
    ("timing", "problem"),
    [
        (Timing("2026-12-01T11:59"), "is past"),
        (Timing("2027-12-03T12:00"), "more than a year"),
        (Timing("2026-12-05T12:00", window=Window(time(9), time(21), (1,))), "opens next at 2026"),
    ],
)
async def test_a_time_that_cannot_be_kept_is_refused_when_it_is_given(
    stage: Stage, now: FixedClock, web_ledger: Ledger, timing: Timing, problem: str
) -> None:
    assert now.now() == NOON
    with pytest.raises(TimeUnfit, match=problem):
        await create(stage, web_ledger, timing)


async def test_only_an_approved_template_can_be_given_a_time(
    stage: Stage, clock: FixedClock, web_ledger: Ledger
) -> None:
    assert clock.now() == NOON
    await stage.set(people(3), template_state="reviewing")
    with pytest.raises(NotReadyToStart, match="start the campaign without a time"):
        await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))


async def test_what_a_scheduled_campaign_cannot_be_sent_with_any_more_ends_it_and_says_so(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    await change(stage, "UPDATE signature SET state = 'rejected'")
    now.advance(timedelta(hours=3))
    await begin(stage, made.id)
    found = await shown(stage)
    assert found.state == "failed"
    assert "Only an approved signature" in found.reason


async def test_until_five_minutes_before_a_scheduled_campaign_is_edited_and_stays_scheduled(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    now.set(NOON + timedelta(hours=3) - 5 * MINUTE - timedelta(seconds=1))
    timing = Timing("2026-12-01T16:00", spread_minutes=30, window=Window(time(9), time(21)))
    async with web_ledger.transaction(stage.founding.workspace_id) as connection:
        draft = replace(DRAFT, name="Summer", timing=timing)
        given = keys(stage, name="Spring", draft=draft, links_url=LINKS_URL)
        edited = await edit_campaign(connection, **given)
    assert (edited.name, edited.state, edited.spread_minutes) == ("Summer", "scheduled", 30)
    assert str(edited.schedule.starts_at) == "2026-12-01 16:00:00+08:00"
    assert edited.window == {"from": "09:00", "until": "21:00", "days": [1, 2, 3, 4, 5, 6, 7]}


async def test_five_minutes_before_it_can_only_be_cancelled(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    now.set(NOON + timedelta(hours=3) - 5 * MINUTE)
    named = keys(stage, name="Spring")
    written = {"draft": DRAFT, "links_url": LINKS_URL}
    timed = {"timing": Timing("2026-12-01T16:00"), "links_url": LINKS_URL}
    refused: list[tuple[Operation, dict[str, Any]]] = [
        (edit_campaign, written),
        (delete_campaign, {}),
        (unschedule_campaign, {}),
        (schedule_campaign, timed),
    ]
    for operation, given in refused:
        with pytest.raises(CampaignTooClose, match="can only be cancelled"):
            async with web_ledger.transaction(stage.founding.workspace_id) as connection:
                await operation(connection, **named, **given)
    assert (await shown(stage)).state == "scheduled"


async def test_an_unscheduled_campaign_is_a_draft_without_a_time(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    assert now.now() == NOON
    await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    async with web_ledger.transaction(stage.founding.workspace_id) as connection:
        draft = await unschedule_campaign(connection, **keys(stage, name="Spring"))
    assert (draft.state, draft.schedule.at) == ("draft", None)


async def test_a_deleted_campaign_is_gone_and_its_name_is_free(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    async with web_ledger.transaction(stage.founding.workspace_id) as connection:
        await delete_campaign(connection, **keys(stage, name="Spring"))
    now.advance(timedelta(hours=3))
    assert await begin(stage, made.id) is None
    assert (await create(stage, web_ledger, Timing())).state == "draft"


async def test_a_campaign_that_is_sent_can_be_neither_edited_nor_deleted(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    assert now.now() == NOON
    await create(stage, web_ledger, Timing())
    await stage.start()
    refused: list[tuple[Operation, dict[str, Any]]] = [
        (delete_campaign, {}),
        (edit_campaign, {"draft": DRAFT, "links_url": LINKS_URL}),
    ]
    for operation, given in refused:
        with pytest.raises(MoveNotAllowed):
            async with web_ledger.transaction(stage.founding.workspace_id) as connection:
                await operation(connection, **keys(stage, name="Spring"), **given)


@pytest.mark.parametrize(
    ("rule", "state", "reason"),
    [
        (LateRule.GO, "planning", "12 h late; it went on all the same"),
        (LateRule.WINDOW, "scheduled", "waits for the same time of day, 2026-12-02 15:00"),
        (LateRule.CANCEL, "cancelled", "12 h late; it is cancelled"),
    ],
)
async def test_a_start_at_night_after_an_outage_does_what_the_campaign_s_rule_says(
    stage: Stage, now: FixedClock, web_ledger: Ledger, rule: LateRule, state: str, reason: str
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00", late_rule=rule))
    now.advance(timedelta(hours=15))
    await begin(stage, made.id)
    found = await shown(stage)
    assert found.state == state
    assert reason in found.reason
    await change(stage, "UPDATE campaign SET reason = ''")  # as completion does
    assert reason in (await shown(stage)).late_reason


async def test_a_postponed_campaign_begins_at_its_later_time(
    stage: Stage, now: FixedClock, web_ledger: Ledger
) -> None:
    made = await schedule(stage, web_ledger, Timing("2026-12-01T15:00"))
    now.advance(timedelta(hours=15))
    await begin(stage, made.id)
    now.set(NOON + timedelta(hours=27, seconds=2))
    await begin_due(stage.ledger, links_url=LINKS_URL, now=now.now())
    assert ((await shown(stage)).state, (await shown(stage)).reason) == ("planning", "")


async def approve(stage: Stage, at: datetime) -> Campaign:
    written = f"UPDATE template SET state = 'approved', decided_at = '{at.isoformat()}'"
    await change(stage, written)
    async with stage.ledger.transaction() as connection:
        await template_decided(connection, TemplateId(stage.ids["template"]))
    return await shown(stage)


@pytest.mark.parametrize(
    ("timing", "state", "reason"),
    [
        (Timing(), "planning", "was approved 15 h after it was to start"),
        (Timing(window=Window(time(9), time(21))), "scheduled", "window, 2026-12-02 09:00"),
        (Timing(late_rule=LateRule.CANCEL), "cancelled", "15 h late"),
        (Timing(late_minutes=960), "planning", ""),
    ],
)
async def test_a_late_approval_does_what_the_campaign_s_rule_says(
    stage: Stage, clock: FixedClock, timing: Timing, state: str, reason: str
) -> None:
    await stage.set(people(3), template_state="reviewing")
    await create(stage, stage.ledger, timing)
    await stage.start()
    found = await approve(stage, clock.now() + timedelta(hours=15))
    assert found.state == state
    assert reason in found.reason


async def test_a_plan_that_a_restart_made_late_is_not_silently_sent_at_night(
    stage: Stage, now: FixedClock
) -> None:
    await create(stage, stage.ledger, Timing(window=Window(time(9), time(21))))
    await stage.start()
    made = await shown(stage)
    now.advance(timedelta(hours=15))
    await stage.plan(made.id)
    found = await shown(stage)
    assert (found.state, str(found.schedule.starts_at)) == (
        "scheduled",
        "2026-12-02 09:00:00+08:00",
    )
    assert "15 h late" in found.reason


class Due:
    """A batch and when it is due."""

    def __init__(self, first_id: int, last_id: int, due_at: datetime) -> None:
        self.size, self.due_at = last_id - first_id + 1, due_at


async def due_batches(stage: Stage, campaign_id: CampaignId) -> list[Due]:
    statement = (
        "SELECT first_id, last_id, due_at FROM batch WHERE campaign_id = %(id)s ORDER BY number"
    )
    async with stage.ledger.transaction() as connection:
        return await many(connection, Due, statement, {"id": campaign_id})


async def test_a_campaign_is_spread_evenly_over_its_open_minutes(
    stage: Stage, clock: FixedClock
) -> None:
    await stage.set(people(300))
    # noon: an hour of the window is left today
    window = Window(time(9), time(13))
    await create(stage, stage.ledger, Timing(window=window, spread_minutes=120))
    await stage.start()
    made = await shown(stage)
    await stage.plan(made.id)
    batches = await due_batches(stage, made.id)
    assert sum(batch.size for batch in batches) == 300
    assert {batch.size for batch in batches} == {2}
    opened = [clock.now(), datetime(2026, 12, 2, 9, tzinfo=SHANGHAI)]
    expected = [
        opened[n >= 75] + (n - (75 if n >= 75 else 0)) * timedelta(seconds=48) for n in range(150)
    ]
    assert [batch.due_at for batch in batches] == expected


async def test_outside_of_its_window_a_campaign_waits_for_the_opening(
    stage: Stage, now: FixedClock
) -> None:
    assert now.now() == NOON
    await create(stage, stage.ledger, Timing(window=Window(time(18), time(21))))
    await stage.start()
    made = await shown(stage)
    await stage.plan(made.id)
    [batch] = await due_batches(stage, made.id)
    assert batch.due_at == NOON + timedelta(hours=6)
