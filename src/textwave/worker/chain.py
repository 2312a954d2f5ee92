"""What follows an import, in this order: models, then the audiences computed from them.

Only those that are refreshed after imports. Each that fails says so on itself; run again after a
crash, the chain only computes some of them twice.
"""

from typing import Any

from textwave.audiences import refresh_operations as audiences
from textwave.kit.ids import WorkspaceId
from textwave.models.refresh_operations import refresh_models_after_import
from textwave.wiring import Runtime


async def after_import(runtime: Runtime, *, workspace_id: WorkspaceId, table: str) -> None:
    """Refresh what is computed from a table that has just been imported."""
    stores: dict[str, Any] = {
        "ledger": runtime.ledger,
        "warehouse": runtime.warehouse,
        "clock": runtime.clock,
    }
    refreshed = await refresh_models_after_import(**stores, workspace_id=workspace_id, table=table)
    await audiences.refresh_after_import(
        **stores, workspace_id=workspace_id, table=table, models=refreshed
    )
