"""Week partitions of touches: made ahead, and dropped when no window looks back so far.

A week that was not made in time has its rows in `touch_other`, where they count all the same.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from psycopg import sql

from textwave.storage.ledger import Connection, execute, value

KEPT: Final = timedelta(days=31)
_WEEK: Final = timedelta(days=7)
_WEEKS_AHEAD: Final = 2
_LOCK: Final = 7_201_004  # one process at a time makes and drops weeks


async def ensure_touch_weeks(connection: Connection, day: date) -> None:
    """Make the weeks of `day` and of the two after it if they are missing; needs the owner role."""
    first = day - timedelta(days=day.weekday())
    mondays = [first + number * _WEEK for number in range(_WEEKS_AHEAD + 1)]
    if await _have_all(connection, mondays):
        return
    await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    for monday in mondays:
        if not await _have_all(connection, [monday]):
            await _make(connection, monday)


async def drop_touch_weeks(connection: Connection, *, now: datetime) -> list[str]:
    """Drop the weeks that ended 31 days ago; return their names. Needs the owner role."""
    await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    oldest = now - KEPT
    weeks = await connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'touch'::regclass"
    )
    names = [row[0] for row in await weeks.fetchall() if row[0] != "touch_other"]
    over = [name for name in names if _midnight(_monday(name) + _WEEK) <= oldest]
    for name in over:
        await connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    await execute(connection, "DELETE FROM touch_other WHERE touched_at < %s", [oldest])
    return over


async def _have_all(connection: Connection, mondays: list[date]) -> bool:
    names = [_name(monday) for monday in mondays]
    statement = "SELECT count(to_regclass(name)) FROM unnest(%s::text[]) AS name"
    found: int = await value(connection, statement, [names])
    return found == len(names)


async def _make(connection: Connection, monday: date) -> None:
    """Make a week, unless rows of it have come already."""
    first, end = _midnight(monday), _midnight(monday + _WEEK)
    came = "SELECT EXISTS (SELECT FROM touch_other WHERE touched_at >= %s AND touched_at < %s)"
    if await value(connection, came, [first, end]):
        return
    await connection.execute(
        # rows only come: cleaned often, the index alone answers for nearly all of them
        sql.SQL(
            "CREATE TABLE {} PARTITION OF touch FOR VALUES FROM ({}) TO ({}) "
            "WITH (autovacuum_vacuum_insert_scale_factor = 0.05)"
        ).format(sql.Identifier(_name(monday)), first.isoformat(), end.isoformat())
    )


def _name(monday: date) -> str:
    return f"touch_{monday:%Y_%m_%d}"


def _monday(name: str) -> date:
    return datetime.strptime(name, "touch_%Y_%m_%d").replace(tzinfo=UTC).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
