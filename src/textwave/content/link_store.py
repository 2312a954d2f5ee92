"""Rows of short links. Every statement names the workspace; refuses nothing."""

from collections.abc import Sequence
from datetime import datetime

from textwave.content.links import ShortLink
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.content")


async def add_link(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    code: str,
    long_url: str,
    expires_at: datetime,
) -> ShortLink | None:
    """Add a short link; None when its name or its code is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "code": code,
        "long_url": long_url,
        "expires_at": expires_at,
    }
    return await one(connection, ShortLink, _SQL["add_link"], parameters)


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
