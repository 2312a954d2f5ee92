"""Audiences over HTTP: named rules, their estimate, preview and snapshots."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from textwave.api.entry import After, Limit, Name, Rt, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Audience, Operation, Page, audience_shape, page_of
from textwave.audiences import operations as audiences
from textwave.audiences import store
from textwave.audiences.rule import read_rule
from textwave.kit.ids import AudienceId

routes = APIRouter(tags=["audiences"])
Named = Annotated[Name, Path()]


class RuleOverTable(BaseModel):
    """Whom an audience means; the rule's form is described in the how-to on audiences."""

    table: Name
    rule: dict[str, Any]


class NewAudience(RuleOverTable):
    """An audience to be made."""

    name: Name


@routes.get("/audiences", summary="List the audiences.")
async def list_audiences(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Audience]:
    """Return audiences in the order in which they were made."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.audiences(
            connection,
            caller.workspace_id,
            after=None if after is None else AudienceId(after),
            limit=bounded,
        )
    return page_of(found, bounded, audience_shape, lambda audience: audience.id)


@routes.post("/audiences", status_code=201, summary="Make an audience.")
async def create_audience(runtime: Rt, caller: Who, new: NewAudience) -> Audience:
    """Add a named rule that fits the tables; it has no members before its first snapshot."""
    rule = read_rule(new.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await audiences.create_audience(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            table=new.table,
            rule=rule,
        )
    return audience_shape(made)


@routes.post("/audiences/estimate", status_code=202, summary="Count whom a rule selects.")
async def estimate(
    runtime: Rt, caller: Who, response: Response, wanted: RuleOverTable
) -> Operation:
    """Begin to count; the operation's result has `size` and `of`."""
    rule = read_rule(wanted.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await audiences.start_estimate(
            connection, workspace_id=caller.workspace_id, table=wanted.table, rule=rule
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/audiences/{name:path}/snapshots", status_code=202, summary="Compute the members now."
)
async def refresh(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin to write the members down; the operation's result has `size`."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await audiences.start_snapshot(
            connection, workspace_id=caller.workspace_id, name=name
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/audiences/{name:path}/preview", status_code=202, summary="Look at the first 100 customers."
)
async def preview(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin to read customers of the audience; their numbers are masked."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.audience(connection, caller.workspace_id, name)
        operation_id = await audiences.start_preview(
            connection,
            workspace_id=caller.workspace_id,
            table=found.definition.table,
            rule=found.definition.rule,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/audiences/{name:path}", summary="Read an audience.")
async def read_audience(runtime: Rt, caller: Who, name: Named) -> Audience:
    """Return an audience with its newest snapshot."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return audience_shape(await store.audience(connection, caller.workspace_id, name))
