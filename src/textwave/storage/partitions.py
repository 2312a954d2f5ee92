"""Month partitions of the bulk tables, made when the first row of a month is about to come."""

from datetime import date
from typing import Final

from psycopg import sql

from textwave.kit.ids import partition_bounds
from textwave.storage.ledger import Connection, execute, value

_PARTITIONED: Final = ("message", "message_drop")
_LOCK: Final = 7_201_001  # one process at a time makes partitions


async def ensure_partitions(connection: Connection, day: date) -> None:
    """Make the partitions of the month of `day` if they are missing; needs the owner role."""
    await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    first, end = partition_bounds(day)
    for table in _PARTITIONED:
        name = f"{table}_{day:%Y_%m}"
        if await value(connection, "SELECT to_regclass(%s)", [name]) is None:
            await connection.execute(
                sql.SQL(
                    "CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({}) "
                    "WITH (fillfactor = 80)"
                ).format(sql.Identifier(name), sql.Identifier(table), first, end)
            )
