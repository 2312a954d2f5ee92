"""Replies and opt-outs over HTTP; numbers come out masked."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from textwave.accounts.store import workspace
from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import (
    OptOut,
    Page,
    Reply,
    opt_out_shape,
    page_of,
    reply_shape,
)
from textwave.campaigns.operations import campaign as campaign_named
from textwave.connections.store import platform_named
from textwave.kit.ids import OptOutId, ReplyId, SignatureId, WorkspaceId
from textwave.kit.mobile import read_mobile
from textwave.kit.refusal import InvalidValue
from textwave.responses import store as responses
from textwave.responses.intent import Intent
from textwave.signatures.store import signature_named
from textwave.storage.ledger import Connection
from textwave.suppression import operations as suppression
from textwave.suppression import store as suppressed

routes = APIRouter()


class NumberToBlock(BaseModel):
    """A number that asked not to be written to under a signature."""

    platform: Name
    signature: Name
    mobile: Annotated[Text, Field(min_length=4, max_length=40)]
    evidence: Annotated[Text, Field(max_length=500)] = ""


@routes.get("/replies", tags=["replies"], summary="List replies.")
async def list_replies(
    runtime: Rt,
    caller: Who,
    campaign: Annotated[Name | None, Query()] = None,
    intent: Intent | None = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[Reply]:
    """Return replies, newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        of = None
        if campaign is not None:
            of = (await campaign_named(connection, caller.workspace_id, campaign)).id
        found = await responses.replies(
            connection,
            workspace_id=caller.workspace_id,
            campaign_id=of,
            intent=intent,
            after=None if after is None else ReplyId(after),
            limit=limit,
        )
    return page_of(found, limit, reply_shape, lambda one: one.id)


@routes.get("/opt-outs", tags=["opt-outs"], summary="List the opt-outs in force.")
async def list_opt_outs(
    runtime: Rt,
    caller: Who,
    platform: Annotated[Name | None, Query()] = None,
    signature: Annotated[Name | None, Query()] = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[OptOut]:
    """Return opt-outs, newest first; of one signature with `platform` and `signature`."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        of = None
        if platform is not None and signature is not None:
            of = await _signature_id(connection, caller.workspace_id, platform, signature)
        found = await suppressed.opt_outs(
            connection,
            workspace_id=caller.workspace_id,
            signature_id=of,
            after=None if after is None else OptOutId(after),
            limit=limit,
        )
    return page_of(found, limit, opt_out_shape, lambda one: one.id)


@routes.post("/opt-outs", tags=["opt-outs"], status_code=201, summary="Opt a number out.")
async def add_opt_out(runtime: Rt, caller: Who, new: NumberToBlock) -> OptOut:
    """Block a number for a signature at once, also in campaigns under way."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        region = (await workspace(connection, caller.workspace_id)).default_region
        mobile = read_mobile(new.mobile, region)
        if mobile is None:
            raise InvalidValue("mobile", "This is no number that a text could reach.")
        signature_id = await _signature_id(
            connection, caller.workspace_id, new.platform, new.signature
        )
        kept = await suppression.opt_out(
            connection,
            workspace_id=caller.workspace_id,
            signature_id=signature_id,
            mobile=mobile,
            evidence=new.evidence,
            actor=caller.name,
            now=runtime.clock.now(),
        )
    return opt_out_shape(kept)


async def _signature_id(
    connection: Connection, workspace_id: WorkspaceId, platform: str, signature: str
) -> SignatureId:
    account = await platform_named(connection, workspace_id=workspace_id, name=platform)
    found = await signature_named(
        connection, workspace_id=workspace_id, platform_id=account.id, name=signature
    )
    return found.id
