"""Which members stay in the warehouse: the newest of each audience and those a campaign used.

The rest is taken out; the size and time of every snapshot stay in the ledger. Safe to be repeated:
the ledger says what is gone only after it is gone.
"""

from datetime import datetime, timedelta
from typing import Final

import ibis

from textwave.audiences import life_store, store
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Lake, Warehouse

KEPT_SNAPSHOTS: Final = 5
_UNFINISHED_KEPT: Final = timedelta(days=1)


async def forget_members(ledger: Ledger, warehouse: Warehouse) -> int:
    """Take the members of old snapshots out of the lake; return of how many snapshots."""
    async with ledger.transaction() as connection:
        workspaces = await life_store.workspaces_with_members(connection)
    return sum([await _forget_old(ledger, warehouse, one) for one in workspaces])


async def forget_unfinished(ledger: Ledger, warehouse: Warehouse, *, now: datetime) -> int:
    """Take out what attempts that died over a day ago have written; return of how many attempts."""
    async with ledger.transaction() as connection:
        workspaces = await life_store.workspaces_with_members(connection)
    return sum([await _forget_unknown(ledger, warehouse, one, now=now) for one in workspaces])


async def _forget_old(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> int:
    async with ledger.transaction(workspace_id) as connection:
        old = await life_store.forgettable(connection, workspace_id, kept=KEPT_SNAPSHOTS)
    if not old:
        return 0
    await warehouse.run(workspace_id, lambda lake: store.remove_members(lake, old))
    async with ledger.transaction(workspace_id) as connection:
        await life_store.note_members_removed(connection, workspace_id, old)
    return len(old)


async def _forget_unknown(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, *, now: datetime
) -> int:
    found = await warehouse.run(workspace_id, _written_snapshots)
    async with ledger.transaction(workspace_id) as connection:
        unknown = await life_store.unknown_snapshots(
            connection, workspace_id, found, before=now - _UNFINISHED_KEPT
        )
    if unknown:
        await warehouse.run(workspace_id, lambda lake: store.remove_members(lake, unknown))
    return len(unknown)


def _written_snapshots(lake: Lake) -> list[SnapshotId]:
    if not lake.has_table(store.MEMBERS):
        return []
    ids = lake.table(store.MEMBERS).select(id=ibis._["snapshot_id"]).distinct()
    return [SnapshotId(one) for one in ids.to_pyarrow().column("id").to_pylist()]
