"""Why a campaign stands still, and since when: one sentence from facts.

Pure. A campaign that waits for the clock or for a choice (its window, quiet hours, its winner) is
shown, too, but its time does not run out meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textwave.kit.ids import CampaignId

MOVES_WITHIN: Final = timedelta(seconds=60)
"""A campaign of which something was answered so recently does not stand still."""
LONGEST_BACK_OFF: Final = timedelta(minutes=10)
"""Batches that are due later than this wait for the clock and not for a platform."""
_WORKER_SILENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a campaign that should move.

    `open_batches`: not done; of these `due_batches` could be sent now, `undecided_batches` wait for
    a winner, `doubtful_batches` have only requests in doubt. `next_due_at`: the earliest of those
    that are not due. `worker_silence_seconds`: None when there never was a worker. `noted_since`:
    since when it was seen to stand still. `looked_at`: the ledger's time of all this.
    """

    campaign_id: CampaignId
    looked_at: datetime
    state: str
    reason: str
    state_since: datetime
    noted_since: datetime | None
    platform: str
    plan_attempts: int
    plan_problem: str
    last_progress_at: datetime | None
    open_batches: int
    due_batches: int
    undecided_batches: int
    doubtful_batches: int
    doubtful_requests: int
    next_due_at: datetime | None
    trouble: str
    resting_until: datetime | None
    resting_reason: str
    worker_silence_seconds: float | None

    @property
    def moved_at(self) -> datetime:
        """Return when something last happened to it."""
        return max(self.state_since, self.last_progress_at or self.state_since)


@dataclass(frozen=True, slots=True)
class Stall:
    """Since when a campaign stands still, and why; `by_plan`: for the clock or a choice."""

    since: datetime
    reason: str
    by_plan: bool = False


def stall(facts: Facts) -> Stall | None:
    """Return why a campaign stands still; None when it moves or need not move."""
    match facts.state:
        case "reviewing":
            return Stall(facts.state_since, facts.reason, by_plan=True)
        case "planning":
            return _stalled_plan(facts)
        case "sending" if facts.open_batches:
            return _stalled_sending(facts)
        case _:
            return None


def _stalled_plan(facts: Facts) -> Stall | None:
    if _workerless(facts):
        return Stall(facts.state_since, _no_worker(facts))
    if facts.plan_attempts > 1 and facts.looked_at - facts.state_since > MOVES_WITHIN:
        problem = facts.plan_problem or "The worker that made it ended without a word."
        reason = f"The plan was begun {facts.plan_attempts} times. {problem}"
        return Stall(facts.state_since, reason)
    return None


def _stalled_sending(facts: Facts) -> Stall | None:
    since = facts.noted_since or facts.moved_at
    if _workerless(facts):
        return Stall(since, _no_worker(facts))
    planned = _waits_by_plan(facts)
    if planned is not None:
        return Stall(facts.moved_at, planned, by_plan=True)
    if facts.doubtful_batches == facts.open_batches:
        return Stall(since, _in_doubt(facts))
    if facts.resting_until is not None and facts.resting_until > facts.looked_at:
        return Stall(since, _resting(facts, facts.resting_until))
    if facts.looked_at - facts.moved_at < MOVES_WITHIN:
        return None
    return Stall(since, _slow(facts))


def _waits_by_plan(facts: Facts) -> str | None:
    movable = facts.open_batches - facts.doubtful_batches
    if not movable or facts.due_batches:
        return None
    if facts.undecided_batches == movable:
        return "The rest waits until the winner is chosen."
    due = facts.next_due_at
    if due is None or due - facts.looked_at <= LONGEST_BACK_OFF:
        return None
    why = facts.trouble or "its window, quiet hours or spreading"
    return f"It goes on at {_time(due)} ({why})."


def _workerless(facts: Facts) -> bool:
    silence = facts.worker_silence_seconds
    return silence is None or silence > _WORKER_SILENCE_SECONDS


def _no_worker(facts: Facts) -> str:
    silence = facts.worker_silence_seconds
    since = "" if silence is None else f" for {_span(silence)}"
    return f"No worker has given a sign of life{since}. Start one with `textwave worker`."


def _in_doubt(facts: Facts) -> str:
    many = facts.doubtful_requests != 1
    return (
        f"Only {facts.doubtful_requests} request{'s' * many} in doubt {'are' if many else 'is'} "
        "left. Receipts settle them, or you do: `textwave in-doubt list`."
    )


def _resting(facts: Facts, until: datetime) -> str:
    reason = facts.resting_reason or "it failed several times in a row"
    return f"The platform “{facts.platform}” is left alone until {_time(until)}: {reason}"


def _slow(facts: Facts) -> str:
    if facts.trouble:
        return f"The platform “{facts.platform}” puts it off: {facts.trouble}"
    return f"Other campaigns use the platform “{facts.platform}” now, or its rate is used up."


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _span(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.0f} seconds"
    if seconds < 7_200:  # noqa: PLR2004 - two hours
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3_600:.0f} hours"
