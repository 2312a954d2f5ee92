"""Deferring jobs in the transaction that made them necessary.

The job engine is Procrastinate; this writes through its own versioned SQL function, so a job exists
exactly when the change that needs it is committed. Tasks are run by `textwave.worker`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textwave.storage.ledger import Connection, value


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `lock`: one at a time; `queueing_lock`: at most one waiting."""

    task: str
    queue: str
    args: Mapping[str, Any]
    lock: str | None = None
    queueing_lock: str | None = None
    priority: int = 0
    at: datetime | None = None


async def defer(connection: Connection, *jobs: Job) -> int:
    """Write the jobs; return how many were new (a taken queueing lock means one waits already)."""
    if not jobs:
        return 0
    rows = [
        {
            "task": job.task,
            "queue": job.queue,
            "args": dict(job.args),
            "lock": job.lock,
            "queueing_lock": job.queueing_lock,
            "priority": job.priority,
            "at": job.at.isoformat() if job.at else None,
        }
        for job in jobs
    ]
    deferred: int = await value(connection, "SELECT defer_jobs(%s::jsonb)", [json.dumps(rows)])
    return deferred


async def measure(connection: Connection) -> None:
    """Let the planner see that many jobs have just come; needs the owner role.

    Without it, the first fetches after a big campaign look at every waiting job.
    """
    await connection.execute("ANALYZE procrastinate_jobs")
