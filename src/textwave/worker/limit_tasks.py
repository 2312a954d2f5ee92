"""Jobs of what people get at most, by their names."""

from collections.abc import Awaitable, Callable
from typing import Any

from textwave.campaigns import allowlist_operations as allowlists
from textwave.limits import allowlist_operations
from textwave.limits import operations as limits_operations
from textwave.wiring import Runtime


def limit_tasks(runtime: Runtime) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Return the jobs; each may run again at any point."""

    async def count_by_customer(**job: Any) -> None:
        await limits_operations.run_count_by_customer(
            ledger=runtime.ledger, clock=runtime.clock, **job
        )

    async def fill_allowlist(**job: Any) -> None:
        await allowlists.run_fill(
            ledger=runtime.ledger, warehouse=runtime.warehouse, vault=runtime.vault, **job
        )

    return {
        limits_operations.COUNT_BY_CUSTOMER_TASK: count_by_customer,
        allowlist_operations.FILL_TASK: fill_allowlist,
    }
