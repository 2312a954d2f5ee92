"""Rows that the redirect needs: where a code leads, and the inbox of clicks.

The web login reaches both through SQL functions only, because no workspace is known yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textwave.kit.ids import LinkId
from textwave.storage.ledger import Connection, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.links")


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where a short link leads, and until when; `own_hosts` are those of short links."""

    id: LinkId
    long_url: str
    expires_at: datetime
    enabled: bool
    allows_private: bool
    own_hosts: list[str]


@dataclass(frozen=True, slots=True)
class NewClick:
    """A request for a short link, before anybody knows whose it is."""

    link_id: LinkId
    token: str
    method: str
    user_agent: str
    clicked_at: datetime


async def link_target(connection: Connection, *, code: str) -> LinkTarget | None:
    """Return where a code leads, or None for an unknown one."""
    return await one(connection, LinkTarget, _SQL["link_target"], {"code": code})


async def record_clicks(connection: Connection, *, clicks: Sequence[NewClick]) -> None:
    """Keep clicks in one statement."""
    await connection.execute(
        _SQL["record_clicks"],
        {
            "link_ids": [click.link_id for click in clicks],
            "tokens": [click.token for click in clicks],
            "methods": [click.method for click in clicks],
            "user_agents": [click.user_agent for click in clicks],
            "times": [click.clicked_at for click in clicks],
        },
    )
