"""A campaign that stands still: noted, shown, counted, and given up when its time is over."""

from datetime import timedelta

from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import added_up, doubtful, pass_hours
from tests.dispatch.show import Show
from textwave.dispatch.expiry_operations import expire_stalled
from textwave.dispatch.stall_operations import note_stalls


async def note(playing: Show) -> int:
    return await note_stalls(playing.ledger, now=playing.stage.clock.now())


async def expire(playing: Show, days: int) -> int:
    now = playing.stage.clock.now() + timedelta(days=days)
    return await expire_stalled(playing.ledger, now=now, sending_days=7)


async def workers_live(playing: Show) -> None:
    await playing.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")


async def test_standing_still_is_shown_with_its_reason_and_noted_until_it_moves(
    show: StartShow,
) -> None:
    playing = await show(busy=1.0)
    await playing.planned(40)
    report = await playing.report()
    assert "No worker" in report.stalled_reason
    await workers_live(playing)
    assert (await playing.report()).stalled_since is None
    await playing.send(rounds=1)
    await playing.execute(
        "UPDATE campaign SET planned_at = planned_at - interval '1 hour', "
        "state_since = state_since - interval '1 hour'"
    )
    report = await playing.report()
    assert report.stalled_since is not None
    assert "sandbox" in report.stalled_reason
    assert await note(playing) == 1
    assert await note(playing) == 0
    assert await playing.value("SELECT campaigns_stalled FROM standing_still()") == 1
    await playing.execute("UPDATE campaign SET state_since = now()")
    assert await note(playing) == 1
    assert await playing.value("SELECT campaigns_stalled FROM standing_still()") == 0


async def test_what_has_not_left_after_standing_still_for_days_is_given_up_and_adds_up(
    show: StartShow,
) -> None:
    playing = await show(busy=0.5, throttled=0.3)
    campaign_id = await playing.planned(400, max_batch=20, batch_size=100)
    await playing.send(rounds=2)
    before = await added_up(playing, campaign_id)
    assert 0 < before.submitted < 400
    await playing.execute("UPDATE campaign SET stalled_since = now()")
    assert await expire(playing, 6) == 0
    assert await expire(playing, 8) == 400 - before.submitted
    report = await added_up(playing, campaign_id)
    assert (report.state, report.waiting) == ("completed", before.submitted)
    assert report.failures == {"not sent in time": 400 - before.submitted}
    assert "7 days" in report.reason
    await playing.send()
    assert (await playing.counts())["distinct"] == before.submitted


async def test_what_may_have_left_stays_in_doubt_when_the_rest_is_given_up(
    show: StartShow,
) -> None:
    playing, campaign_id = await doubtful(show, 40)
    await playing.execute(
        "UPDATE batch SET due_at = now(), held_by = NULL; UPDATE campaign SET stalled_since = now()"
    )
    assert await expire(playing, 8) == 0
    report = await added_up(playing, campaign_id)
    assert (report.state, report.in_doubt) == ("sending", 40)
    await pass_hours(playing, 73)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.failures) == ("completed", {"in doubt": 40})


async def test_a_batch_in_the_hands_of_a_living_job_is_left_to_it(show: StartShow) -> None:
    playing = await show()
    campaign_id = await playing.planned(100, batch_size=100)
    job_id = await playing.job()
    await playing.execute(
        "UPDATE batch SET held_by = %s, held_until = now() + interval '1 minute'", [job_id]
    )
    await playing.execute("UPDATE campaign SET stalled_since = now()")
    assert await expire(playing, 8) == 0
    assert (await added_up(playing, campaign_id)).state == "sending"
    await playing.execute("DELETE FROM procrastinate_jobs")
    assert await expire(playing, 8) == 100
    assert (await added_up(playing, campaign_id)).state == "completed"
