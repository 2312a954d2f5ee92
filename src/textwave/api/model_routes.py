"""RFM and AIPL over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from textwave.accounts.store import Caller
from textwave.api.entry import After, Limit, Name, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Page, Shape, page_of
from textwave.models import aipl_operations, operations, rfm_operations, store
from textwave.models.aipl import read_aipl
from textwave.models.definition import RfmDefinition, read_definition
from textwave.models.operations import Days, Definition
from textwave.wiring import Runtime

routes = APIRouter(tags=["models"])
Named = Annotated[Name, Path()]
Refresh = Annotated[
    Text,
    Field(max_length=100, description="Empty: by hand; or after_import; or five cron fields."),
]
Kind = Annotated[Literal["rfm", "aipl"] | None, Query(description="Only models of this kind.")]


class Model(Shape):
    """A model that puts customers into classes, with its newest run."""

    id: int
    name: str
    kind: str = Field(description="rfm or aipl")
    definition: dict[str, Any]
    refresh: str
    next_refresh_at: datetime | None
    refresh_failed_at: datetime | None
    refresh_problem: dict[str, Any] | None = Field(description="Why it could not be refreshed.")
    created_by: str
    created_at: datetime
    day: date | None = Field(description="Of the newest run; null before the first.")
    lake_version: int | None
    result: dict[str, Any] | None
    milliseconds: int | None
    computed_at: datetime | None


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


class NamedRfm(NewRfm):
    """An RFM model to be kept."""

    name: Name
    refresh: Refresh = ""


class NewAipl(BaseModel):
    """An AIPL model to be made."""

    name: Name
    table: Name
    stages: dict[str, Any] = Field(
        description="A rule for each of aware, interested, purchased, loyal; the highest wins."
    )
    keep_days: int | None = Field(None, description="Keep labels of so many days; null: all.")
    refresh: Refresh = ""


class RefreshDays(BaseModel):
    """Days of an AIPL model to label; without them: today."""

    day: date | None = None
    from_: date | None = Field(None, alias="from", description="The first of several days.")


class FlowDays(BaseModel):
    """The two days of a flow, both labelled."""

    from_: date = Field(alias="from")
    until: date


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


@routes.post("/rfm", status_code=201, summary="Make an RFM model.")
async def create_rfm(runtime: Rt, caller: Who, new: NamedRfm) -> Model:
    """Add a named model; it has no scores before its first refresh."""
    return await _create(runtime, caller, new.name, new.definition(), new.refresh)


@routes.post("/aipl", status_code=201, summary="Make an AIPL model.")
async def create_aipl(runtime: Rt, caller: Who, new: NewAipl) -> Model:
    """Add a named model; it has no labels before its first refresh."""
    given = new.model_dump(include={"table", "stages", "keep_days"})
    return await _create(runtime, caller, new.name, read_aipl(given), new.refresh)


@routes.get("/models", summary="List the models.")
async def list_models(
    runtime: Rt, caller: Who, kind: Kind = None, after: After = None, limit: Limit = 100
) -> Page[Model]:
    """Return models in the order in which they were made, each with its newest run."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.models(
            connection, caller.workspace_id, kind=kind, after=after or 0, limit=bounded
        )
    return page_of(found, bounded, Model.model_validate, lambda model: model.id)


@routes.get("/models/{name}", summary="Read a model.")
async def read_model(runtime: Rt, caller: Who, name: Named) -> Model:
    """Return a model with the result of its newest run."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return Model.model_validate(await store.model(connection, caller.workspace_id, name))


@routes.delete("/models/{name}", status_code=204, summary="Delete a model.")
async def delete_model(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a model that no rule names, with its scores or labels."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await operations.delete_model(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )


@routes.post("/models/{name}/refresh", status_code=202, summary="Compute a model anew.")
async def refresh_model(
    runtime: Rt, caller: Who, response: Response, name: Named, wanted: RefreshDays
) -> Operation:
    """Begin to compute it for today, or an AIPL model for at most 366 days until `day`."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await operations.start_refresh(
            connection,
            workspace_id=caller.workspace_id,
            name=name,
            now=runtime.clock.now(),
            days=Days(wanted.day, wanted.from_),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/aipl/{name}/stages", summary="Read the stages of an AIPL model.")
async def read_stages(
    runtime: Rt, caller: Who, name: Named, day: date | None = None
) -> dict[str, Any]:
    """Return the counts of a day (default: the newest), the difference and 30 days of trend."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return await aipl_operations.stages_at(
            connection, workspace_id=caller.workspace_id, name=name, day=day
        )


@routes.post("/aipl/{name}/flow", status_code=202, summary="Count moves between two days.")
async def flow(
    runtime: Rt, caller: Who, response: Response, name: Named, wanted: FlowDays
) -> Operation:
    """Begin to count; a stage's start is what stayed, converted and was lost."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await aipl_operations.start_flow(
            connection,
            workspace_id=caller.workspace_id,
            name=name,
            first=wanted.from_,
            last=wanted.until,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


async def _create(
    runtime: Runtime, caller: Caller, name: str, definition: Definition, refresh: str
) -> Model:
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await operations.create_model(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            definition=definition,
            now=runtime.clock.now(),
            refresh=refresh,
            viewer=viewer_of(caller),
        )
    return Model.model_validate(made)
