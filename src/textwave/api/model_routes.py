"""RFM and AIPL over HTTP."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation
from textwave.models import rfm_operations
from textwave.models.definition import RfmDefinition, read_definition

routes = APIRouter(tags=["models"])


class NewRfm(BaseModel):
    """What RFM is computed from and how; bands or quantiles are needed."""

    table: Name
    customer: Name | None = Field(None, description="Default: the table's declared column.")
    time: Name | None = None
    amount: Name | None = None
    count: Name | None = Field(None, description="Of a table of order summaries.")
    last_days: int | None = Field(None, description="Only orders of that day and so many before.")
    where: list[dict[str, Any]] | None = Field(None, description="Conditions as in rules.")
    bands: dict[str, Any] | None = Field(
        None, description="For each of recency_days, frequency, monetary: [[up to, score], …]."
    )
    quantiles: int | None = Field(None, description="2 to 10 scores of equally many customers.")
    baseline: str | list[float] | None = Field(None, description="“mean” or three numbers.")

    def definition(self) -> RfmDefinition:
        """Read it.

        Raises:
            ScoringMalformed, RuleMalformed: with the place.
        """
        named = self.model_dump(include=set(NewRfm.model_fields), exclude_none=True)
        return read_definition(named)


class RfmAtDay(NewRfm):
    """An RFM computation that is told and not kept."""

    at: date | None = Field(None, description="Day of the analysis; default: today.")


@routes.post("/rfm/compute", status_code=202, summary="Compute RFM once.")
async def compute_rfm(runtime: Rt, caller: Who, response: Response, wanted: RfmAtDay) -> Operation:
    """Begin to compute; the result has types, scores, means, baseline and thresholds."""
    definition = wanted.definition()
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await rfm_operations.start_compute(
            connection, workspace_id=caller.workspace_id, definition=definition, day=wanted.at
        )
        return await begun(connection, response, caller.workspace_id, operation_id)
