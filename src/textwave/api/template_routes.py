"""Templates, and counting a text, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import Count, Page, Template, WrittenTemplate, page_of
from textwave.content import operations, store
from textwave.content.operations import TemplateDraft
from textwave.kit.text import Counting, count
from textwave.platforms.contract import MessageType
from textwave.wiring import links_url

routes = APIRouter()
Named = Annotated[Name, Path()]
Body = Annotated[Text, Field(max_length=2_000)]


class TemplateToWrite(BaseModel):
    """A template: name 1-30, content 1-500, remark for the reviewer 1-100 characters."""

    name: Name
    platform: Name
    type: MessageType
    content: Body
    remark: Name


class TextToCount(BaseModel):
    """A text as it is sent, and the signature in front of it."""

    text: Annotated[str, Field(max_length=20_000)]
    signature: Annotated[str, Field(max_length=100)] = ""
    rule: Counting = Counting.MAINLAND


@routes.get("/templates", tags=["templates"], summary="List the templates.")
async def list_templates(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Template]:
    """Return templates in the order in which they were written."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.templates(
            connection, workspace_id=caller.workspace_id, after=after or 0, limit=limit
        )
    return page_of(found, limit, Template.model_validate, lambda one: one.id)


@routes.post("/templates", tags=["templates"], status_code=201, summary="Write a template.")
async def create_template(runtime: Rt, caller: Who, new: TemplateToWrite) -> WrittenTemplate:
    """Write a template; it is a draft until it is submitted."""
    draft = TemplateDraft(new.name, new.type, new.platform, new.content, new.remark)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        written = await operations.create_template(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            draft=draft,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return WrittenTemplate.model_validate(written)


@routes.post(
    "/templates/{name:path}/submit",
    tags=["templates"],
    status_code=202,
    summary="Submit a template for review.",
)
async def submit_template(runtime: Rt, caller: Who, name: Named) -> WrittenTemplate:
    """Hand the template to the platform; read it again to see the decision."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        written = await operations.request_review(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return WrittenTemplate.model_validate(written)


@routes.get("/templates/{name:path}", tags=["templates"], summary="Read a template.")
async def read_template(runtime: Rt, caller: Who, name: Named) -> Template:
    """Return a template and how its review stands."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.template_named(connection, workspace_id=caller.workspace_id, name=name)
    return Template.model_validate(found)


@routes.post("/count", tags=["count"], summary="Count the parts of a text.")
async def count_text(_caller: Who, wanted: TextToCount) -> Count:
    """Return encoding, units and billed parts."""
    return Count.model_validate(count(wanted.text, wanted.signature, wanted.rule))
