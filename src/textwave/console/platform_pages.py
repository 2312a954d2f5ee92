"""Platform accounts: the list, one with its connection test, its forms, and taking it away.

Everybody sees the accounts that the workspace may use; changing them is for administrators, as the
operations say themselves.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import Caller, workspace
from textwave.connections import editing_operations as editing
from textwave.connections import store
from textwave.connections.accounts import KNOWN_CAPABILITIES, PlatformKind
from textwave.connections.editing_operations import ShownAccount
from textwave.connections.operations import add_platform, connect_platform
from textwave.connections.push import push_addresses
from textwave.connections.testing import ConnectionTest
from textwave.connections.testing_operations import check_connection
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.platform_forms import (
    fields_of,
    kind_of,
    new_fields,
    read_change,
    read_new,
    rules_of,
)
from textwave.console.visit import Visit
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Connection
from textwave.wiring import public_url

_LIST: Final = "/console/platforms"
_LARGEST_FORM_BYTES: Final = 32_000
Deed = Callable[[Connection, Caller], Awaitable[object]]


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/platforms", page(_list), methods=["GET"]),
        Route("/platforms/-/new", page(_new), methods=["GET"]),
        Route("/platforms/-/new", page(_create), methods=["POST"]),
        Route("/platforms/{name}", page(_show), methods=["GET"]),
        Route("/platforms/{name}/test", page(_test), methods=["POST"]),
        Route("/platforms/{name}/connect", page(_connect), methods=["POST"]),
        Route("/platforms/{name}/edit", page(_edit), methods=["GET"]),
        Route("/platforms/{name}/edit", page(_save), methods=["POST"]),
        Route("/platforms/{name}/key", page(_replace_key), methods=["POST"]),
        Route("/platforms/{name}/admit", page(_admit), methods=["POST"]),
        Route("/platforms/{name}/withdraw", page(_withdraw), methods=["POST"]),
        Route("/platforms/{name}/delete", page(_ask_to_delete), methods=["GET"]),
        Route("/platforms/{name}/delete", page(_delete), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        caller = await visit.caller(connection)
        if caller.is_administrator:
            found = await editing.shown_accounts(connection, caller=caller)
        else:
            usable = await store.platforms(connection, workspace_id=visit.workspace_id)
            found = [ShownAccount(account, []) for account in usable]
    return visit.page("platforms.html", found=found, now=visit.now)


async def _new(visit: Visit) -> Response:
    chosen = kind_of(dict(visit.request.query_params))
    return await _form(visit, new_fields(chosen))


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        new = read_new(form)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            caller = await visit.caller(connection)
            await add_platform(connection, visit.ground.vault, caller=caller, new=new)
    except Refusal as refusal:
        return await _form(visit, form, problem=refusal.sentence)
    return RedirectResponse(named_address("platforms", new.name), 303)


async def _edit(visit: Visit) -> Response:
    found = await _account(visit)
    return await _form(visit, fields_of(found.account), before=found.account.name)


async def _save(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    found = await _account(visit)
    name, given = found.account.name, {**form, "kind": found.account.kind}
    try:
        change = read_change(given)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            caller = await visit.caller(connection)
            await editing.edit_platform(connection, caller=caller, name=name, change=change)
    except Refusal as refusal:
        return await _form(visit, given, before=name, problem=refusal.sentence)
    return RedirectResponse(named_address("platforms", name), 303)


async def _form(
    visit: Visit, given: Mapping[str, str], *, before: str = "", problem: str = ""
) -> Response:
    rules = rules_of(given)
    shown = {name: value for name, value in given.items() if name != "key"}
    values: dict[str, Any] = {
        "given": shown,
        "before": before,
        "kind": kind_of(given),
        "kinds": list(PlatformKind),
        "rules": rules,
        "capabilities": sorted(KNOWN_CAPABILITIES - rules.never),
        "problem": problem,
    }
    return visit.page("platforms_form.html", 409 if problem else 200, **values)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit)


async def _test(visit: Visit) -> Response:
    """Test the connection, which asks the platform and may take some seconds."""
    await visit.trusted_form()
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        caller = await visit.caller(connection)
    try:
        tested = await check_connection(
            visit.ground.ledger,
            visit.ground.open_platform,
            visit.ground.http,
            visit.ground.vault,
            caller=caller,
            name=visit.name,
            public_url=public_url(visit.ground.settings),
            now=visit.now,
        )
    except Refusal as refusal:
        return await _page_of(visit, problem=refusal.sentence)
    return await _page_of(visit, tested=tested)


async def _connect(visit: Visit) -> Response:
    """Take rate, batch and capabilities as the platform says them."""
    await visit.trusted_form()
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        caller = await visit.caller(connection)
    try:
        await connect_platform(
            visit.ground.ledger, visit.ground.open_platform, caller=caller, name=visit.name
        )
    except Refusal as refusal:
        return await _page_of(visit, problem=refusal.sentence)
    return RedirectResponse(named_address("platforms", visit.name), 303)


async def _replace_key(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)

    async def replace(connection: Connection, caller: Caller) -> object:
        return await editing.replace_key(
            connection,
            visit.ground.vault,
            caller=caller,
            name=visit.name,
            key=form.get("key", "").strip(),
            key_id=text(form, "key_id") or None,
            now=visit.now,
        )

    return await _do(visit, replace)


async def _admit(visit: Visit) -> Response:
    form = await visit.trusted_form()

    async def admit(connection: Connection, caller: Caller) -> object:
        named = text(form, "workspace")
        return await editing.admit_workspace(
            connection, caller=caller, name=visit.name, workspace=named
        )

    return await _do(visit, admit)


async def _withdraw(visit: Visit) -> Response:
    form = await visit.trusted_form()

    async def withdraw(connection: Connection, caller: Caller) -> object:
        named = text(form, "workspace")
        return await editing.withdraw_workspace(
            connection, caller=caller, name=visit.name, workspace=named
        )

    return await _do(visit, withdraw)


async def _do(visit: Visit, deed: Deed) -> Response:
    """Change an account as the visitor, and show it again."""
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await deed(connection, await visit.caller(connection))
    except Refusal as refusal:
        return await _page_of(visit, problem=refusal.sentence)
    return RedirectResponse(named_address("platforms", visit.name), 303)


async def _page_of(
    visit: Visit, *, problem: str = "", tested: ConnectionTest | None = None
) -> Response:
    found = await _account(visit)
    addresses: Mapping[str, str] = {}
    if visit.viewer.is_administrator:
        url = public_url(visit.ground.settings)
        addresses = push_addresses(found.account, visit.ground.vault, url)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "account": found.account,
        "workspaces": found.workspaces,
        "addresses": addresses,
        "tested": tested,
        "zone": zone,
        "now": visit.now,
        "problem": problem,
    }
    return visit.page("platforms_platform.html", 409 if problem else 200, **values)


async def _ask_to_delete(visit: Visit) -> Response:
    found = await _account(visit)
    return visit.page("platforms_delete.html", account=found.account, problem="")


async def _delete(visit: Visit) -> Response:
    form = await visit.trusted_form()
    found = await _account(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await editing.delete_platform(
                connection,
                caller=await visit.caller(connection),
                name=found.account.name,
                confirmation=text(form, "confirm"),
            )
    except Refusal as refusal:
        values = {"account": found.account, "problem": refusal.sentence}
        return visit.page("platforms_delete.html", 409, **values)
    return RedirectResponse(_LIST, 303)


async def _account(visit: Visit) -> ShownAccount:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        caller = await visit.caller(connection)
        return await editing.shown_account(connection, caller=caller, name=visit.name)
