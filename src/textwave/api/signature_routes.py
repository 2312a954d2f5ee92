"""Signatures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Who
from textwave.api.shapes import Page, page_of
from textwave.api.signature_shapes import Signature, SignaturePapers, signature_shape
from textwave.connections import store as connection_store
from textwave.connections.accounts import RATE_MAX
from textwave.signatures import operations, store

routes = APIRouter(tags=["signatures"])
Named = Annotated[Name, Path()]
AtPlatform = Annotated[Name, Query(description="The platform that it is at.")]


class SignatureToAdd(BaseModel):
    """A signature, without 【】: one that the platform has, or with papers a new one."""

    platform: Name
    name: Name
    papers: SignaturePapers | None = None


class PapersToSubmit(BaseModel):
    """Other papers for a rejected signature."""

    platform: Name
    papers: SignaturePapers


class SignatureToAskAbout(BaseModel):
    """Which signature is to be asked about: that of this platform."""

    platform: Name


class SignatureRate(BaseModel):
    """How many messages a second may leave under a signature."""

    platform: Name
    rate_per_second: int | None = Field(
        ge=1, le=RATE_MAX, description="Null: as many as the account takes."
    )


@routes.get("/signatures", summary="List the signatures.")
async def list_signatures(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Signature]:
    """Return signatures in the order in which they were added."""
    now = runtime.clock.now()
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.signatures(
            connection, workspace_id=caller.workspace_id, after=after or 0, limit=limit
        )
    return page_of(found, limit, lambda one: signature_shape(one, now), lambda one: one.id)


@routes.post("/signatures", status_code=201, summary="Add or create a signature.")
async def create_signature(runtime: Rt, caller: Who, new: SignatureToAdd) -> Signature:
    """Add a signature in the state that the platform says, or hand a new one to its reviewers."""
    now = runtime.clock.now()
    if new.papers is None:
        made = await operations.add_signature(
            runtime.ledger,
            runtime.open_platform,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=new.platform,
            name=new.name,
            now=now,
        )
        return signature_shape(made, now)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await operations.create_signature(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=new.platform,
            name=new.name,
            papers=new.papers.papers(),
            now=now,
        )
    return signature_shape(made, now)


@routes.put(
    "/signatures/{name:path}/rate", summary="Set how many messages a second leave under it."
)
async def put_signature_rate(
    runtime: Rt, caller: Who, name: Named, wanted: SignatureRate
) -> Signature:
    """Set the messages a second that leave under a signature at most."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await operations.set_signature_rate(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=wanted.platform,
            name=name,
            rate_per_second=wanted.rate_per_second,
        )
    return signature_shape(kept, runtime.clock.now())


@routes.put("/signatures/{name:path}/papers", summary="Submit a rejected signature again.")
async def put_papers(runtime: Rt, caller: Who, name: Named, wanted: PapersToSubmit) -> Signature:
    """Give a rejected signature other papers and hand it to the reviewers again."""
    now = runtime.clock.now()
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await operations.edit_signature(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=wanted.platform,
            name=name,
            papers=wanted.papers.papers(),
            now=now,
        )
    return signature_shape(kept, now)


@routes.post("/signatures/{name:path}/ask-again", summary="Ask again for a rejected signature.")
async def ask_again(
    runtime: Rt, caller: Who, name: Named, wanted: SignatureToAskAbout
) -> Signature:
    """Put a signature under review again that was corrected at the platform itself."""
    now = runtime.clock.now()
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await operations.ask_again_for_signature(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=wanted.platform,
            name=name,
            now=now,
        )
    return signature_shape(kept, now)


@routes.get("/signatures/{name:path}", summary="Read a signature.")
async def read_signature(runtime: Rt, caller: Who, name: Named, platform: AtPlatform) -> Signature:
    """Return a signature, how its review stands, and where carriers register it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        account = await connection_store.platform_named(
            connection, workspace_id=caller.workspace_id, name=platform
        )
        kept = await store.signature_named(
            connection, workspace_id=caller.workspace_id, platform_id=account.id, name=name
        )
    return signature_shape(kept, runtime.clock.now())


@routes.delete("/signatures/{name:path}", status_code=204, summary="Delete a signature.")
async def delete_signature(
    runtime: Rt,
    caller: Who,
    name: Named,
    *,
    platform: AtPlatform,
    at_platform: Annotated[
        bool, Query(description="Delete it at the platform too; that cannot be taken back.")
    ] = False,
) -> None:
    """Delete a signature here, and if that is wanted at the platform too."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await operations.delete_signature(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            platform=platform,
            name=name,
            now=runtime.clock.now(),
            at_platform=at_platform,
        )
