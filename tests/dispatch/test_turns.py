"""Whose turn it is at an account, asked over many connections at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from tests.dispatch.show import Show
from textwave.dispatch import turn_store as turns
from textwave.dispatch.serving import Account, Turn
from textwave.kit.ids import CampaignId
from textwave.storage.ledger import value


@pytest.fixture
async def playing(stage: Any) -> Show:
    """A stage of which only the ledger is asked."""
    return Show(stage, sandbox=None, session=None)  # pyright: ignore[reportArgumentType] - unused


async def take(playing: Show, job_id: int) -> Turn | None:
    """Take a turn, if the account is free."""
    async with playing.ledger.transaction() as connection:
        account = await turns.hold_account(connection, playing.platform_id)
        assert account is not None
        if account.closed_seconds > 0:
            return None
        return await turns.take(connection, account, job_id=job_id)


async def take_all(playing: Show, count: int, *, workers: int = 6) -> list[Turn]:
    """Let so many workers take turns until there have been `count`, in the order of taking."""
    jobs = [await playing.job() for _ in range(workers)]
    taken: list[Turn] = []
    deadline = time.monotonic() + 30

    async def work(job_id: int) -> None:
        while len(taken) < count and time.monotonic() < deadline:
            turn = await take(playing, job_id)
            if turn is not None:
                taken.append(turn)
                job_id = await playing.job()
            await asyncio.sleep(0)

    await asyncio.gather(*(work(job_id) for job_id in jobs))
    return taken


async def copy_campaign(playing: Show, campaign_id: CampaignId, name: str, **change: Any) -> int:
    """Write a campaign like this one, with batches of its own; return its id."""
    values = {"workspace_id": playing.workspace_id, "priority": 0, **change}
    statement = """WITH made AS (
        INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
            audience_id, state, content, token_version, first_message_id, last_message_id,
            request_size, created_by, priority)
        SELECT %(workspace_id)s, %(name)s, type, platform_id, signature_id, template_id,
            audience_id, 'sending', content, token_version, first_message_id, last_message_id,
            request_size, created_by, %(priority)s
        FROM campaign WHERE id = %(campaign_id)s RETURNING id
    ), batches AS (
        INSERT INTO batch (campaign_id, number, workspace_id, first_id, last_id)
        SELECT made.id, number, %(workspace_id)s, first_id, last_id
        FROM batch, made WHERE campaign_id = %(campaign_id)s
    ) SELECT id FROM made"""
    async with playing.ledger.transaction() as connection:
        parameters = {**values, "campaign_id": campaign_id, "name": name}
        made: int = await value(connection, statement, parameters)
    return made


async def second_workspace(playing: Show) -> int:
    """Write a workspace that shares the account."""
    statement = """WITH made AS (
        INSERT INTO workspace (organization_id, name)
        SELECT organization_id, 'second' FROM workspace LIMIT 1 RETURNING id
    ), admitted AS (
        INSERT INTO platform_workspace (platform_id, workspace_id) SELECT %s, id FROM made
    ) SELECT id FROM made"""
    made: int = await playing.value(statement, [playing.platform_id])
    return made


def begins(turn: Turn, rate: int) -> float:
    """Return when a turn began."""
    return turn.ends_at.timestamp() - turn.messages / rate


async def test_every_batch_is_held_by_one_job(playing: Show) -> None:
    await playing.planned(1500, batch_size=100)
    taken = await take_all(playing, 15)
    assert sorted(turn.number for turn in taken) == list(range(15))
    assert await take(playing, await playing.job()) is None


async def test_turns_of_an_account_follow_each_other_exactly_whoever_takes_them(
    playing: Show,
) -> None:
    await playing.planned(2000, batch_size=100, rate_per_second=2000)
    taken = await take_all(playing, 20)
    in_order = sorted(taken, key=lambda turn: turn.ends_at)
    for before, after in pairwise(in_order):
        assert begins(after, 2000) >= before.ends_at.timestamp() - 1e-5
    assert all(turn.wait_seconds <= 0.26 for turn in taken)
    assert {turn.pace for turn in taken} == {2000}


async def test_a_signature_s_rate_holds_for_all_its_campaigns_and_leaves_the_account_to_others(
    playing: Show,
) -> None:
    campaign_id = await playing.planned(500, batch_size=100, rate_per_second=100_000)
    await playing.execute("UPDATE signature SET rate_per_second = 1000")
    other = await playing.value(
        """INSERT INTO signature (workspace_id, platform_id, name, state)
           SELECT workspace_id, platform_id, 'Other', 'approved' FROM signature RETURNING id"""
    )
    free = await copy_campaign(playing, campaign_id, "free")
    await playing.execute("UPDATE campaign SET signature_id = %s WHERE id = %s", [other, free])
    taken = await take_all(playing, 10)
    slow = [turn for turn in taken if turn.campaign_id == campaign_id]
    assert len(slow) == 5
    for before, after in pairwise(sorted(slow, key=lambda turn: turn.ends_at)):
        assert after.ends_at.timestamp() - before.ends_at.timestamp() >= 0.1 - 1e-5
    free_ones = [turn.campaign_id == free for turn in taken[:7]]
    assert sum(free_ones) >= 4  # it did not wait for the slow one's turns


async def test_two_workspaces_share_an_account_evenly_however_much_each_has(playing: Show) -> None:
    campaign_id = await playing.planned(3000, batch_size=100)
    other = await copy_campaign(
        playing, campaign_id, "other", workspace_id=await second_workspace(playing)
    )
    for _ in range(2):  # the first has three campaigns
        await copy_campaign(playing, campaign_id, f"more {_}")
    taken = (await take_all(playing, 20))[:20]
    assert Counter(turn.campaign_id == other for turn in taken) == {True: 10, False: 10}


async def test_a_workspace_that_comes_back_from_idleness_does_not_catch_up(playing: Show) -> None:
    campaign_id = await playing.planned(3000, batch_size=100)
    await take_all(playing, 10)
    other = await copy_campaign(
        playing, campaign_id, "other", workspace_id=await second_workspace(playing)
    )
    taken = (await take_all(playing, 10))[:10]
    assert 4 <= sum(turn.campaign_id == other for turn in taken) <= 6


async def test_campaigns_of_a_workspace_go_by_priority_then_age(playing: Show) -> None:
    campaign_id = await playing.planned(200, batch_size=100)
    high = await copy_campaign(playing, campaign_id, "high", priority=1)
    low = await copy_campaign(playing, campaign_id, "low", priority=-1)
    normal = await copy_campaign(playing, campaign_id, "normal")
    taken = await take_all(playing, 8, workers=1)
    assert [t.campaign_id for t in taken][::2] == [high, campaign_id, normal, low]


async def test_what_waits_is_not_taken_before_it_is_due(playing: Show) -> None:
    await playing.planned(300, batch_size=100)
    await playing.execute("UPDATE batch SET due_at = now() + interval '10 s' WHERE number = 0")
    await playing.execute("UPDATE batch SET due_at = 'infinity' WHERE number = 1")
    job_id = await playing.job()
    taken = await take(playing, job_id)
    assert taken is not None
    assert taken.number == 2
    another = await playing.job()
    assert await take(playing, another) is None
    async with playing.ledger.transaction() as connection:
        seconds = await turns.seconds_until_due(connection, playing.platform_id, job_id=another)
    assert seconds is not None
    assert 5 < seconds <= 10


async def test_a_turn_is_no_longer_than_the_rate_allows_for_a_second(playing: Show) -> None:
    await playing.planned(2000, batch_size=2000)
    await playing.execute("UPDATE platform SET rate_per_second = 250")
    turn = await take(playing, await playing.job())
    assert turn is not None
    assert turn.messages == 250


async def test_what_a_turn_was_not_needed_for_is_given_back_unless_the_next_one_is_taken(
    playing: Show,
) -> None:
    await playing.planned(400, batch_size=100, rate_per_second=1000)
    first = await take(playing, await playing.job())
    assert first is not None
    async with playing.ledger.transaction() as connection:
        await turns.give_back(connection, first, 60)
    second = await take(playing, await playing.job())
    assert second is not None
    assert begins(second, 1000) == pytest.approx(begins(first, 1000) + 0.04, abs=0.02)
    async with playing.ledger.transaction() as connection:
        await turns.give_back(connection, first, 40)
    free_at = await playing.value("SELECT free_at FROM platform")
    assert free_at == second.ends_at


def waiting_jobs() -> str:
    return """SELECT count(*) FROM procrastinate_jobs
              WHERE status = 'todo' AND starts_with(queueing_lock, 'serve-')"""


async def test_one_job_waits_for_an_account_and_comes_at_the_earliest_of_what_was_asked(
    playing: Show,
) -> None:
    await playing.planned(100)
    await playing.execute("DELETE FROM procrastinate_jobs")
    for seconds in (60, 30, 90):
        async with playing.ledger.transaction() as connection:
            await turns.come_back(connection, playing.platform_id, seconds=seconds)
    assert await playing.value(waiting_jobs()) == 1
    statement = "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs"
    assert 25 < await playing.value(statement) <= 30


@pytest.mark.parametrize(("serving", "comes"), [(2, 1), (3, 0)])
async def test_another_job_comes_as_long_as_fewer_serve_than_may(
    playing: Show, serving: int, comes: int
) -> None:
    await playing.planned(100)
    await playing.execute("DELETE FROM procrastinate_jobs")
    for _ in range(serving):
        await playing.job()
    async with playing.ledger.transaction() as connection:
        await turns.follow(connection, playing.platform_id, slots=3)
    assert await playing.value(waiting_jobs()) == comes


async def failed_rounds(playing: Show, accounts: Sequence[Account]) -> list[bool]:
    async with playing.ledger.transaction() as connection:
        return [await turns.rest(connection, account, 5, "busy") for account in accounts]


async def test_of_rounds_that_fail_at_the_same_time_one_counts(playing: Show) -> None:
    await playing.planned(100)
    async with playing.ledger.transaction() as connection:
        account = await turns.hold_account(connection, playing.platform_id)
    assert account is not None
    assert await failed_rounds(playing, [account] * 3) == [True, False, False]
    assert await playing.value("SELECT failures_in_a_row FROM platform") == 1


async def test_one_job_tries_a_rested_account_with_one_request(playing: Show) -> None:
    await playing.planned(500, batch_size=500, max_batch=100)
    await playing.execute(
        "UPDATE platform SET failures_in_a_row = 3, resting_until = now() - interval '1 s'"
    )
    probe = await take(playing, await playing.job())
    assert probe is not None
    assert probe.messages == 100
    assert await take(playing, await playing.job()) is None
