"""Sending one batch that this job holds: prepare, send once, record, give back.

Runs as the owner. What was written before it left is found after a crash and sent under the same
key, or left in doubt where the platform honours no keys. Nothing sleeps here but for its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
import structlog

from textwave.connections.accounts import OpenPlatform
from textwave.dispatch import store
from textwave.dispatch import turn_store as turns
from textwave.dispatch.budget_operations import keep_budget
from textwave.dispatch.cancelling_operations import cancel_unsent
from textwave.dispatch.preparing_operations import Prepared, prepare
from textwave.dispatch.requests import (
    Recipient,
    Request,
    Verdict,
    by_request,
    click_tokens,
    compose,
    judge,
)
from textwave.dispatch.serving import (
    FIRST_BACKOFF_SECONDS,
    LONGEST_WISH_SECONDS,
    ROUND_SECONDS,
    Account,
    Turn,
    backoff_seconds,
    rest_seconds,
)
from textwave.dispatch.store import Ending, Recorded
from textwave.kit.clock import Clock
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import Platform, SendAnswer, SendRequest
from textwave.platforms.outcomes import Outcome
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

_AGAIN_SECONDS = (0.05, 0.5, 2.0)
log = structlog.get_logger(__name__)
Answered = list[tuple[Request, SendAnswer | None]]


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs. `slots`: jobs that serve one account at a time."""

    ledger: Ledger
    vault: Vault
    clock: Clock
    open_platform: OpenPlatform
    concurrency: int
    slots: int = 16
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def send_batch(sender: Sender, account: Account, turn: Turn, *, job_id: int) -> None:
    """Send once what of the batch is not answered yet; harmless when run again at any point."""
    if turn.wait_seconds > 0:
        await sender.sleep(turn.wait_seconds)
    prepared = await prepare(sender.ledger, sender.vault, sender.clock, turn, job_id=job_id)
    if prepared is None:
        await _tend(sender, account, Verdict())
        return
    answered, trouble = await _send_all(sender, prepared, turn)
    verdict = judge(answered)
    verdict.trouble = trouble or verdict.trouble
    await _record(sender, prepared, account, turn, verdict, job_id=job_id)
    await _tend(sender, account, verdict)


async def _send_all(sender: Sender, prepared: Prepared, turn: Turn) -> tuple[Answered, str]:
    """Send requests at the turn's pace; return the answers, and what broke on our side."""
    requests = prepared.requests
    if not requests:
        return [], ""
    try:
        round_ = _open_round(sender, prepared)
    except Exception as error:  # nothing has left: say so, else it would be in doubt
        log.exception("round not begun", campaign=turn.campaign_id)
        said = error.sentence if isinstance(error, Refusal) else str(error)
        return [(request, None) for request in requests], f"{type(error).__name__}: {said}"[:300]
    before, sends = 0, list[Awaitable[SendAnswer | None]]()
    for request in requests:
        sends.append(round_.send(request, before / turn.pace))
        before += request.size
    results = await asyncio.gather(*sends, return_exceptions=True)
    broken = [error for error in results if isinstance(error, BaseException)]
    for error in broken:
        if not isinstance(error, Exception):
            raise error
    if broken:
        log.error("request not composed", campaign=turn.campaign_id, exc_info=broken[0])
    answers = [None if isinstance(one, BaseException) else one for one in results]
    trouble = f"{type(broken[0]).__name__}: {broken[0]}" if broken else ""
    return list(zip(requests, answers, strict=True)), trouble


def _open_round(sender: Sender, prepared: Prepared) -> "_Round":
    return _Round(
        sender,
        sender.open_platform(prepared.account),
        prepared,
        by_request(prepared.requests, prepared.recipients, prepared.apart),
        click_tokens(prepared.text, prepared.recipients),
        asyncio.Semaphore(sender.concurrency),
        sender.clock.monotonic(),
    )


