"""Old months over HTTP: where messages are, and moving what is old enough to the warehouse."""

from datetime import UTC, date, datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Rt, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Shape
from textwave.insights import retention_operations as retention
from textwave.insights.retention import oldest_kept

routes = APIRouter(tags=["retention"])


class MonthOfMessages(Shape):
    """One month of the workspace's messages."""

    month: date = Field(description="Its first day, in UTC.")
    campaigns: int
    messages: int
    drops: int
    open_messages: int = Field(description="Neither delivered nor failed yet.")
    exported: int = Field(description="Messages and drops that the warehouse has.")
    exported_at: datetime | None
    waits_for: list[str] = Field(description="Campaigns that have not ended; at most ten.")
    bytes: int = Field(description="In the ledger; this workspace's share, estimated by rows.")
    held_up: str = Field(
        description="What kept it in the ledger at the last try, in any workspace: campaigns not "
        "ended, messages not final, outcomes not exported, tables busy, or copy differs."
    )
    tried_at: datetime | None
    dropped_at: datetime | None = Field(description="When its rows left the ledger.")


class Retention(BaseModel):
    """How long messages stay in the ledger, and month by month where they are."""

    message_months: int = Field(description="TEXTWAVE_MESSAGE_MONTHS; 0: for ever.")
    oldest_kept: date | None = Field(description="Months before it move to the warehouse.")
    months: list[MonthOfMessages]


@routes.get("/retention", summary="Show which months of messages are in the ledger.")
async def show_retention(runtime: Rt, caller: Who) -> Retention:
    """Return at most 240 months, the newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await retention.shown_months(connection, workspace_id=caller.workspace_id)
    months = runtime.settings.message_months
    today = runtime.clock.now().astimezone(UTC).date()
    return Retention(
        message_months=months,
        oldest_kept=oldest_kept(today, months=months) if months else None,
        months=[MonthOfMessages.model_validate(month) for month in found],
    )


@routes.post("/retention/run", status_code=202, summary="Move old months to the warehouse now.")
async def run_retention(runtime: Rt, caller: Who, response: Response) -> Operation:
    """Begin what else happens once a day; for administrators. It may be cancelled and repeated."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await retention.start_retention(
            connection, caller=caller, months=runtime.settings.message_months
        )
        return await begun(connection, response, caller.workspace_id, operation_id)
