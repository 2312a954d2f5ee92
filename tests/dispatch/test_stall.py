"""Why a campaign stands still: the most important reason first, and none for one that moves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from textwave.dispatch.stall import Facts, stall
from textwave.kit.ids import CampaignId

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
MOVING = Facts(
    campaign_id=CampaignId(1),
    looked_at=NOW,
    state="sending",
    reason="",
    state_since=NOW - timedelta(hours=2),
    noted_since=None,
    platform="gateway",
    plan_attempts=1,
    plan_problem="",
    last_progress_at=NOW - timedelta(seconds=5),
    open_batches=10,
    due_batches=10,
    undecided_batches=0,
    doubtful_batches=0,
    doubtful_requests=0,
    next_due_at=None,
    trouble="",
    resting_until=None,
    resting_reason="",
    worker_silence_seconds=1.0,
)
STILL = replace(MOVING, last_progress_at=NOW - timedelta(minutes=10))
ALL_IN_DOUBT = replace(
    STILL, due_batches=0, doubtful_batches=10, doubtful_requests=12, worker_silence_seconds=1.0
)


@pytest.mark.parametrize(
    "facts",
    [
        MOVING,
        replace(STILL, open_batches=0, due_batches=0),
        replace(MOVING, state="paused", worker_silence_seconds=None),
        replace(MOVING, state="completed"),
        replace(MOVING, state="planning"),
        replace(MOVING, trouble="throttled: Not now."),
    ],
)
def test_what_moves_or_need_not_move_does_not_stand_still(facts: Facts) -> None:
    assert stall(facts) is None


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(STILL, worker_silence_seconds=None), "No worker has given a sign of life. Start"),
        (replace(MOVING, worker_silence_seconds=300.0), "a sign of life for 5 minutes"),
        (replace(ALL_IN_DOUBT, worker_silence_seconds=None), "No worker"),
        (ALL_IN_DOUBT, "Only 12 requests in doubt are left"),
        (replace(ALL_IN_DOUBT, doubtful_requests=1), "Only 1 request in doubt is left"),
        (
            replace(STILL, resting_until=NOW + timedelta(minutes=5), resting_reason="unreachable"),
            "“gateway” is left alone until 2026-12-01 09:05 UTC: unreachable",
        ),
        (replace(STILL, trouble="throttled: Not now."), "puts it off: throttled: Not now."),
        (STILL, "Other campaigns use the platform “gateway”"),
        (
            replace(MOVING, state="planning", plan_attempts=3, plan_problem="The disk is full."),
            "The plan was begun 3 times. The disk is full.",
        ),
    ],
)
def test_a_reason_is_a_sentence_that_names_what_is_waited_for(facts: Facts, said: str) -> None:
    found = stall(facts)
    assert found is not None
    assert said in found.reason
    assert not found.by_plan
    assert found.since == facts.moved_at or facts.state == "planning"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(STILL, due_batches=0, undecided_batches=10), "until the winner is chosen"),
        (
            replace(ALL_IN_DOUBT, doubtful_batches=4, undecided_batches=6),
            "until the winner is chosen",
        ),
        (
            replace(STILL, due_batches=0, next_due_at=NOW + timedelta(hours=3)),
            "It goes on at 2026-12-01 12:00 UTC",
        ),
        (replace(STILL, state="reviewing", reason="Waits for the review."), "Waits for the review"),
    ],
)
def test_what_waits_for_the_clock_or_a_choice_waits_by_plan(facts: Facts, said: str) -> None:
    found = stall(facts)
    assert found is not None
    assert said in found.reason
    assert found.by_plan


def test_a_short_back_off_is_no_plan() -> None:
    found = stall(replace(STILL, due_batches=0, next_due_at=NOW + timedelta(minutes=5)))
    assert found is not None
    assert not found.by_plan


def test_since_is_when_it_was_first_seen_to_stand_still() -> None:
    noted = NOW - timedelta(minutes=7)
    found = stall(replace(STILL, noted_since=noted))
    assert found is not None
    assert found.since == noted
