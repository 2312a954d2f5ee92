"""Previews of templates over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation
from textwave.previews.operations import MOST_CUSTOMERS, AskedPreview, start_preview

routes = APIRouter(tags=["templates"])
Named = Annotated[Name, Path()]


class PreviewedVariable(BaseModel):
    """Which column a variable comes from, and what happens without a value."""

    column: Name
    missing: Literal["default", "empty", "drop"] = "drop"
    default: Annotated[Text, Field(max_length=100)] = ""


class TemplateToPreview(BaseModel):
    """Whom a template is previewed for: some customers of an audience's table, and all of it."""

    audience: Name
    customers: Annotated[
        list[Name], Field(max_length=MOST_CUSTOMERS, description="By the key of the table.")
    ] = []
    signature: Annotated[
        Text, Field(max_length=200, description="Empty: the first approved one.")
    ] = ""
    variables: Annotated[
        dict[Annotated[str, Field(max_length=100)], PreviewedVariable],
        Field(max_length=50, description="Those left out come from the column of their name."),
    ] = {}


@routes.post(
    "/templates/{name:path}/preview", status_code=202, summary="Preview a template's texts."
)
async def preview_template(
    runtime: Rt, caller: Who, name: Named, wanted: TemplateToPreview, response: Response
) -> Operation:
    """Begin a preview; the result has each customer's text, the worst one and the average."""
    asked = AskedPreview(
        template=name,
        audience=wanted.audience,
        customers=wanted.customers,
        signature=wanted.signature,
        variables={key: source.model_dump() for key, source in wanted.variables.items()},
    )
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await start_preview(
            connection, workspace_id=caller.workspace_id, asked=asked, viewer=viewer_of(caller)
        )
        return await begun(connection, response, caller.workspace_id, operation_id)