@dataclass(frozen=True, slots=True)
class _Round:
    """One round of requests, each at its moment, so many open at a time."""

    sender: Sender
    platform: Platform
    prepared: Prepared
    members: Mapping[tuple[int, int], Sequence[Recipient]]
    token_of: Mapping[int, str]
    places: asyncio.Semaphore
    started: float

    async def send(self, request: Request, due_seconds: float) -> SendAnswer | None:
        """Send a request, or return None when the round is over before it could begin."""
        async with self.places:
            passed = self.sender.clock.monotonic() - self.started
            if max(passed, due_seconds) > ROUND_SECONDS:
                return None
            if due_seconds > passed:
                await self.sender.sleep(due_seconds - passed)
            recipients = self.members[request.number, request.attempt]
            composed = compose(self.prepared.text, request, recipients, self.token_of)
            return await self._hand_over(composed)

    async def _hand_over(self, composed: SendRequest) -> SendAnswer:
        """Send once; what breaks from here on may have left, so it is in doubt."""
        try:
            return await self.platform.send(composed)
        except Exception as error:
            log.exception("sending broke", key=composed.key)
            return SendAnswer(Outcome.unknown, detail=f"{type(error).__name__} while sending")


async def _record(
    sender: Sender,
    prepared: Prepared,
    account: Account,
    turn: Turn,
    verdict: Verdict,
    *,
    job_id: int,
) -> None:
    key = turn.key
    ending = Ending(
        job_id=job_id,
        honours_keys=prepared.account.honours_keys,
        backoff_seconds=_backoff(account, turn, verdict),
        held_until=prepared.held_until,
    )

    async def write() -> Recorded:
        async with sender.ledger.transaction() as connection:
            recorded = await store.record(connection, key, turn.batch, verdict, prepared.apart)
            if recorded.state == "cancelled":
                await cancel_unsent(connection, key, job_id=job_id, now=sender.clock.now())
            await store.close(connection, key, ending, verdict)
            return recorded

    await _pause(sender, turn, verdict, await _insisting(sender, write))


async def _insisting(sender: Sender, write: Callable[[], Awaitable[Recorded]]) -> Recorded:
    """Write answers down, more than once if need be: what is lost of them would be in doubt."""
    for seconds in _AGAIN_SECONDS:
        try:
            return await write()
        except psycopg.OperationalError as error:  # a deadlock, or the database was gone
            log.warning("answers not recorded yet", error=type(error).__name__)
            await sender.sleep(seconds)
    return await write()


async def _pause(sender: Sender, turn: Turn, verdict: Verdict, recorded: Recorded) -> None:
    """Pause the campaign where it has to be.

    In a transaction of its own: pausing takes the campaign's row, recording holds the tally's.
    """
    if verdict.pause_reason:
        async with sender.ledger.transaction() as connection:
            paused = await store.pause(connection, turn.key, verdict.pause_reason)
        log.warning("campaign paused", campaign=turn.campaign_id, paused=paused)
    else:
        await keep_budget(sender.ledger, turn.key, recorded)


async def _tend(sender: Sender, account: Account, verdict: Verdict) -> None:
    """Let the account rest when it does not answer, wait as it asks, and end its rest."""
    wish = verdict.retry_after_seconds
    throttled = any(a.outcome is Outcome.throttled for a in verdict.answers.values())
    if verdict.is_silence:
        seconds = rest_seconds(account.failures_in_a_row + 1, wish)
        async with sender.ledger.transaction() as connection:
            rests = await turns.rest(connection, account, seconds, verdict.trouble)
        if rests:
            log.warning("account rests", platform=account.id, seconds=seconds)
    elif throttled or wish > 0:
        seconds = min(wish, LONGEST_WISH_SECONDS) or FIRST_BACKOFF_SECONDS
        async with sender.ledger.transaction() as connection:
            await turns.wait_as_asked(connection, account.id, seconds)
    if account.is_probed and not verdict.is_silence:
        async with sender.ledger.transaction() as connection:
            if verdict.answers:
                await turns.wake(connection, account.id)
            else:
                await turns.retry_probe(connection, account)


def _backoff(account: Account, turn: Turn, verdict: Verdict) -> float:
    """Return how long what is still open waits; a silent account is tried with other batches."""
    if not verdict.trouble:
        return 0.0
    if verdict.is_silence:
        return 1.5 * rest_seconds(account.failures_in_a_row + 1, verdict.retry_after_seconds)
    attempts = 1 if verdict.has_progress else turn.attempts
    return backoff_seconds(attempts, verdict.retry_after_seconds)
