"""Turns of applications at platforms, one after the other however many workers ask."""

from dataclasses import asdict
from datetime import datetime

from textwave.connections.reviews import ApplicationTurn, Pace, next_turn
from textwave.kit.ids import PlatformId
from textwave.storage.ledger import Connection, execute, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.connections", "turn_store.sql")


async def take_turn(
    connection: Connection, *, platform_id: PlatformId, pace: Pace, now: datetime
) -> datetime:
    """Give an application its turn at a platform; two never get the same one."""
    key = {"platform_id": platform_id}
    first = next_turn(pace, None, now)
    if await value(connection, _SQL["begin_turns"], key | asdict(first)) is not None:
        return first.last_at
    last = await one(connection, ApplicationTurn, _SQL["last_turn"], key)
    turn = next_turn(pace, last, now)
    await execute(connection, _SQL["keep_turn"], key | asdict(turn))
    return turn.last_at
