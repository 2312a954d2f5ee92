"""Month partitions of the bulk tables, made before the first row of a month comes.

A partition is made beside its table and then attached, which lets everybody go on reading and
writing meanwhile.
"""

from datetime import date
from typing import Final

from psycopg import sql

from textwave.kit.ids import partition_bounds
from textwave.storage.ledger import Connection, execute, value
from textwave.storage.touch_weeks import ensure_touch_weeks

PARTITIONED: Final = ("message", "message_drop")
_LOCK: Final = 7_201_001  # one process at a time makes partitions


def partition_name(table: str, month: date) -> str:
    """Return the name of a month's partition."""
    return f"{table}_{month:%Y_%m}"


async def ensure_partitions(connection: Connection, day: date) -> None:
    """Make the partitions of the month of `day` if they are missing; needs the owner role."""
    await ensure_touch_weeks(connection, day)
    if await _has_all(connection, day):
        return
    await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    first, end = partition_bounds(day)
    for table in PARTITIONED:
        name = partition_name(table, day)
        if await value(connection, "SELECT to_regclass(%s)", [name]) is not None:
            continue
        await connection.execute(
            sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL) WITH (fillfactor = 80)").format(
                sql.Identifier(name), sql.Identifier(table)
            )
        )
        await connection.execute(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                sql.Identifier(table), sql.Identifier(name), first, end
            )
        )


async def _has_all(connection: Connection, day: date) -> bool:
    """Tell whether nothing is missing, without a lock."""
    names = [partition_name(table, day) for table in PARTITIONED]
    statement = "SELECT count(to_regclass(name)) FROM unnest(%s::text[]) AS name"
    found: int = await value(connection, statement, [names])
    return found == len(names)
