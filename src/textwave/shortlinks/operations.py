"""Making, switching and extending short links, and reading who opened them.

Each change is one transaction with its line in the audit log.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from textwave.accounts.trail import note_change
from textwave.kit.ids import LinkDomainId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue
from textwave.kit.typed import check_line
from textwave.shortlinks import store
from textwave.shortlinks.links import LONGEST_DAYS, ShortLink, random_code
from textwave.shortlinks.store import NewLink
from textwave.shortlinks.targets import check_long_url, hosts_of
from textwave.storage.ledger import Connection

LINK_NAME_MAX: Final = 60
CODE_ATTEMPTS: Final = 10


async def create_link(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    long_url: str,
    days: int,
    links_url: str,
    now: datetime,
    domain: str | None = None,
    allow_private: bool = False,
    choose_code: Callable[[], str] = random_code,
) -> ShortLink:
    """Make a short link that lives so many days; without a domain under the default one.

    Raises:
        InvalidValue, LongUrlNotAllowed, AlreadyExists.
        NotFound: there is no such domain, or it is retired.
    """
    check_line("name", name, LINK_NAME_MAX)
    _check_days(days)
    addresses = await store.addresses(connection, workspace_id=workspace_id, links_url=links_url)
    target = check_long_url(long_url, allow_private=allow_private, own_hosts=hosts_of(addresses))
    domain_id = await _domain(connection, workspace_id, domain)
    new = NewLink(name, "", target, now + timedelta(days=days), allow_private, domain_id)
    code = await _add(connection, workspace_id, new, choose_code)
    detail = {"code": code, "long_url": target, "days": days}
    await note_change(connection, workspace_id, actor, "link.create", name, detail)
    return await store.link_named(connection, workspace_id=workspace_id, name=name)


async def change_link(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    now: datetime,
    enabled: bool | None = None,
    days: int | None = None,
) -> ShortLink:
    """Enable or disable a short link, or let it live so many days from now; None leaves it.

    What is so already stays as it is.

    Raises:
        NotFound: there is none. InvalidValue: too few or too many days.
    """
    if days is not None:
        _check_days(days)
        ends = now + timedelta(days=days)
        if await store.set_expiry(
            connection, workspace_id=workspace_id, name=name, expires_at=ends
        ):
            await note_change(connection, workspace_id, actor, "link.extend", name, {"days": days})
    if enabled is not None and await store.switch_link(
        connection, workspace_id=workspace_id, name=name, enabled=enabled
    ):
        action = "link.enable" if enabled else "link.disable"
        await note_change(connection, workspace_id, actor, action, name, {})
    return await store.link_named(connection, workspace_id=workspace_id, name=name)


def _check_days(days: int) -> None:
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidValue("days", f"must be between 1 and {LONGEST_DAYS}, not {days}.")


async def _domain(
    connection: Connection, workspace_id: WorkspaceId, host: str | None
) -> LinkDomainId | None:
    found = await store.domain_for_new_links(connection, workspace_id=workspace_id, host=host)
    if found is None and host is not None:
        known = await store.domain_named(connection, workspace_id=workspace_id, host=host)
        if known.retired_at is not None:
            raise InvalidValue("domain", f"“{host}” is retired. Add it again, or choose another.")
    return found


async def _add(
    connection: Connection,
    workspace_id: WorkspaceId,
    new: NewLink,
    choose_code: Callable[[], str],
) -> str:
    """Add the link under a code that is free and return the code."""
    for _ in range(CODE_ATTEMPTS):
        code = choose_code()
        coded = replace(new, code=code)
        if await store.add_link(connection, workspace_id=workspace_id, new=coded) is not None:
            return code
        if await store.links(connection, workspace_id=workspace_id, name=new.name):
            raise AlreadyExists("short link", new.name)
    raise RuntimeError(f"no free code for a short link in {CODE_ATTEMPTS} attempts")
