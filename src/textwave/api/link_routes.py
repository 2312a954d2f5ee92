"""Short links, their domains and clicks, and the keys of click tokens over HTTP."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from textwave.accounts import key_operations
from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import Link, Page, Shape, page_of
from textwave.kit.mobile import Mobile, masked
from textwave.settings import Settings
from textwave.shortlinks import domain_operations, operations, store
from textwave.shortlinks.links import LONGEST_DAYS, ShortLink
from textwave.shortlinks.store import Click
from textwave.wiring import links_url

routes = APIRouter()
Named = Annotated[Name, Path()]
Host = Annotated[Text, Path(min_length=1, max_length=100)]
Body = Annotated[Text, Field(max_length=2_000)]
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


class LinkToMake(BaseModel):
    """A short link; without `days` it lives as long as the installation says."""

    name: Name
    long_url: Body
    days: Days | None = None
    domain: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Host of one of the organization's domains; null: the default."
    )
    allow_private: bool = Field(
        default=False, description="Allow an address inside the own network, for trials."
    )


class LinkChange(BaseModel):
    """What is to be changed of a short link; what is null stays."""

    enabled: bool | None = None
    days: Days | None = Field(default=None, description="How long it lives from now on.")


class LinkClick(Shape):
    """A click on a short link, and the rule that told a person from a bot or a preview."""

    id: int
    clicked_at: datetime
    human: bool
    judged_by: str
    campaign: str | None = Field(description="Null without a click token.")
    message_id: int | None
    mobile: str | None = Field(description="Whose link it is; masked to the last four digits.")


class DomainToAdd(BaseModel):
    """A domain that leads to the redirect, such as https://d.example.cn."""

    address: Annotated[Text, Field(min_length=1, max_length=100)]
    is_default: bool = Field(default=False, description="Let new links begin with it.")


class DefaultDomain(BaseModel):
    """The domain that new links begin with."""

    host: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        description="Null: the installation's own address."
    )


class LinkDomain(Shape):
    """A domain of the organization; `links` were made under it. A retired one gets no new ones."""

    host: str
    address: str
    is_default: bool
    links: int
    created_at: datetime
    retired_at: datetime | None


class TokenKey(Shape):
    """A version of the key of click tokens; new tokens are made with the newest."""

    version: int
    created_at: datetime


@routes.get("/links", tags=["links"], summary="List the short links.")
async def list_links(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Link]:
    """Return short links in the order in which they were made."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.links(
            connection, workspace_id=caller.workspace_id, after=after or 0, limit=limit
        )
    settings = runtime.settings
    most = min(limit, store.LONGEST_PAGE)
    return page_of(found, most, lambda one: _link_shape(one, settings), lambda one: one.id)


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
            links_url=links_url(runtime.settings),
            domain=new.domain,
            allow_private=new.allow_private,
            now=runtime.clock.now(),
        )
    return _link_shape(made, runtime.settings)


@routes.get("/links/{name:path}/clicks", tags=["links"], summary="List a link's clicks.")
async def list_link_clicks(
    runtime: Rt,
    caller: Who,
    name: Named,
    *,
    human: Annotated[bool, Query(description="Only those of people.")] = False,
    after: After = None,
    limit: Limit = 100,
) -> Page[LinkClick]:
    """Return the clicks on a link, newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        link = await store.link_named(connection, workspace_id=caller.workspace_id, name=name)
        found = await store.clicks(
            connection,
            workspace_id=caller.workspace_id,
            link_id=link.id,
            before=after,
            only_human=human,
            limit=limit,
        )
    return page_of(found, limit, _click_shape, lambda one: one.id)


@routes.get("/links/{name:path}", tags=["links"], summary="Read a short link.")
async def read_link(runtime: Rt, caller: Who, name: Named) -> Link:
    """Return a short link and how often it was opened."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.link_named(connection, workspace_id=caller.workspace_id, name=name)
    return _link_shape(found, runtime.settings)


@routes.patch("/links/{name:path}", tags=["links"], summary="Switch or extend a short link.")
async def change_link(runtime: Rt, caller: Who, name: Named, change: LinkChange) -> Link:
    """Enable, disable, or let a link live so many days from now."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        changed = await operations.change_link(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            enabled=change.enabled,
            days=change.days,
            now=runtime.clock.now(),
        )
    return _link_shape(changed, runtime.settings)


@routes.get("/link-domains", tags=["links"], summary="List the domains of short links.")
async def list_link_domains(runtime: Rt, caller: Who) -> Page[LinkDomain]:
    """Return the organization's domains, the default one first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.domains(connection, workspace_id=caller.workspace_id)
    return Page(items=[LinkDomain.model_validate(one) for one in found])


@routes.post(
    "/link-domains", tags=["links"], status_code=201, summary="Add a domain of short links."
)
async def add_link_domain(runtime: Rt, caller: Who, new: DomainToAdd) -> LinkDomain:
    """Add a domain, or take a retired one up again. Administrators only."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await domain_operations.add_domain(
            connection, caller=caller, address=new.address, is_default=new.is_default
        )
    return LinkDomain.model_validate(made)


@routes.put("/link-domains/default", tags=["links"], summary="Choose the default domain.")
async def choose_default_link_domain(
    runtime: Rt, caller: Who, chosen: DefaultDomain
) -> Page[LinkDomain]:
    """Let new links begin with a domain. Links that exist keep theirs. Administrators only."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await domain_operations.choose_default(connection, caller=caller, host=chosen.host)
    return Page(items=[LinkDomain.model_validate(one) for one in found])


@routes.delete("/link-domains/{host}", tags=["links"], summary="Retire a domain of short links.")
async def retire_link_domain(runtime: Rt, caller: Who, host: Host) -> LinkDomain:
    """Give a domain no new links; those that it has keep working. Administrators only."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await domain_operations.retire_domain(
            connection, caller=caller, host=host, now=runtime.clock.now()
        )
    return LinkDomain.model_validate(kept)


@routes.get("/token-keys", tags=["links"], summary="List the keys of click tokens.")
async def list_token_keys(runtime: Rt, caller: Who) -> Page[TokenKey]:
    """Return the versions, newest first; the keys themselves never come out."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await key_operations.token_key_versions(connection, caller=caller)
    return Page(items=[TokenKey.model_validate(one) for one in found])


@routes.post(
    "/token-keys", tags=["links"], status_code=201, summary="Make a new key of click tokens."
)
async def rotate_token_key(runtime: Rt, caller: Who) -> Page[TokenKey]:
    """Make tokens with a new key from now on; the old ones still count. Administrators only."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await key_operations.rotate_token_key(connection, runtime.vault, caller=caller)
        found = await key_operations.token_key_versions(connection, caller=caller)
    return Page(items=[TokenKey.model_validate(one) for one in found])


def _link_shape(kept: ShortLink, settings: Settings) -> Link:
    return Link.model_validate({**asdict(kept), "url": kept.url(links_url(settings))})


def _click_shape(kept: Click) -> LinkClick:
    return LinkClick(
        id=kept.id,
        clicked_at=kept.clicked_at,
        human=kept.human,
        judged_by=kept.judged_by,
        campaign=kept.campaign,
        message_id=kept.message_id,
        mobile=None if kept.mobile is None else masked(Mobile(kept.mobile)),
    )
