"""Rows of outcomes on their way into the warehouse, and their events as Arrow."""

from collections.abc import Sequence
from dataclasses import dataclass

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from psycopg.types.json import Jsonb

from textwave.insights import outcomes
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Connection, execute, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.insights", "outcome_store.sql")


@dataclass(frozen=True, slots=True)
class Export:
    """A workspace's export; `outcomes` is empty when none is under way."""

    number: int
    outcomes: Sequence[int]


async def workspaces_waiting(connection: Connection) -> list[WorkspaceId]:
    """Return the workspaces with outcomes that the warehouse has not."""
    cursor = await connection.execute(_SQL["workspaces_waiting"])
    return [WorkspaceId(row[0]) for row in await cursor.fetchall()]


async def add_export(connection: Connection, workspace_id: WorkspaceId) -> None:
    """Make the workspace's row of exports, where it is missing."""
    await execute(connection, _SQL["add_export"], {"workspace_id": workspace_id})


async def hold_export(connection: Connection, workspace_id: WorkspaceId) -> Export | None:
    """Hold the workspace's export until the transaction ends; None when another holds it."""
    return await one(connection, Export, _SQL["hold_export"], {"workspace_id": workspace_id})


async def begin_export(
    connection: Connection, workspace_id: WorkspaceId, *, messages: int, sets: int
) -> Export | None:
    """Put the oldest outcomes into the next export; None when nothing waits.

    At most so many sets, and no more of them than reach so many messages.
    """
    parameters = {"workspace_id": workspace_id, "messages": messages, "sets": sets}
    return await one(connection, Export, _SQL["begin_export"], parameters)


async def end_export(
    connection: Connection, workspace_id: WorkspaceId, *, events: int, lake_version: int
) -> None:
    """Delete the outcomes of the export under way and say what the table of events has now."""
    await execute(
        connection,
        _SQL["add_to_table"],
        {
            "workspace_id": workspace_id,
            "name": outcomes.TABLE,
            "columns": Jsonb(outcomes.declared_columns()),
            "customer_column": outcomes.CUSTOMER_COLUMN,
            "time_column": outcomes.TIME_COLUMN,
            "events": events,
            "lake_version": lake_version,
        },
    )
    await execute(connection, _SQL["end_export"], {"workspace_id": workspace_id})


def events(url: str, workspace_id: WorkspaceId) -> pa.Table:
    """Read the events of the export under way; its rows are looked up by their keys only."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        # Of rows that have just come there are no statistics; a plan by keys is always right.
        for setting in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"):
            cursor.execute(f"SET LOCAL {setting} = off")
        workspace = pa.record_batch([pa.array([workspace_id], pa.int64())], ["workspace_id"])
        cursor.execute(_SQL["events"], parameters=workspace)
        return cursor.fetch_arrow_table()
