"""Rows of short links, their domains and their clicks. Every statement names the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textwave.kit.ids import LinkDomainId, LinkId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.shortlinks.domains import LinkDomain
from textwave.shortlinks.links import ShortLink
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

LONGEST_PAGE: Final = 200
LONGEST_CLICK_PAGE: Final = 1_000
_SQL = load_statements(__package__ or "textwave.shortlinks")


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a short link and the rule that judged it; whose it is, if its token said so."""

    id: int
    clicked_at: datetime
    human: bool
    judged_by: str
    campaign: str | None
    message_id: int | None
    mobile: int | None


@dataclass(frozen=True, slots=True)
class NewLink:
    """A short link that is to be added; without a domain it is the installation's."""

    name: str
    code: str
    long_url: str
    expires_at: datetime
    allows_private: bool
    domain_id: LinkDomainId | None


async def add_link(
    connection: Connection, *, workspace_id: WorkspaceId, new: NewLink
) -> LinkId | None:
    """Add a short link; None when its name or its code is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": new.name,
        "code": new.code,
        "long_url": new.long_url,
        "expires_at": new.expires_at,
        "allows_private": new.allows_private,
        "domain_id": new.domain_id,
    }
    added = await value(connection, _SQL["add_link"], parameters)
    return None if added is None else LinkId(added)


async def links(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[ShortLink]:
    """Return a page of a workspace's short links behind the id `after`."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, ShortLink, _SQL["links"], parameters)


async def link_named(connection: Connection, *, workspace_id: WorkspaceId, name: str) -> ShortLink:
    """Read a short link.

    Raises:
        NotFound: the workspace has none of that name.
    """
    found = await links(connection, workspace_id=workspace_id, name=name)
    if not found:
        raise NotFound("short link", name)
    return found[0]


async def links_of_codes(
    connection: Connection, *, workspace_id: WorkspaceId, codes: Sequence[str]
) -> dict[str, ShortLink]:
    """Return those short links of a workspace that have one of the codes, by code."""
    parameters = {"workspace_id": workspace_id, "codes": list(codes)}
    found = await many(connection, ShortLink, _SQL["links_of_codes"], parameters)
    return {link.code: link for link in found}


async def switch_link(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, enabled: bool
) -> bool:
    """Turn a link on or off; False when it is so already, or is not there."""
    parameters = {"workspace_id": workspace_id, "name": name, "enabled": enabled}
    return await value(connection, _SQL["switch_link"], parameters) is not None


async def set_expiry(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, expires_at: datetime
) -> bool:
    """Let a link end then; False when it does so already, or is not there."""
    parameters = {"workspace_id": workspace_id, "name": name, "expires_at": expires_at}
    return await value(connection, _SQL["set_expiry"], parameters) is not None


async def clicks(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    link_id: LinkId,
    before: int | None,
    only_human: bool,
    limit: int,
) -> list[Click]:
    """Return a page of a link's clicks, newest first, before the id `before`."""
    parameters = {
        "workspace_id": workspace_id,
        "link_id": link_id,
        "before": before,
        "only_human": only_human,
        "limit": min(limit, LONGEST_CLICK_PAGE),
    }
    return await many(connection, Click, _SQL["clicks"], parameters)


async def domains(
    connection: Connection, *, workspace_id: WorkspaceId, host: str | None = None
) -> list[LinkDomain]:
    """Return the domains of the workspace's organization, the default one first."""
    parameters = {"workspace_id": workspace_id, "host": host, "limit": LONGEST_PAGE}
    return await many(connection, LinkDomain, _SQL["domains"], parameters)


async def domain_named(
    connection: Connection, *, workspace_id: WorkspaceId, host: str
) -> LinkDomain:
    """Read a domain.

    Raises:
        NotFound: the organization has no such domain.
    """
    found = await domains(connection, workspace_id=workspace_id, host=host)
    if not found:
        raise NotFound("domain of short links", host)
    return found[0]


async def addresses(
    connection: Connection, *, workspace_id: WorkspaceId, links_url: str
) -> list[str]:
    """Return all that short links begin with: `links_url`, and the organization's domains."""
    cursor = await connection.execute(_SQL["addresses"], {"workspace_id": workspace_id})
    return [links_url, *(row[0] for row in await cursor.fetchall())]


async def domain_for_new_links(
    connection: Connection, *, workspace_id: WorkspaceId, host: str | None
) -> LinkDomainId | None:
    """Return the named domain, or without a name the default; None: there is none in use."""
    parameters = {"workspace_id": workspace_id, "host": host}
    found = await value(connection, _SQL["domain_for_new_links"], parameters)
    return None if found is None else LinkDomainId(found)


async def hold_domains(connection: Connection) -> None:
    """Let nobody else change domains before the end of the transaction."""
    await execute(connection, _SQL["hold_domains"], {})


async def put_domain(
    connection: Connection, *, workspace_id: WorkspaceId, host: str, address: str
) -> bool:
    """Add a domain or take it up again; False when it is another organization's."""
    parameters = {"workspace_id": workspace_id, "host": host, "address": address}
    return await value(connection, _SQL["put_domain"], parameters) is not None


async def set_default(
    connection: Connection, *, workspace_id: WorkspaceId, host: str | None
) -> bool:
    """Make a domain the default, or none; False when that domain is not in use."""
    await execute(connection, _SQL["clear_default"], {"workspace_id": workspace_id})
    if host is None:
        return True
    parameters = {"workspace_id": workspace_id, "host": host}
    return await value(connection, _SQL["set_default"], parameters) is not None


async def retire_domain(
    connection: Connection, *, workspace_id: WorkspaceId, host: str, now: datetime
) -> bool:
    """Give a domain no new links any more; False when it is not in use."""
    parameters = {"workspace_id": workspace_id, "host": host, "now": now}
    return await value(connection, _SQL["retire_domain"], parameters) is not None
