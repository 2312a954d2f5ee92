"""Models computed anew by themselves: by the clock, and after an import.

One that cannot be computed says so on itself and holds up no other.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from textwave.audiences.references import references
from textwave.customers.schedule import next_time
from textwave.kit.clock import Clock
from textwave.kit.ids import WorkspaceId
from textwave.models import store
from textwave.models.aipl import read_aipl
from textwave.models.operations import REFRESH, Refreshing, refresh_model
from textwave.models.store import RFM, Waiting
from textwave.storage import progress
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Warehouse

log = structlog.get_logger(__name__)


async def defer_due_models(ledger: Ledger, *, now: datetime) -> int:
    """Begin the refresh of each model whose time has come; return how many there were."""
    async with ledger.transaction() as connection:
        due = await store.take_due(connection, now)
        times = {
            one.id: next_time(one.refresh, after=now, zone=ZoneInfo(one.time_zone)) for one in due
        }
        await store.set_next_refreshes(connection, times)
        for one in due:
            request = {"model": one.name, "first": None, "last": None}
            await progress.begin(
                connection, workspace_id=one.workspace_id, kind=REFRESH, request=request
            )
    return len(due)


async def refresh_models_after_import(
    *, ledger: Ledger, warehouse: Warehouse, clock: Clock, workspace_id: WorkspaceId, table: str
) -> list[str]:
    """Refresh the models that wait for imports and are computed from the table.

    Scores come before stages, whose rules may name them. Returns the names of those refreshed.
    """
    refreshing = Refreshing(ledger, warehouse, clock, workspace_id)
    async with ledger.transaction(workspace_id) as connection:
        waiting = await store.waiting_for_imports(connection, workspace_id)
    refreshed: list[str] = []
    for model in waiting:
        if not _follows(model, table, refreshed):
            continue
        try:
            await refresh_model(refreshing, model.name)
        except Exception as error:  # noqa: BLE001 - said on the model; the others go on
            log.warning("refresh failed", model=model.id, error=type(error).__name__)
            continue
        refreshed.append(model.name)
    return refreshed


def _follows(model: Waiting, table: str, refreshed: Collection[str]) -> bool:
    """Tell whether a model is computed from the table or from a refreshed model."""
    definition: Mapping[str, Any] = model.definition
    if definition["table"] == table:
        return True
    if model.kind == RFM:
        return False
    named = [references(rule) for rule in read_aipl(definition).stages]
    return any(table in one.tables or not one.models.isdisjoint(refreshed) for one in named)
