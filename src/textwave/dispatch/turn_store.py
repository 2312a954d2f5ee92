"""Turns of accounts: who is served next, exactly, however many workers ask; and when they rest."""

from textwave.dispatch.serving import (
    AHEAD_SECONDS,
    HOLD_SECONDS,
    PROBE_SECONDS,
    TURN_SECONDS,
    Account,
    BatchKey,
    Turn,
)
from textwave.kit.ids import PlatformId
from textwave.kit.mobile import mask_numbers
from textwave.storage.ledger import Connection, execute, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch", "turn_store.sql")


async def hold_account(connection: Connection, platform_id: PlatformId) -> Account | None:
    """Hold the account's row, so that turns are given one after the other; None: it is gone."""
    parameters = {"platform_id": platform_id}
    return await one(connection, Account, _SQL["hold_account"], parameters)


async def take(connection: Connection, account: Account, *, job_id: int) -> Turn | None:
    """Take the next due batch of a held account and its turn; None: nothing can be sent now."""
    parameters = {
        "platform_id": account.id,
        "job_id": job_id,
        "is_probe": account.is_probed,
        "turn_seconds": TURN_SECONDS,
        "hold_seconds": HOLD_SECONDS,
        "probe_seconds": PROBE_SECONDS,
    }
    return await one(connection, Turn, _SQL["take"], parameters)


async def follow(connection: Connection, platform_id: PlatformId, *, slots: int) -> None:
    """Let another job come for the account's next turn, if fewer than `slots` serve it."""
    parameters = {"platform_id": platform_id, "slots": slots, "ahead_seconds": AHEAD_SECONDS}
    await execute(connection, _SQL["follow"], parameters)


async def come_back(connection: Connection, platform_id: PlatformId, *, seconds: float = 0) -> None:
    """Let a job serve the account in so many seconds at the latest."""
    await execute(connection, _SQL["come_back"], {"platform_id": platform_id, "seconds": seconds})


async def seconds_until_due(
    connection: Connection, platform_id: PlatformId, *, job_id: int
) -> float | None:
    """Return when something can be sent again; None: nothing waits but what others hold."""
    parameters = {"platform_id": platform_id, "job_id": job_id}
    seconds: float | None = await value(connection, _SQL["seconds_until_due"], parameters)
    return seconds


async def give_back(connection: Connection, turn: Turn, messages: int) -> None:
    """Give back a part of a turn, unless somebody has taken the next one already."""
    parameters = {
        "workspace_id": turn.workspace_id,
        "platform_id": turn.platform_id,
        "signature_id": turn.signature_id,
        "messages": messages,
        "ends_at": turn.ends_at,
        "signature_ends_at": turn.signature_ends_at,
    }
    await execute(connection, _SQL["give_back"], parameters)


async def wait_as_asked(connection: Connection, platform_id: PlatformId, seconds: float) -> None:
    """Give no turn of the account for so long."""
    parameters = {"platform_id": platform_id, "seconds": seconds}
    await execute(connection, _SQL["wait_as_asked"], parameters)


async def rest(connection: Connection, account: Account, seconds: float, reason: str) -> bool:
    """Let the account rest; False when another round has said so already."""
    parameters = {
        "platform_id": account.id,
        "failures_in_a_row": account.failures_in_a_row,
        "seconds": seconds,
        "reason": reason,
    }
    return await execute(connection, _SQL["rest"], parameters) == 1


async def retry_probe(connection: Connection, account: Account) -> None:
    """Let another request try a resting account: this turn had none to send."""
    parameters = {"platform_id": account.id, "failures_in_a_row": account.failures_in_a_row}
    await execute(connection, _SQL["retry_probe"], parameters)


async def wake(connection: Connection, platform_id: PlatformId) -> None:
    """End the account's rest."""
    await execute(connection, _SQL["wake"], {"platform_id": platform_id})


async def release(
    connection: Connection,
    key: BatchKey,
    *,
    job_id: int,
    seconds: float = 0,
    trouble: str | None = None,
) -> bool:
    """Give a batch back for so many seconds; False when this job does not hold it any more."""
    said = None if trouble is None else mask_numbers(trouble)
    parameters = key.parameters(job_id=job_id, seconds=seconds, trouble=said)
    return await execute(connection, _SQL["release"], parameters) == 1


async def complete_ended(connection: Connection) -> int:
    """Complete campaigns of which every batch is done; return how many."""
    return await execute(connection, _SQL["complete_ended"])


async def unserved_accounts(connection: Connection) -> list[PlatformId]:
    """Return accounts with something due that no job waits to serve."""
    cursor = await connection.execute(_SQL["unserved_accounts"])
    return [PlatformId(row[0]) for row in await cursor.fetchall()]
