"""Gathering: nothing is lost or handed on twice, whoever dies when, and nothing piles up."""

import asyncio
from datetime import timedelta

import pytest

from tests.singles.conftest import Program
from textwave.connections.accounts import seal_key
from textwave.singles import store
from textwave.singles.gathering_operations import (
    CAMPAIGN_HOURS,
    KEPT_DAYS,
    forget_messages,
    gather,
    gather_forgotten,
    send_forgotten,
)


async def ask_many(program: Program, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        await program.ask(f"k{number}", f"154123{number:05}")


async def test_a_gatherer_that_dies_in_the_middle_leaves_all_waiting_for_the_next(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_many(program, 5)

    class Killed(BaseException):
        """What stands for the end of the process."""

    async def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr("textwave.singles.gathering_operations.defer_serving", die)
        with pytest.raises(Killed):
            await program.gather()
    assert await program.playing.value("SELECT count(*) FROM message") == 0
    assert await program.gather() == 5
    await program.playing.send()
    assert len(await program.received()) == 5


async def test_a_job_gathers_until_nothing_waits_and_pauses_in_between(program: Program) -> None:
    await ask_many(program, 2)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            await ask_many(program, 3, first=10)

    clock = program.playing.stage.clock
    assert await gather(program.playing.ledger, clock, sleep=pause) == 5
    assert len(pauses) == 2


async def test_a_batch_that_comes_while_the_last_one_ends_is_sent(program: Program) -> None:
    sent = 0
    for round_ in range(6):
        await ask_many(program, 3, first=round_ * 10)
        serving = asyncio.create_task(program.playing.serve())
        sent += await program.gather()
        await serving
    await program.playing.send()
    assert len(await program.received()) == sent == 18
    assert (
        await program.playing.value("SELECT count(*) FROM campaign WHERE state <> 'completed'") == 0
    )


async def test_what_was_completed_too_early_is_opened_again(program: Program) -> None:
    await ask_many(program, 2)
    await program.gather()
    await program.playing.execute("UPDATE campaign SET state = 'completed', completed_at = now()")
    assert await send_forgotten(program.playing.ledger) == 1
    await program.playing.send()
    assert len(await program.received()) == 2


async def test_what_the_platform_made_pause_is_tried_again_a_minute_later(
    program: Program,
) -> None:
    await ask_many(program, 2)
    await program.gather()
    playing = program.playing
    key = await playing.value("SELECT sealed_key FROM platform")
    wrong = seal_key(playing.stage.vault, "sandbox", "not the key")
    await playing.execute("UPDATE platform SET sealed_key = %s", [wrong])
    await playing.serve()
    assert await playing.value("SELECT state FROM campaign") == "paused"
    await playing.execute("UPDATE platform SET sealed_key = %s", [key])
    assert await send_forgotten(playing.ledger) == 0
    await playing.execute("UPDATE campaign SET state_since = now() - interval '2 minutes'")
    assert await send_forgotten(playing.ledger) == 1
    await playing.pass_time()
    await playing.send()
    assert len(await program.received()) == 2


async def test_what_no_job_came_for_is_gathered_after_all(program: Program) -> None:
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'singles.gather'"
    await ask_many(program, 1)
    await program.playing.execute("DELETE FROM procrastinate_jobs")
    await gather_forgotten(program.playing.ledger)
    assert await program.playing.value(jobs) == 1
    await program.gather()
    await program.playing.execute("DELETE FROM procrastinate_jobs")
    await gather_forgotten(program.playing.ledger)
    assert await program.playing.value(jobs) == 0


async def test_a_campaign_takes_messages_for_an_hour_and_not_while_it_is_paused(
    program: Program,
) -> None:
    await ask_many(program, 1)
    await program.gather()
    await program.playing.execute("UPDATE campaign SET state = 'paused'")
    await ask_many(program, 1, first=1)
    await program.gather()
    hours = timedelta(hours=CAMPAIGN_HOURS, seconds=1)
    await program.playing.execute("UPDATE campaign SET started_at = started_at - %s", [hours])
    await ask_many(program, 1, first=2)
    await program.gather()
    assert await program.playing.value("SELECT count(*) FROM campaign") == 3


async def test_a_campaign_without_room_is_followed_by_another(program: Program) -> None:
    await ask_many(program, 1)
    await program.gather()
    await program.playing.execute("UPDATE campaign SET last_message_id = first_message_id + 150")
    await ask_many(program, 60, first=1)
    assert await program.gather() == 60
    assert await program.playing.value("SELECT count(*) FROM campaign") == 2
    await program.playing.send()
    assert len(await program.received()) == 61


async def test_ids_never_meet_and_each_batch_begins_a_request(program: Program) -> None:
    for round_ in range(3):
        await ask_many(program, 130, first=round_ * 1000)
        await program.gather()
    spans = """SELECT bool_and((first_id - c.first_message_id) %% c.request_size = 0),
        count(DISTINCT b.first_id) FROM batch b JOIN campaign c ON c.id = b.campaign_id"""
    async with program.playing.ledger.transaction() as connection:
        cursor = await connection.execute(spans.replace("%%", "%").encode())
        assert await cursor.fetchone() == (True, 3)
    await program.playing.send()
    assert len(await program.received()) == 390


async def test_messages_of_long_ago_are_forgotten_and_others_kept(program: Program) -> None:
    await ask_many(program, 2)
    age = timedelta(days=KEPT_DAYS, seconds=1)
    await program.playing.execute(
        "UPDATE single_message SET created_at = now() - %s WHERE idempotency_key = 'k0'", [age]
    )
    ledger, clock = program.playing.ledger, program.playing.stage.clock
    assert await forget_messages(ledger, now=clock.now()) == 1
    async with ledger.transaction() as connection:
        kept = await store.messages(connection, program.playing.workspace_id)
    assert [one.idempotency_key for one in kept] == ["k1"]
