"""Templates, and counting a text, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import Finding, Page, page_of
from textwave.api.template_shapes import (
    Count,
    Template,
    TemplateVersion,
    WrittenTemplate,
    count_shape,
)
from textwave.content import operations, store, version_store
from textwave.content.operations import TemplateDraft
from textwave.content.writing_operations import MOST_SAMPLES, Writing, check_writing, count_writing
from textwave.kit.text import Counting
from textwave.platforms.contract import MessageType
from textwave.wiring import links_url

routes = APIRouter()
Named = Annotated[Name, Path()]
Body = Annotated[Text, Field(max_length=2_000)]
Value = Annotated[Text, Field(max_length=500)]
Values = Annotated[dict[Annotated[str, Field(max_length=100)], Value], Field(max_length=50)]


class TemplateToWrite(BaseModel):
    """A template: name 1-30, content 1-500, remark for the reviewer 1-100 characters."""

    name: Name
    platform: Name
    type: MessageType
    content: Body
    remark: Name
    signature: Annotated[
        Text,
        Field(max_length=200, description="Reviewers see the text with it; empty: the first one"),
    ] = ""


class TemplateChange(BaseModel):
    """The new text of a draft or a rejected template."""

    content: Body
    remark: Name
    signature: Annotated[Text, Field(max_length=200)] | None = None


class TemplateCopy(BaseModel):
    """The name of the copy, and its platform if that is another one."""

    name: Name
    platform: Name | None = None


class TextToCheck(BaseModel):
    """A text as far as it is written."""

    platform: Name
    type: MessageType
    content: Body


class TextToCount(BaseModel):
    """A text as far as it is written, the signature in front of it, and values to count it with."""

    text: Annotated[Text, Field(max_length=20_000)]
    signature: Annotated[Text, Field(max_length=100)] = ""
    rule: Annotated[
        Counting, Field(description="How it is counted where no platform is named.")
    ] = Counting.MAINLAND
    platform: Annotated[
        Name | None, Field(description="Its counting, opt-out text and price are taken.")
    ] = None
    type: MessageType = MessageType.notification
    values: Annotated[Values, Field(description="Of the recipient who is counted")] = {}
    samples: Annotated[
        list[Values],
        Field(max_length=MOST_SAMPLES, description="Of recipients for the worst and the average"),
    ] = []


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
    draft = TemplateDraft(new.name, new.type, new.platform, new.content, new.remark, new.signature)
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


@routes.put("/templates/{name:path}", tags=["templates"], summary="Change a template's text.")
async def edit_template(
    runtime: Rt, caller: Who, name: Named, change: TemplateChange
) -> WrittenTemplate:
    """Change a draft or a rejected template, which is a draft then."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        written = await operations.edit_template(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            content=change.content,
            remark=change.remark,
            signature=change.signature,
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


@routes.post(
    "/templates/{name:path}/copy", tags=["templates"], status_code=201, summary="Copy a template."
)
async def copy_template(
    runtime: Rt, caller: Who, name: Named, copy: TemplateCopy
) -> WrittenTemplate:
    """Write a draft with the text of another template, for its platform or another one."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        written = await operations.copy_template(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            new_name=copy.name,
            platform=copy.platform,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return WrittenTemplate.model_validate(written)


@routes.get(
    "/templates/{name:path}/versions", tags=["templates"], summary="List a template's versions."
)
async def list_template_versions(runtime: Rt, caller: Who, name: Named) -> Page[TemplateVersion]:
    """Return what was submitted when and by whom with the decisions, the newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        template = await store.template_named(
            connection, workspace_id=caller.workspace_id, name=name
        )
        found = await version_store.versions(
            connection, workspace_id=caller.workspace_id, template_id=template.id
        )
    return Page(items=[TemplateVersion.model_validate(one) for one in found])


@routes.get("/templates/{name:path}", tags=["templates"], summary="Read a template.")
async def read_template(runtime: Rt, caller: Who, name: Named) -> Template:
    """Return a template and how its review stands."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.template_named(connection, workspace_id=caller.workspace_id, name=name)
    return Template.model_validate(found)


@routes.delete(
    "/templates/{name:path}", tags=["templates"], status_code=204, summary="Delete a template."
)
async def delete_template(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a template here and at its platform."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await operations.delete_template(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            now=runtime.clock.now(),
        )


@routes.post("/check-text", tags=["templates"], summary="Check a text before it is written.")
async def check_text(runtime: Rt, caller: Who, given: TextToCheck) -> Page[Finding]:
    """Return everything that would stop or should change a text; nothing is kept."""
    writing = Writing(given.content, message_type=given.type, platform=given.platform)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await check_writing(
            connection,
            workspace_id=caller.workspace_id,
            writing=writing,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return Page(items=[Finding.model_validate(one) for one in found])


@routes.post("/count", tags=["count"], summary="Count the parts of a text.")
async def count_text(runtime: Rt, caller: Who, wanted: TextToCount) -> Count:
    """Return encoding, units, billed parts and price: as typed, at worst and on average."""
    writing = Writing(
        text=wanted.text,
        signature=wanted.signature,
        message_type=wanted.type,
        platform=wanted.platform,
        rule=wanted.rule,
        values=wanted.values,
        samples=wanted.samples,
    )
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        counted = await count_writing(connection, workspace_id=caller.workspace_id, writing=writing)
    return count_shape(counted)
