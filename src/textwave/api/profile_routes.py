"""Profiles over HTTP: in what an audience differs from everyone or from another audience."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation
from textwave.profiles import operations as profiles
from textwave.profiles.profile import MOST_COLUMNS, MOST_VALUES, USUAL_VALUES

routes = APIRouter(tags=["audiences"])


class ProfileWanted(BaseModel):
    """What is to be looked at."""

    columns: list[Name] | None = Field(
        None, min_length=1, max_length=MOST_COLUMNS, description="Default: the first 100."
    )
    against: Name | None = Field(None, description="Another audience; default: everyone.")
    values: int = Field(USUAL_VALUES, ge=1, le=MOST_VALUES, description="Most values of a column.")


@routes.post(
    "/audiences/{name}/profile", status_code=202, summary="Compare its people with everyone."
)
async def profile(
    runtime: Rt,
    caller: Who,
    response: Response,
    name: Annotated[Name, Path()],
    wanted: ProfileWanted,
) -> Operation:
    """Begin to count values of attributes; the result has the most different columns first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await profiles.start_profile(
            connection,
            workspace_id=caller.workspace_id,
            name=name,
            columns=wanted.columns,
            against=wanted.against,
            values=wanted.values,
            viewer=viewer_of(caller),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)
