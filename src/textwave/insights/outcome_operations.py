"""Outcomes of messages become rows of the lake's `message_event`, each exactly once.

The ledger says in a committed step which outcomes an export has; then its events are appended to
the lake in one transaction, each with the number of the export; then the outcomes are deleted.
After a crash the same export is taken up again; a number that the lake has is not written twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from textwave.insights import outcome_store as store
from textwave.insights import outcomes
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger, may_stand_still
from textwave.storage.queue import Job, defer
from textwave.storage.warehouse import CATALOG, Lake, Warehouse

EXPORT_TASK: Final = "insights.export_outcomes"
MESSAGES_A_ROUND: Final = 200_000
SETS_A_ROUND: Final = 5_000
EXPORTS_A_MERGE: Final = 50
_MERGED_FILE_BYTES: Final = 16_000_000
_FILES_KEPT: Final = timedelta(days=1)  # whoever began to read them has ended by then
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """What the lake has of an export, and the version it has it in."""

    events: int
    lake_version: int


async def defer_exports(ledger: Ledger) -> int:
    """Defer the export of every workspace in which outcomes wait; return of how many."""
    async with ledger.transaction() as connection:
        waiting = await store.workspaces_waiting(connection)
        await defer(connection, *(_job(workspace_id) for workspace_id in waiting))
    return len(waiting)


async def export_outcomes(
    ledger: Ledger, warehouse: Warehouse, *, workspace_id: WorkspaceId
) -> int:
    """Bring what waits into the lake, in rounds; return how many events that were.

    Harmless when run twice, also at once: the second finds the export held and leaves.
    """
    total = 0
    while await _choose(ledger, workspace_id):
        async with ledger.transaction() as connection:
            await may_stand_still(connection)
            export = await store.hold_export(connection, workspace_id)
            if export is None or not export.outcomes:
                break  # another exporter was first
            number = export.number
            written = await warehouse.run(
                workspace_id, lambda lake, number=number: write_events(lake, ledger.url, number)
            )
            await store.end_export(
                connection,
                workspace_id,
                events=written.events,
                lake_version=written.lake_version,
            )
        total += written.events
        if number % EXPORTS_A_MERGE == 0:
            unused_since = datetime.now(UTC) - _FILES_KEPT
            await warehouse.run(
                workspace_id, lambda lake, before=unused_since: merge_files(lake, before=before)
            )
    if total:
        log.info("outcomes exported", workspace=workspace_id, events=total)
    return total


async def _choose(ledger: Ledger, workspace_id: WorkspaceId) -> bool:
    """Commit which outcomes the next export has; False when nothing waits or another is at it."""
    async with ledger.transaction() as connection:
        await store.add_export(connection, workspace_id)
        export = await store.hold_export(connection, workspace_id)
        if export is not None and not export.outcomes:
            export = await store.begin_export(
                connection, workspace_id, messages=MESSAGES_A_ROUND, sets=SETS_A_ROUND
            )
        return export is not None


def write_events(lake: Lake, url: str, number: int) -> Written:
    """Append the events of an export, unless the lake has them."""
    table = lake.qualified(outcomes.TABLE)
    lake.duckdb.execute(f"CREATE TABLE IF NOT EXISTS {table} ({outcomes.lake_columns()})")
    known = lake.duckdb.execute(
        f"SELECT count(*) FROM {table} WHERE {outcomes.EXPORT_COLUMN} = ?",  # noqa: S608 - constants
        [number],
    ).fetchone()
    if known is not None and known[0]:
        return Written(known[0], lake.version())
    events = store.events(url, lake.workspace)
    lake.duckdb.register("exported", events)
    with lake.transaction():
        lake.duckdb.execute(f"INSERT INTO {table} BY NAME FROM exported")
    return Written(len(events), lake.version())


def merge_files(lake: Lake, *, before: datetime) -> None:
    """Put the small files that exports leave into bigger ones, so that rules read few files.

    Older versions of the lake can still be read. Files that were replaced before a time go.
    """
    lake.duckdb.execute(
        f"CALL ducklake_merge_adjacent_files('{CATALOG}', '{outcomes.TABLE}', "
        f"schema => '{lake.schema}', max_file_size => {_MERGED_FILE_BYTES})"
    )
    lake.duckdb.execute(
        f"CALL ducklake_cleanup_old_files('{CATALOG}', older_than => '{before.isoformat()}')"
    )


def _job(workspace_id: WorkspaceId) -> Job:
    lock = f"outcomes-{workspace_id}"
    args = {"workspace_id": workspace_id}
    return Job(EXPORT_TASK, "insights", args, lock=lock, queueing_lock=lock)
