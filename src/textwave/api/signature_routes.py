"""Signatures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Who
from textwave.api.shapes import Page, Signature, page_of
from textwave.connections.accounts import RATE_MAX
from textwave.signatures import store
from textwave.signatures.operations import add_signature, set_signature_rate

routes = APIRouter()
Named = Annotated[Name, Path()]


class SignatureToAdd(BaseModel):
    """A signature that exists at the platform, without 【】."""

    platform: Name
    name: Name


class SignatureRate(BaseModel):
    """How many messages a second may leave under a signature."""

    platform: Name
    rate_per_second: int | None = Field(
        ge=1, le=RATE_MAX, description="Null: as many as the account takes."
    )


@routes.get("/signatures", tags=["signatures"], summary="List the signatures.")
async def list_signatures(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Signature]:
    """Return signatures in the order in which they were added."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.signatures(
            connection, workspace_id=caller.workspace_id, after=after or 0, limit=limit
        )
    return page_of(found, limit, Signature.model_validate, lambda one: one.id)


@routes.post("/signatures", tags=["signatures"], status_code=201, summary="Add a signature.")
async def create_signature(runtime: Rt, caller: Who, new: SignatureToAdd) -> Signature:
    """Add a signature in the state that the platform says."""
    made = await add_signature(
        runtime.ledger,
        runtime.open_platform,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        platform=new.platform,
        name=new.name,
        now=runtime.clock.now(),
    )
    return Signature.model_validate(made)


@routes.put(
    "/signatures/{name:path}/rate",
    tags=["signatures"],
    summary="Set how many messages a second leave under a signature.",
)
async def put_signature_rate(
    runtime: Rt, caller: Who, name: Named, wanted: SignatureRate
) -> Signature:
    """Set the messages a second that leave under a signature at most."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await set_signature_rate(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=wanted.platform,
            name=name,
            rate_per_second=wanted.rate_per_second,
        )
    return Signature.model_validate(kept)
