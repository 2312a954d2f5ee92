"""Jobs of RFM and AIPL models by their names.

Each may run again at any point: a run of a model that did not end is not in the ledger, and its
rows in the lake are removed later.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.kit.ids import WorkspaceId
from textwave.models import aipl_operations, operations, rfm_operations
from textwave.models.store import AIPL, RFM
from textwave.wiring import Runtime

Task = Callable[..., Awaitable[Any]]


def model_tasks(runtime: Runtime) -> dict[str, Task]:
    """Return the jobs by name."""
    stores: dict[str, Any] = {"ledger": runtime.ledger, "warehouse": runtime.warehouse}
    timed = {**stores, "clock": runtime.clock}

    async def compute_rfm(**job: Any) -> None:
        await rfm_operations.run_compute(**timed, **job)

    async def refresh(**job: Any) -> None:
        await operations.run_refresh(**timed, **job)

    async def flow(**job: Any) -> None:
        await aipl_operations.run_flow(**stores, **job)

    async def sweep(*, workspace_id: WorkspaceId) -> None:
        for kind in (RFM, AIPL):
            await operations.sweep(runtime.ledger, runtime.warehouse, workspace_id, kind)

    return {
        rfm_operations.COMPUTE: compute_rfm,
        operations.REFRESH: refresh,
        aipl_operations.FLOW: flow,
        operations.SWEEP_TASK: sweep,
    }
