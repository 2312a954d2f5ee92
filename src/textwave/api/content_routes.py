"""Platforms, signatures, templates, short links and counting over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, SecretStr

from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import (
    Count,
    Link,
    Page,
    Platform,
    Signature,
    Template,
    WrittenTemplate,
    page_of,
)
from textwave.connections import store as connection_store
from textwave.connections.accounts import (
    KNOWN_CAPABILITIES,
    RATE_MAX,
    CallbackSigning,
    NewPlatform,
    ReceiptsBy,
)
from textwave.connections.operations import add_platform, connect_platform
from textwave.content import link_store, operations, store
from textwave.content.links import ShortLink
from textwave.content.operations import TemplateDraft
from textwave.content.signature_operations import add_signature, set_signature_rate
from textwave.kit.text import Counting, count
from textwave.platforms.contract import MessageType
from textwave.settings import Settings
from textwave.wiring import links_url

routes = APIRouter()
Named = Annotated[Name, Path()]
Body = Annotated[Text, Field(max_length=2_000)]


class PlatformToAdd(BaseModel):
    """A platform account; connecting replaces rate, batch and capabilities by what it says."""

    name: Name
    base_url: Annotated[Text, Field(max_length=500)]
    key: SecretStr
    capabilities: Annotated[list[Name], Field(max_length=50)] | None = None
    rate_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    max_batch: Annotated[int, Field(ge=1, le=1_000)] = 100
    opt_out_text: Annotated[Text, Field(max_length=100)] = ""
    counting: Counting = Counting.MAINLAND
    price_milli: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    currency: Annotated[Text, Field(max_length=3)] = "CNY"
    callback_signing: CallbackSigning = CallbackSigning.STRICT
    receipts: ReceiptsBy = ReceiptsBy.PUSH


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


class TemplateToWrite(BaseModel):
    """A template: name 1-30, content 1-500, remark for the reviewer 1-100 characters."""

    name: Name
    platform: Name
    type: MessageType
    content: Body
    remark: Name


class LinkToMake(BaseModel):
    """A short link; without `days` it lives as long as the installation says."""

    name: Name
    long_url: Body
    days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    allow_private: bool = Field(
        default=False, description="Allow an address inside the own network, for trials."
    )


class TextToCount(BaseModel):
    """A text as it is sent, and the signature in front of it."""

    text: Annotated[str, Field(max_length=20_000)]
    signature: Annotated[str, Field(max_length=100)] = ""
    rule: Counting = Counting.MAINLAND


@routes.get("/platforms", tags=["platforms"], summary="List the platforms.")
async def list_platforms(runtime: Rt, caller: Who) -> Page[Platform]:
    """Return the platform accounts that the workspace may use."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await connection_store.platforms(connection, workspace_id=caller.workspace_id)
    return Page(items=[Platform.model_validate(account) for account in found])


@routes.post("/platforms", tags=["platforms"], status_code=201, summary="Add a platform.")
async def create_platform(runtime: Rt, caller: Who, new: PlatformToAdd) -> Platform:
    """Add a platform account for the workspace. Its key is kept sealed."""
    given = new.model_dump(exclude={"key", "capabilities"})
    capabilities = KNOWN_CAPABILITIES if new.capabilities is None else frozenset(new.capabilities)
    account = NewPlatform(**given, key=new.key.get_secret_value(), capabilities=capabilities)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await add_platform(connection, runtime.vault, caller=caller, new=account)
    return Platform.model_validate(made)


@routes.post(
    "/platforms/{name}/connect", tags=["platforms"], summary="Ask the platform about the account."
)
async def connect(runtime: Rt, caller: Who, name: Named) -> Platform:
    """Keep the rate, batch size and capabilities that the platform says."""
    connected = await connect_platform(
        runtime.ledger,
        runtime.open_platform,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        name=name,
    )
    return Platform.model_validate(connected.account)


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


@routes.get("/links", tags=["links"], summary="List the short links.")
async def list_links(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Link]:
    """Return short links in the order in which they were made."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await link_store.links(
            connection, workspace_id=caller.workspace_id, after=after or 0, limit=limit
        )
    settings = runtime.settings
    return page_of(found, limit, lambda one: _link_shape(one, settings), lambda one: one.id)


@routes.post("/links", tags=["links"], status_code=201, summary="Make a short link.")
async def create_link(runtime: Rt, caller: Who, new: LinkToMake) -> Link:
    """Make a short link to a long address."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await operations.create_link(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            long_url=new.long_url,
            days=new.days or runtime.settings.link_days,
            allow_private=new.allow_private,
            now=runtime.clock.now(),
        )
    return _link_shape(made, runtime.settings)


@routes.post("/count", tags=["count"], summary="Count the parts of a text.")
async def count_text(_caller: Who, wanted: TextToCount) -> Count:
    """Return encoding, units and billed parts."""
    return Count.model_validate(count(wanted.text, wanted.signature, wanted.rule))


def _link_shape(kept: ShortLink, settings: Settings) -> Link:
    link = Link.model_validate(kept)
    return link.model_copy(update={"url": f"{links_url(settings).rstrip('/')}/{kept.code}"})
