"""Months of messages in the ledger: what is known of them, and reading, sealing and dropping them.

As the owner, but for `shown`. The partitions of a sealed month take no change; they are dropped in
the transaction that says so.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg import sql

from textwave.insights.history import DROPS, MESSAGES, Digest, HistoryTable
from textwave.insights.retention import HeldUp, RetentionRunning
from textwave.kit.ids import MESSAGES_PER_MONTH, CampaignId, WorkspaceId, partition_bounds
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.partitions import PARTITIONED, partition_name
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.insights", "history_store.sql")
_RUN_LOCK: Final = 7_201_003  # one process at a time moves months
_CLEARED_AT_ONCE: Final = 20_000
# A message's request is found by a computed number, of which there are no statistics: a plan that
# looks through the campaign's requests for each message would be quadratic.
_JOIN_IN_BULK: Final = "SET LOCAL enable_nestloop = off"
_SEAL: Final = "leave_as_it_is"
_STREAMS: Final = {MESSAGES.name: "messages_of", DROPS.name: "drops_of"}
_DIGESTS: Final = {MESSAGES.name: "digest_messages", DROPS.name: "digest_drops"}


@dataclass(frozen=True, slots=True)
class KnownMonth:
    """A month that was tried."""

    month: date
    tried_at: datetime | None
    held_up: str
    sealed_at: datetime | None
    dropped_at: datetime | None
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """A month of a workspace. `exported` counts rows in the warehouse, `bytes` those here."""

    month: date
    campaigns: int
    messages: int
    drops: int
    open_messages: int
    exported: int
    exported_at: datetime | None
    waits_for: Sequence[str]
    bytes: int
    held_up: str
    tried_at: datetime | None
    dropped_at: datetime | None


@dataclass(frozen=True, slots=True)
class MovingCampaign:
    """A campaign on its way out: its block of ids, of which some may be gone."""

    id: CampaignId
    workspace_id: WorkspaceId
    first_id: int
    last_id: int

    @property
    def key(self) -> dict[str, int]:
        """Return it as parameters of statements."""
        return {
            "campaign_id": self.id,
            "workspace_id": self.workspace_id,
            "first_id": self.first_id,
            "last_id": self.last_id,
        }


@dataclass(frozen=True, slots=True)
class Copied:
    """What the ledger has of a campaign, and the warehouse as well."""

    campaign_id: CampaignId
    messages: Digest
    drops: Digest


@asynccontextmanager
async def only_run(url: str) -> AsyncGenerator[None, None]:
    """Be the one process that moves months; ends with the process, too.

    Raises:
        RetentionRunning: another one does.
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        if not await value(connection, "SELECT pg_try_advisory_lock(%s)", [_RUN_LOCK]):
            raise RetentionRunning
        yield


async def partitions(connection: Connection) -> list[date]:
    """Return the months whose messages are in the ledger."""
    cursor = await connection.execute(_SQL["partitions"])
    return [row[0] for row in await cursor.fetchall()]


async def months(connection: Connection) -> list[KnownMonth]:
    """Return what is known of months that were tried."""
    return await many(connection, KnownMonth, _SQL["months"])


async def shown(connection: Connection, workspace_id: WorkspaceId) -> list[ShownMonth]:
    """Return the months of a workspace, the newest first."""
    parameters = {"workspace_id": workspace_id, "ids_a_month": MESSAGES_PER_MONTH}
    return await many(connection, ShownMonth, _SQL["shown"], parameters)


async def holds_up(connection: Connection, month: date) -> HeldUp | None:
    """Return what keeps a month here: asked of counters first, then of the rows."""
    bounds = _bounds(month)
    await connection.execute(_JOIN_IN_BULK)
    for statement, reason in (
        ("unended", HeldUp.CAMPAIGNS),
        ("unended_tally", HeldUp.MESSAGES),
        ("unexported", HeldUp.OUTCOMES),
        ("open_message", HeldUp.MESSAGES),
    ):
        if await value(connection, _SQL[statement], bounds):
            return reason
    return None


async def note(connection: Connection, month: date, held_up: HeldUp | None) -> None:
    """Say what keeps a month here."""
    await execute(connection, _SQL["add_month"], {"month": month})
    parameters = {"month": month, "held_up": held_up.value if held_up else ""}
    await execute(connection, _SQL["held_up"], parameters)


async def seal(connection: Connection, month: date) -> None:
    """Let nothing change in a month's partitions any more."""
    await _be_quick(connection)
    for table in PARTITIONED:
        await connection.execute(
            sql.SQL(
                "CREATE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE ON {} "
                "FOR EACH ROW EXECUTE FUNCTION leave_as_it_is()"
            ).format(sql.Identifier(_SEAL), sql.Identifier(partition_name(table, month)))
        )
    await execute(connection, _SQL["sealed"], {"month": month})


