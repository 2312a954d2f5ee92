"""Platforms that do not answer or ask for a pause, broken batches, and budgets that are used."""

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from textwave.campaigns.effort import Effort, ErrorBudget
from textwave.dispatch.serving import backoff_seconds, rest_seconds

RESTS = "SELECT extract(epoch FROM resting_until - now())::float8 FROM platform"


async def let_rest_end(playing: Show) -> None:
    await playing.execute("UPDATE platform SET resting_until = now(), free_at = now()")
    await playing.execute("UPDATE batch SET due_at = now()")


async def test_a_platform_that_is_down_rests_longer_and_longer_and_says_why(
    show: StartShow,
) -> None:
    playing = await show()
    await playing.planned(300, max_batch=100)
    await playing.execute("UPDATE platform SET base_url = 'http://127.0.0.1:9'")
    for at_least in (0.0, 1.0, 3.0, 7.0):
        assert await playing.serve() == 1
        assert at_least < await playing.value(RESTS) <= at_least + 1 + at_least
        await let_rest_end(playing)
    report = await playing.report()
    assert (report.state, report.waiting) == ("sending", 300)
    assert report.trouble.startswith("unreachable")
    assert (await playing.value("SELECT resting_reason FROM platform")).startswith("unreachable")
    await playing.execute("UPDATE platform SET base_url = %s", [playing.stage.platform_url])
    await playing.send()
    assert (await playing.report()).state == "completed"
    woken = "SELECT row(failures_in_a_row, resting_until, resting_reason)::text FROM platform"
    assert await playing.value(woken) == '(0,,"")'


async def test_a_resting_account_is_tried_with_one_request(show: StartShow) -> None:
    playing = await show()
    await playing.planned(500, batch_size=500, max_batch=100)
    await playing.execute(
        "UPDATE platform SET failures_in_a_row = 2, base_url = 'http://127.0.0.1:9'"
    )
    await playing.serve()
    tried = "SELECT count(*) FROM request WHERE outcome = 'unreachable'"
    assert await playing.value(tried) == 1
    assert await playing.value("SELECT count(*) FROM request WHERE outcome = 'unsent'") == 4


async def test_the_platform_s_wish_for_a_pause_is_obeyed_by_the_whole_account(
    show: StartShow,
) -> None:
    playing = await show(throttled=1.0, throttle_milliseconds=5000.0)
    await playing.planned(300)
    assert await playing.serve() == 1
    free = "SELECT extract(epoch FROM free_at - now())::float8 FROM platform"
    assert 3.5 < await playing.value(free) <= 5
    await playing.execute("DELETE FROM procrastinate_jobs")
    assert await playing.serve() == 0
    comes = "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs"
    assert await playing.value(f"{comes} WHERE status = 'todo'") > 2.5


async def test_a_broken_batch_is_put_off_says_why_and_stops_no_other(show: StartShow) -> None:
    playing = await show()
    await playing.planned(300)
    await playing.execute(
        "UPDATE message SET variables = '{}' WHERE id = (SELECT min(id) FROM message)"
    )
    await playing.serve()
    report, counts = await playing.report(), await playing.counts()
    assert counts["distinct"] == 200
    assert report.state == "sending"
    assert report.trouble.startswith("ValueError")
    await playing.execute("UPDATE message SET variables = '{Li}' WHERE variables = '{}'")
    await playing.send()
    assert (await playing.counts())["distinct"] == 300


async def test_a_campaign_that_fails_too_much_pauses_itself_and_counts_anew_when_resumed(
    show: StartShow,
) -> None:
    playing = await show(bad_number=0.9)
    await playing.planned(600)
    await playing.serve()
    report = await playing.report()
    assert report.state == "paused"
    assert "bad number" in report.reason
    assert "error budget is 50 %" in report.reason
    assert report.submitted + report.failed < 600
    await playing.execute("UPDATE campaign SET state = 'sending', error_budget_percent = 99")
    await playing.send()
    assert (await playing.report()).state == "completed"


@pytest.mark.parametrize(
    ("answered", "failed", "exceeded"),
    [(99, 99, False), (100, 20, False), (100, 21, True), (1000, 200, False), (1000, 201, True)],
)
def test_a_budget_is_exceeded_by_more_than_its_share_of_enough_answers(
    *, answered: int, failed: int, exceeded: bool
) -> None:
    budget = ErrorBudget(percent=20, after=100)
    assert budget.is_exceeded(answered=answered, failed=failed) is exceeded
    assert Effort().error_budget == ErrorBudget(50, 100)


def test_waits_double_up_to_five_minutes_unless_the_platform_wishes_more() -> None:
    assert [rest_seconds(n) for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert [backoff_seconds(n) for n in (0, 1, 2, 1000)] == [0.2, 0.2, 0.4, 300]
    assert (rest_seconds(1, 20.0), backoff_seconds(1, 1e9)) == (20.0, 3600.0)


async def test_a_job_holds_no_place_while_its_account_is_busy(show: StartShow) -> None:
    playing = await show()
    await playing.planned(300, rate_per_second=10)
    await playing.execute("DELETE FROM procrastinate_jobs")
    assert await playing.serve() == 1
    assert (await playing.counts())["distinct"] == 100
    comes = "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs"
    assert 5 < await playing.value(f"{comes} WHERE status = 'todo'") < 10


async def test_a_job_gives_way_when_another_account_waits_for_a_place(show: StartShow) -> None:
    playing = await show(answer_milliseconds=50.0)
    await playing.planned(3000, max_batch=10)
    await playing.execute(
        """INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock)
           VALUES ('dispatch', 'dispatch.serve', 'serve-999')"""
    )
    assert 0 < await playing.serve() < 30
    comes = "SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'"
    assert await playing.value(comes, [f"serve-{playing.platform_id}"]) == 1
