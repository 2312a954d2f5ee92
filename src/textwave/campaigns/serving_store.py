"""Letting the account of a platform be served, from whatever makes batches due."""

from datetime import datetime

from textwave.kit.ids import PlatformId
from textwave.storage.ledger import Connection

SERVE_TASK = "dispatch.serve"


async def defer_serving(
    connection: Connection, platform_id: PlatformId, *, at: datetime | None = None
) -> None:
    """Let a job serve the account, at that time at the latest; None: at once.

    Called in the transaction that makes batches due; as the web role, too.
    """
    await connection.execute("SELECT defer_serving(%s, %s)", [platform_id, at])


async def measure_batches(connection: Connection) -> None:
    """Let the planner see that many batches have just come; needs the owner role."""
    await connection.execute("ANALYZE batch")