async def unseal(connection: Connection, month: date) -> None:
    """Let a month change again; what was copied of it does not count any more."""
    for table in PARTITIONED:
        await connection.execute(
            sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(
                sql.Identifier(_SEAL), sql.Identifier(partition_name(table, month))
            )
        )
    await execute(connection, _SQL["unsealed"], {"month": month})


async def waiting_campaigns(connection: Connection, month: date) -> list[MovingCampaign]:
    """Return the campaigns of a month that the warehouse has not yet."""
    return await many(connection, MovingCampaign, _SQL["waiting_campaigns"], _bounds(month))


async def digest(connection: Connection, table: HistoryTable, campaign: MovingCampaign) -> Digest:
    """Count and digest what the ledger has of a campaign."""
    await connection.execute(_JOIN_IN_BULK)
    cursor = await connection.execute(_SQL[_DIGESTS[table.name]], campaign.key)
    row = await cursor.fetchone()
    return Digest(0, 0) if row is None else Digest(int(row[0]), int(row[1]))


def rows_of(
    url: str, table: HistoryTable, campaigns: Sequence[MovingCampaign]
) -> Iterator[pa.RecordBatch]:
    """Stream what the ledger has of campaigns, one after the other."""
    with adbc.connect(url) as connection:
        with connection.cursor() as cursor:
            cursor.execute(_JOIN_IN_BULK)
        for campaign in campaigns:
            statement = sql.SQL(_SQL[_STREAMS[table.name]]).format(
                **{name: sql.Literal(number) for name, number in campaign.key.items()}
            )
            with connection.cursor() as cursor:
                cursor.execute(statement.as_string())
                yield from cursor.fetch_record_batch()


async def add_history(
    connection: Connection,
    workspace_id: WorkspaceId,
    month: date,
    copied: Sequence[Copied],
    lake_version: int,
) -> None:
    """Say that the warehouse has these campaigns."""
    parameters: Mapping[str, Any] = {
        "workspace_id": workspace_id,
        "month": month,
        "campaign_ids": [one.campaign_id for one in copied],
        "messages": [one.messages.rows for one in copied],
        "drops": [one.drops.rows for one in copied],
        "message_digests": [one.messages.digest for one in copied],
        "drop_digests": [one.drops.digest for one in copied],
        "lake_version": lake_version,
    }
    await execute(connection, _SQL["add_history"], parameters)


async def copied(connection: Connection, month: date) -> tuple[int, int]:
    """Return how many messages and drops of a month the warehouse has."""
    cursor = await connection.execute(_SQL["copied"], {"month": month})
    row = await cursor.fetchone()
    return (0, 0) if row is None else (row[0], row[1])


async def is_copied(connection: Connection, month: date) -> bool:
    """Tell whether the warehouse has as many rows as the month's partitions."""
    here = [await _count(connection, table, month) for table in PARTITIONED]
    return await copied(connection, month) == tuple(here)


async def _count(connection: Connection, table: str, month: date) -> int:
    name = sql.Identifier(partition_name(table, month))
    cursor = await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
    row = await cursor.fetchone()
    return 0 if row is None else row[0]


async def drop_month(connection: Connection, month: date) -> HeldUp | None:
    """Drop a month's partitions, unless an outcome still needs them.

    Raises:
        psycopg.errors.LockNotAvailable: the tables are in use; nothing has changed.
    """
    await _be_quick(connection)
    await execute(connection, _SQL["hold_tables"])
    if await value(connection, _SQL["unexported"], _bounds(month)):
        return HeldUp.OUTCOMES
    await execute(connection, _SQL["keep_last_answers"], {"month": month})
    for table in PARTITIONED:
        name = sql.Identifier(partition_name(table, month))
        await connection.execute(sql.SQL("DROP TABLE {}").format(name))
    await execute(connection, _SQL["dropped"], {"month": month})
    return None


async def clear(connection: Connection, month: date) -> int:
    """Delete a number of the requests, batches and clicks of a dropped month; return how many."""
    end = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    parameters = {"month": month, "limit": _CLEARED_AT_ONCE, "before": end}
    gone = 0
    for statement in ("clear_requests", "clear_batches", "clear_clicks", "clear_nameless_clicks"):
        gone += await execute(connection, _SQL[statement], parameters)
    return gone


async def note_cleared(connection: Connection, month: date) -> None:
    """Say that nothing of a month is left but its counters."""
    await execute(connection, _SQL["cleared"], {"month": month})


def _bounds(month: date) -> dict[str, int]:
    first, end = partition_bounds(month)
    return {"first_id": first, "end_id": end}


async def _be_quick(connection: Connection) -> None:
    """Give up rather than let sending queue up behind a lock."""
    await connection.execute("SET LOCAL lock_timeout = '500ms'")
