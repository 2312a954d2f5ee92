"""The organization's own domains for short links, kept by administrators.

A domain can be added, made the default for new links, and retired; it is never deleted, because
messages that were sent carry it. Refused is the domain of another organization.
"""

from collections.abc import Mapping
from datetime import datetime

from textwave.accounts.key_operations import check_administrator
from textwave.accounts.store import Caller, audit
from textwave.kit.refusal import InvalidValue
from textwave.shortlinks import store
from textwave.shortlinks.domains import MOST_DOMAINS, LinkDomain, check_address
from textwave.storage.ledger import Connection


async def add_domain(
    connection: Connection, *, caller: Caller, address: str, is_default: bool
) -> LinkDomain:
    """Add a domain, or take a retired one up again; its DNS has to lead to the redirect.

    Raises:
        AdministratorNeeded: the caller's key is none.
        InvalidValue: it is no bare domain, another organization's, or there are too many.
    """
    check_administrator(caller)
    host, whole = check_address(address)
    await store.hold_domains(connection)
    known = await store.domains(connection, workspace_id=caller.workspace_id)
    if len(known) >= MOST_DOMAINS and all(one.host != host for one in known):
        raise InvalidValue("address", f"an organization has at most {MOST_DOMAINS} domains.")
    if not await store.put_domain(
        connection, workspace_id=caller.workspace_id, host=host, address=whole
    ):
        raise InvalidValue("address", f"“{host}” belongs to another organization.")
    if is_default:
        await store.set_default(connection, workspace_id=caller.workspace_id, host=host)
    detail = {"address": whole, "is_default": is_default}
    await _note(connection, caller, "link_domain.add", host, detail)
    return await store.domain_named(connection, workspace_id=caller.workspace_id, host=host)


async def choose_default(
    connection: Connection, *, caller: Caller, host: str | None
) -> list[LinkDomain]:
    """Let new links begin with a domain; None: with the installation's own address.

    Raises:
        AdministratorNeeded, NotFound. InvalidValue: the domain is retired.
    """
    check_administrator(caller)
    await store.hold_domains(connection)
    if host is not None:
        known = await store.domain_named(connection, workspace_id=caller.workspace_id, host=host)
        if known.retired_at is not None:
            raise InvalidValue("host", f"“{host}” is retired. Add it again first.")
    await store.set_default(connection, workspace_id=caller.workspace_id, host=host)
    await _note(connection, caller, "link_domain.default", host or "", {})
    return await store.domains(connection, workspace_id=caller.workspace_id)


async def retire_domain(
    connection: Connection, *, caller: Caller, host: str, now: datetime
) -> LinkDomain:
    """Give a domain no new links any more; the old ones keep working.

    Raises:
        AdministratorNeeded, NotFound.
    """
    check_administrator(caller)
    await store.hold_domains(connection)
    await store.domain_named(connection, workspace_id=caller.workspace_id, host=host)
    if await store.retire_domain(connection, workspace_id=caller.workspace_id, host=host, now=now):
        await _note(connection, caller, "link_domain.retire", host, {})
    return await store.domain_named(connection, workspace_id=caller.workspace_id, host=host)


async def _note(
    connection: Connection, caller: Caller, action: str, host: str, detail: Mapping[str, object]
) -> None:
    await audit(
        connection,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        action=action,
        object_name=host,
        detail=detail,
    )
