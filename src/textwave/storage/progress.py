"""Long-running operations: begun by a request, done by a job, watched by whoever asked.

Imports, estimates, snapshots, previews and dry runs are such. Each ends as succeeded with
a result, failed with the refusal that stopped it, or cancelled; a crash leaves it running until
the job is given to another worker. A cancel that comes after the work is done changes nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import NotFound, Refusal
from textwave.storage.ledger import Connection, Ledger, execute, many, one, value
from textwave.storage.queue import Job, defer
from textwave.storage.statements import load_statements
from textwave.storage.trouble import DiskFull, is_database_gone, is_disk_full
from textwave.storage.watching import Probe, probes_of_operation, told

_SQL = load_statements("textwave.storage", "progress.sql")
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.03, 0.5
_TELL_SECONDS = 0.5
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """One long-running operation as the ledger has it."""

    id: OperationId
    workspace_id: WorkspaceId
    kind: str
    state: str
    request: dict[str, Any]
    progress: dict[str, Any]
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        """Tell whether it has ended, well or not."""
        return self.state in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class OperationLine:
    """One operation in a list: without what was asked and what came of it."""

    id: OperationId
    kind: str
    state: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


async def begin(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    kind: str,
    request: Mapping[str, Any],
    queue: str = "compute",
) -> OperationId:
    """Write the operation and the job that performs it: task `kind`, in one transaction."""
    operation_id = OperationId(
        await value(
            connection,
            _SQL["add"],
            {"workspace_id": workspace_id, "kind": kind, "request": Jsonb(dict(request))},
        )
    )
    args = {"workspace_id": workspace_id, "operation_id": operation_id}
    # somebody waits for it: before the batches of campaigns
    await defer(connection, Job(task=kind, queue=queue, args=args, priority=10))
    return operation_id


async def perform(
    ledger: Ledger,
    *,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    work: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
) -> None:
    """Run the work of an operation (given its request) and record how it ended.

    While it runs, what its probes tell is noted, and a wish to cancel is passed on to it.
    """
    key = {"workspace_id": workspace_id, "operation_id": operation_id}
    async with ledger.transaction() as connection:
        started = await value(connection, _SQL["start"], key)
        operation = await read(connection, workspace_id=workspace_id, operation_id=operation_id)
    if started is None:
        return
    began = time.monotonic()
    try:
        with probes_of_operation() as probes:
            result = await _watched(ledger, key, probes, work(operation.request))
    except Refusal as refusal:
        await _fail(ledger, key, as_problem(refusal))
        return
    except _CancelledByUserError:
        async with ledger.transaction() as connection:
            await execute(connection, _SQL["end_cancelled"], key)
        return
    except Exception as error:
        if is_disk_full(error):
            log.warning("disk full", kind=operation.kind, operation=operation_id)
            await _fail(ledger, key, as_problem(DiskFull()))
            return
        if is_database_gone(error):
            raise  # the job runs again, and the operation with it
        log.exception("operation failed", kind=operation.kind, operation=operation_id)
        sentence = "Something unexpected went wrong; the worker's log has the details."
        await _fail(ledger, key, {"code": "internal", "sentence": sentence, "fields": {}})
        return
    result["seconds"] = round(time.monotonic() - began, 3)
    async with ledger.transaction() as connection:
        await execute(connection, _SQL["succeed"], {**key, "result": Jsonb(result)})


async def cancel(
    connection: Connection, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> Operation:
    """Ask for the end of an operation; one that has not begun ends at once.

    Raises:
        NotFound: there is none with that id in the workspace.
    """
    key = {"workspace_id": workspace_id, "operation_id": operation_id}
    await execute(connection, _SQL["cancel"], key)
    return await read(connection, workspace_id=workspace_id, operation_id=operation_id)


class _CancelledByUserError(Exception):
    """Somebody asked for the end, and the work has ended for it."""


async def _watched(
    ledger: Ledger,
    key: Mapping[str, Any],
    probes: list[Probe],
    work: Awaitable[dict[str, Any]],
) -> dict[str, Any]:
    """Await the work; tell how far it is, and cancel it when somebody asks for that."""
    job = asyncio.ensure_future(work)
    asked = False
    try:
        while not (await asyncio.wait([job], timeout=_TELL_SECONDS))[0]:
            if await _tell(ledger, key, told(probes)) and not asked:
                asked = job.cancel()
        return job.result()
    except asyncio.CancelledError:
        if asked and job.done():
            raise _CancelledByUserError from None
        raise
    finally:
        if not job.done():
            job.cancel()
            await asyncio.wait([job])


async def _tell(ledger: Ledger, key: Mapping[str, Any], progress: Mapping[str, Any]) -> bool:
    """Note the progress; tell whether somebody asked for the end. The work outlives a lost line."""
    try:
        async with ledger.transaction() as connection:
            return bool(await value(connection, _SQL["tell"], {**key, "progress": Jsonb(progress)}))
    except (psycopg.Error, PoolTimeout) as error:
        log.warning("progress not told", operation=key["operation_id"], error=str(error))
        return False


async def read(
    connection: Connection, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> Operation:
    """Read one operation.

    Raises:
        NotFound: there is none with that id in the workspace.
    """
    key = {"workspace_id": workspace_id, "operation_id": operation_id}
    operation = await one(connection, Operation, _SQL["read"], key)
    if operation is None:
        raise NotFound("operation", str(operation_id))
    return operation


async def forget(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the oldest operations that ended before a time; return how many. As the owner.

    What they did stays; what was shown of it, such as a preview, goes with them.
    """
    return await execute(connection, _SQL["forget"], {"before": before, "limit": limit})


async def recent(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    before: int | None = None,
    state: str | None = None,
    limit: int = 100,
) -> list[OperationLine]:
    """Return a page of at most 200 operations, the newest first."""
    parameters = {
        "workspace_id": workspace_id,
        "before": before or 2**63 - 1,
        "state": state,
        "limit": min(limit, 200),
    }
    return await many(connection, OperationLine, _SQL["recent"], parameters)


async def wait(
    ledger: Ledger, *, workspace_id: WorkspaceId, operation_id: OperationId, seconds: float
) -> Operation:
    """Wait at most so many seconds for the end; return the operation as it then is."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_LOOK_SECONDS
    while True:
        async with ledger.transaction(workspace_id) as connection:
            operation = await read(connection, workspace_id=workspace_id, operation_id=operation_id)
        left = deadline - time.monotonic()
        if operation.finished or left <= 0:
            return operation
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)


def as_problem(refusal: Refusal) -> dict[str, Any]:
    """Return a refusal as the stored problem: code, sentence, fields."""
    return {"code": refusal.code, "sentence": refusal.sentence, "fields": refusal.fields}


async def _fail(ledger: Ledger, key: Mapping[str, Any], problem: dict[str, Any]) -> None:
    async with ledger.transaction() as connection:
        await execute(connection, _SQL["fail"], {**key, "problem": Jsonb(problem)})
