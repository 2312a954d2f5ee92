"""Short links over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import Link, Page, page_of
from textwave.content import link_store, operations
from textwave.content.links import ShortLink
from textwave.settings import Settings
from textwave.wiring import links_url

routes = APIRouter()
Body = Annotated[Text, Field(max_length=2_000)]


class LinkToMake(BaseModel):
    """A short link; without `days` it lives as long as the installation says."""

    name: Name
    long_url: Body
    days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    allow_private: bool = Field(
        default=False, description="Allow an address inside the own network, for trials."
    )


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


def _link_shape(kept: ShortLink, settings: Settings) -> Link:
    link = Link.model_validate(kept)
    return link.model_copy(update={"url": f"{links_url(settings).rstrip('/')}/{kept.code}"})
