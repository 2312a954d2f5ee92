"""Jobs that serve an account: take a batch when a turn is free, send it, and take the next.

Each sees to it that another comes for the following turn, so an account has as many as it can use.
A batch that cannot be sent for a reason of its own is put off; it does not stop the others.
"""

import structlog

from textwave.campaigns.serving_store import defer_serving
from textwave.dispatch import turn_store as turns
from textwave.dispatch.operations import Sender, send_batch
from textwave.dispatch.serving import (
    AHEAD_SECONDS,
    LONGEST_BACKOFF_SECONDS,
    SERVING_SECONDS,
    YIELDING_SECONDS,
    Account,
    Turn,
    backoff_seconds,
)
from textwave.kit.ids import PlatformId
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Connection, Ledger

_SHORTEST_PAUSE_SECONDS = 0.05
log = structlog.get_logger(__name__)


async def serve(sender: Sender, platform_id: PlatformId, *, job_id: int) -> int:
    """Serve an account for a while; return how many batches were taken."""
    began, taken = sender.clock.monotonic(), 0
    while True:
        found = await _take(sender, platform_id, job_id=job_id)
        if found is None:
            return taken
        others_wait = False
        if isinstance(found, tuple):
            account, turn = found
            taken, others_wait = taken + 1, account.others_wait
            await _send(sender, account, turn, job_id=job_id)
        else:
            await sender.sleep(found)
        served = sender.clock.monotonic() - began
        if served > (YIELDING_SECONDS if others_wait else SERVING_SECONDS):
            async with sender.ledger.transaction() as connection:
                await turns.come_back(connection, platform_id)
            return taken


async def _take(
    sender: Sender, platform_id: PlatformId, *, job_id: int
) -> tuple[Account, Turn] | float | None:
    """Take the next batch and let another job come for the one after.

    A number: nothing now, but in so many seconds. None: another job comes when there is something.
    """
    async with sender.ledger.transaction() as connection:
        account = await turns.hold_account(connection, platform_id)
        if account is None:
            return None
        if account.closed_seconds > 0:
            await turns.come_back(connection, platform_id, seconds=account.closed_seconds)
            return None
        turn = await turns.take(connection, account, job_id=job_id)
        if turn is not None:
            await turns.follow(connection, platform_id, slots=sender.slots)
            return account, turn
        return await _wait_or_come_back(connection, platform_id, job_id=job_id)


async def _wait_or_come_back(
    connection: Connection, platform_id: PlatformId, *, job_id: int
) -> float | None:
    """Return a wait that is not worth another job; else let one come when something is due."""
    seconds = await turns.seconds_until_due(connection, platform_id, job_id=job_id)
    if seconds is None:
        return None
    pause = max(seconds, _SHORTEST_PAUSE_SECONDS)
    if pause <= AHEAD_SECONDS:
        return pause
    await turns.come_back(connection, platform_id, seconds=pause)
    return None


async def _send(sender: Sender, account: Account, turn: Turn, *, job_id: int) -> None:
    try:
        await send_batch(sender, account, turn, job_id=job_id)
    except Exception as error:
        log.exception("batch put off", campaign=turn.campaign_id, batch=turn.number)
        said = error.sentence if isinstance(error, Refusal) else str(error)
        seconds = min(10 * backoff_seconds(turn.attempts), LONGEST_BACKOFF_SECONDS)
        async with sender.ledger.transaction() as connection:
            await turns.release(
                connection,
                turn.key,
                job_id=job_id,
                seconds=seconds,
                trouble=f"{type(error).__name__}: {said}"[:300],
            )
            if account.is_probed:
                await turns.retry_probe(connection, account)


async def serve_unserved(ledger: Ledger) -> int:
    """Let jobs serve accounts that have something due and no job; return how many: a safety net.

    It completes campaigns that are at their end, too.
    """
    async with ledger.transaction() as connection:
        await turns.complete_ended(connection)
    async with ledger.transaction() as connection:
        accounts = await turns.unserved_accounts(connection)
        for platform_id in accounts:
            await defer_serving(connection, platform_id)
    return len(accounts)
