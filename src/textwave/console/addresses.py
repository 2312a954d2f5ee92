"""Addresses of the console, and the link that signs in.

An address that comes from outside is followed only inside the console.
"""

from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from textwave.console.session import console_secret, console_ticket
from textwave.kit.ids import WorkspaceId

HOME: Final = "/console/campaigns"


def campaign_address(name: str, page: str = "") -> str:
    """Return the address of a campaign's board, or of something below it."""
    return f"{HOME}/{quote(name, safe='')}{page}"


def named_address(noun: str, name: str, page: str = "") -> str:
    """Return the address of something with a name: of a table, a model, a feed, an audience."""
    return f"/console/{noun}/{quote(name, safe='')}{page}"


def audience_address(name: str, page: str = "") -> str:
    """Return the address of an audience's page, or of something below it."""
    return f"/console/audiences/{quote(name, safe='')}{page}"


def new_audience_address(campaign: str, outcome: str, reason: str = "") -> str:
    """Return where an audience is made of those for whom a campaign had an outcome."""
    asked = {"campaign": campaign, "outcome": outcome} | ({"reason": reason} if reason else {})
    return f"/console/audiences/-/new?{urlencode(asked)}"


def sign_in_address(
    base_url: str,
    *,
    vault_key: bytes,
    workspace_id: WorkspaceId,
    now: datetime,
    campaign: str | None = None,
) -> str:
    """Return a link that opens the console, or one board, without asking for the key.

    It works for 12 hours, as often as it is opened; whoever has it may do what the console can.
    """
    ticket = console_ticket(console_secret(vault_key), workspace_id, now)
    wanted = {"next": campaign_address(campaign)} if campaign is not None else {}
    return f"{base_url.rstrip('/')}/console/login?{urlencode({'ticket': ticket, **wanted})}"


def inside(wanted: str) -> str:
    """Return the address if it lies inside the console, else its beginning."""
    lies_inside = wanted.startswith("/console/") and "\\" not in wanted and wanted.isprintable()
    signing = wanted.startswith(("/console/login", "/console/logout", "/console/language"))
    return wanted if lies_inside and not signing else HOME
