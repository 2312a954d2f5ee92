"""The ledger: a bounded pool of PostgreSQL connections and transactions that name their workspace.

One transaction is one unit of an operation. The web login sees only the rows of the workspace that
the transaction names; the owner sees all and names the workspace in each statement.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, LiteralString, TypeVar

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

from textwave.kit.ids import WorkspaceId

type_row = TypeVar("type_row")
Connection = AsyncConnection[TupleRow]
Parameters = Mapping[str, Any] | Sequence[Any] | None

RECONNECT_SECONDS: Final = 10.0
"""How long a pool tries to connect at growing pauses before the next caller begins anew."""
IDLE_SECONDS: Final = 15.0
"""How long a transaction may stand still before the server ends it and lets go of its locks."""

# A network cut says nothing to either side. We notice it by these; the server by those, and lets
# go of the locks of whoever is gone.
_LIMITS_TO_SILENCE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
_SERVER_LIMITS: Final = """
    SELECT set_config('tcp_keepalives_idle', '10', false),
           set_config('tcp_keepalives_interval', '5', false),
           set_config('tcp_keepalives_count', '3', false),
           set_config('tcp_user_timeout', '25000', false),
           set_config('idle_in_transaction_session_timeout', %s::integer::text, false)"""
_NO_LIMIT_TO_IDLENESS: Final = """
    SELECT set_config('idle_in_transaction_session_timeout', '0', true)"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Access to PostgreSQL as one role."""

    url: str
    pool: AsyncConnectionPool[Connection]

    @asynccontextmanager
    async def transaction(
        self, workspace: WorkspaceId | None = None
    ) -> AsyncGenerator[Connection, None]:
        """Open a transaction; with a workspace, row-level security admits that one only."""
        async with self.pool.connection() as connection, connection.transaction():
            if workspace is not None:
                await connection.execute(
                    "SELECT set_config('textwave.workspace', %s, true)", [str(workspace)]
                )
            yield connection


@asynccontextmanager
async def open_ledger(
    url: str, *, connections: int = 10, idle_seconds: float = IDLE_SECONDS
) -> AsyncGenerator[Ledger, None]:
    """Open a pool of at most so many connections; a caller waits at most 30 seconds for one."""
    url = enduring(url)
    pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=connections,
        timeout=30,
        reconnect_timeout=RECONNECT_SECONDS,
        open=False,
        configure=partial(limit_silence, idle_seconds=idle_seconds),
        check=AsyncConnectionPool.check_connection,
        kwargs={"application_name": "textwave"},
    )
    async with pool:
        yield Ledger(url, pool)


def enduring(url: str) -> str:
    """Return the URL with limits to silence, where it has none of its own."""
    missing = _LIMITS_TO_SILENCE.keys() - conninfo_to_dict(url).keys()
    return make_conninfo(url, **{name: _LIMITS_TO_SILENCE[name] for name in missing})


async def limit_silence(
    connection: AsyncConnection[Any], idle_seconds: float = IDLE_SECONDS
) -> None:
    """Let the server notice within half a minute that this client is cut off, or hangs."""
    await connection.execute(_SERVER_LIMITS, [round(idle_seconds * 1000)])
    await connection.commit()


async def may_stand_still(connection: Connection) -> None:
    """Let this one transaction stand still as long as it likes, while something else is done.

    For a job that holds what only jobs of its own kind wait for.
    """
    await connection.execute(_NO_LIMIT_TO_IDLENESS)


async def many(
    connection: Connection,
    row_class: type[type_row],
    statement: LiteralString,
    parameters: Parameters = None,
) -> list[type_row]:
    """Run a statement and return its rows as values of a dataclass with the same field names."""
    async with connection.cursor(row_factory=class_row(row_class)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchall()


async def one(
    connection: Connection,
    row_class: type[type_row],
    statement: LiteralString,
    parameters: Parameters = None,
) -> type_row | None:
    """Run a statement and return its only row, or None."""
    async with connection.cursor(row_factory=class_row(row_class)) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchone()


async def value(
    connection: Connection, statement: LiteralString, parameters: Parameters = None
) -> Any:
    """Run a statement and return the first column of its first row, or None without a row."""
    cursor = await connection.execute(statement, parameters)
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def execute(
    connection: Connection, statement: LiteralString, parameters: Parameters = None
) -> int:
    """Run a statement and return how many rows it touched."""
    cursor = await connection.execute(statement, parameters)
    return cursor.rowcount
