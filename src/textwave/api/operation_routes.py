"""Long-running operations over HTTP: begun with 202, watched by waiting reads."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from textwave.api.entry import After, Limit, Rt, Who, viewer_of
from textwave.api.shapes import Operation, Page, Shape, operation_shape, page_of
from textwave.audiences.seen_operations import check_seen
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress
from textwave.storage.ledger import Connection

WAIT_SECONDS_MAX = 30.0
routes = APIRouter(tags=["operations"])


class OperationLine(Shape):
    """An operation in a list."""

    id: int
    kind: str
    state: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@routes.get("/operations", summary="List the operations.")
async def list_operations(
    runtime: Rt,
    caller: Who,
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[OperationLine]:
    """Return operations, the newest first: what they are and how far, not what they are about."""
    bounded = min(limit, 200)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await progress.recent(
            connection, workspace_id=caller.workspace_id, before=after, state=state, limit=bounded
        )
    return page_of(found, bounded, OperationLine.model_validate, lambda line: line.id)


@routes.get("/operations/{operation_id}", summary="Read an operation, waiting for its end.")
async def read_operation(
    runtime: Rt,
    caller: Who,
    operation_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    wait_seconds: Annotated[float, Query(ge=0, le=WAIT_SECONDS_MAX)] = 0,
) -> Operation:
    """Return the operation when it has ended, or as it is after so many seconds."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await check_seen(
            connection,
            workspace_id=caller.workspace_id,
            operation_id=OperationId(operation_id),
            viewer=viewer_of(caller),
        )
    kept = await progress.wait(
        runtime.ledger,
        workspace_id=caller.workspace_id,
        operation_id=OperationId(operation_id),
        seconds=wait_seconds,
    )
    return operation_shape(kept)


@routes.post("/operations/{operation_id}/cancel", summary="Ask for the end of an operation.")
async def cancel_operation(
    runtime: Rt, caller: Who, operation_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> Operation:
    """Return the operation; one that runs ends as `cancelled` within a second or two."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await check_seen(
            connection,
            workspace_id=caller.workspace_id,
            operation_id=OperationId(operation_id),
            viewer=viewer_of(caller),
        )
        kept = await progress.cancel(
            connection, workspace_id=caller.workspace_id, operation_id=OperationId(operation_id)
        )
    return operation_shape(kept)


async def begun(
    connection: Connection, response: Response, workspace_id: WorkspaceId, operation_id: OperationId
) -> Operation:
    """Shape an operation that has just begun and say where to watch it."""
    response.headers["Location"] = f"/api/operations/{operation_id}"
    kept = await progress.read(connection, workspace_id=workspace_id, operation_id=operation_id)
    return operation_shape(kept)
