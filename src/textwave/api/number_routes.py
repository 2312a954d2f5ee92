"""Why a number got a message or did not, over HTTP; the number is in the body, never in a URL."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from textwave.api.entry import Name, RowId, Rt, Text, Who
from textwave.api.suppression_routes import typed_number
from textwave.insights import why_operations
from textwave.insights.why import Why
from textwave.kit.refusal import InvalidValue

routes = APIRouter(tags=["numbers"])


class NumberToExplain(BaseModel):
    """A number, and perhaps a signature under which one more message is thought of."""

    mobile: Annotated[Text, Field(min_length=4, max_length=40)]
    platform: Name | None = None
    signature: Name | None = Field(None, description="With `platform`: what would happen now.")
    before: RowId | None = Field(None, description="The `next` of the page before.")


@routes.post("/numbers/why", summary="Explain what a number got, what not, and why.")
async def explain_number(runtime: Rt, caller: Who, asked: NumberToExplain) -> Why:
    """Return messages, drops with the rule that decided, opt-outs, and what would happen now."""
    if (asked.platform is None) != (asked.signature is None):
        raise InvalidValue("signature", "Give a platform and a signature together, or neither.")
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return await why_operations.why(
            connection,
            workspace_id=caller.workspace_id,
            mobile=await typed_number(connection, caller.workspace_id, asked.mobile),
            now=runtime.clock.now(),
            platform=asked.platform,
            signature=asked.signature,
            before=asked.before,
        )
