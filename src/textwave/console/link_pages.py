"""Short links: the list and its form, one with its clicks, and the organization's own domains."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import Caller, workspace
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import row_id, text
from textwave.console.paging import listed
from textwave.console.visit import Visit
from textwave.kit.mobile import Mobile, masked
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.shortlinks import domain_operations, operations, store
from textwave.shortlinks.links import LONGEST_DAYS
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

_LIST: Final = "/console/links"
_CLICKS: Final = 50


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/links", page(_list), methods=["GET"]),
        Route("/links", page(_create), methods=["POST"]),
        Route("/links/-/domains", page(_domains), methods=["GET"]),
        Route("/links/-/domains", page(_add_domain), methods=["POST"]),
        Route("/links/-/domains/default", page(_choose_default), methods=["POST"]),
        Route("/links/-/domains/retire", page(_retire), methods=["POST"]),
        Route("/links/{name}", page(_show), methods=["GET"]),
        Route("/links/{name}", page(_change), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    return await _listed(visit, {}, "")


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await operations.create_link(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=text(form, "name"),
                long_url=text(form, "long_url"),
                days=_days(form, visit.ground.settings.link_days),
                links_url=links_url(visit.ground.settings),
                domain=text(form, "domain") or None,
                allow_private=form.get("allow_private") == "yes",
                now=visit.now,
            )
    except Refusal as refusal:
        return await _listed(visit, form, refusal.sentence)
    return RedirectResponse(named_address("links", made.name), 303)


async def _listed(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await listed(
            lambda after: store.links(connection, workspace_id=visit.workspace_id, after=after),
            store.LONGEST_PAGE,
            lambda one: one.id,
        )
        domains = await store.domains(connection, workspace_id=visit.workspace_id)
    values: dict[str, Any] = {
        "found": found[::-1],
        "domains": [one for one in domains if one.retired_at is None],
        "links_url": links_url(visit.ground.settings),
        "given": given,
        "days": visit.ground.settings.link_days,
        "longest_days": LONGEST_DAYS,
        "now": visit.now,
        "problem": problem,
    }
    return visit.page("links.html", 409 if problem else 200, **values)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, "")


async def _change(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        days = _days(form, 0) if form.get("act") == "extend" else None
        enabled = {"enable": True, "disable": False}.get(form.get("act", ""))
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.change_link(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                enabled=enabled,
                days=days,
                now=visit.now,
            )
    except InvalidValue as refusal:
        return await _page_of(visit, refusal.sentence)
    return RedirectResponse(named_address("links", visit.name), 303)


async def _page_of(visit: Visit, problem: str) -> Response:
    only_human = visit.request.query_params.get("who") == "people"
    before = row_id(visit.request.query_params.get("before", ""))
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        link = await store.link_named(connection, workspace_id=visit.workspace_id, name=visit.name)
        clicks = await store.clicks(
            connection,
            workspace_id=visit.workspace_id,
            link_id=link.id,
            before=before,
            only_human=only_human,
            limit=_CLICKS + 1,
        )
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "link": link,
        "url": link.url(links_url(visit.ground.settings)),
        "clicks": clicks[:_CLICKS],
        "masks": {one.id: masked(Mobile(one.mobile)) for one in clicks if one.mobile},
        "older": clicks[_CLICKS - 1].id if len(clicks) > _CLICKS else None,
        "only_human": only_human,
        "zone": zone,
        "days": visit.ground.settings.link_days,
        "longest_days": LONGEST_DAYS,
        "now": visit.now,
        "problem": problem,
    }
    return visit.page("links_link.html", 409 if problem else 200, **values)


async def _domains(visit: Visit) -> Response:
    return await _domain_page(visit, "")


async def _add_domain(visit: Visit) -> Response:
    form = await visit.trusted_form()

    async def add(connection: Connection, caller: Caller) -> object:
        return await domain_operations.add_domain(
            connection,
            caller=caller,
            address=text(form, "address"),
            is_default=form.get("default") == "yes",
        )

    return await _do(visit, add)


async def _choose_default(visit: Visit) -> Response:
    form = await visit.trusted_form()

    async def choose(connection: Connection, caller: Caller) -> object:
        host = text(form, "host") or None
        return await domain_operations.choose_default(connection, caller=caller, host=host)

    return await _do(visit, choose)


async def _retire(visit: Visit) -> Response:
    form = await visit.trusted_form()

    async def retire(connection: Connection, caller: Caller) -> object:
        return await domain_operations.retire_domain(
            connection, caller=caller, host=text(form, "host"), now=visit.now
        )

    return await _do(visit, retire)


async def _do(visit: Visit, change: Callable[[Connection, Caller], Awaitable[object]]) -> Response:
    """Change the domains as the visitor, and show them again."""
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await change(connection, await visit.caller(connection))
    except Refusal as refusal:
        return await _domain_page(visit, refusal.sentence)
    return RedirectResponse(f"{_LIST}/-/domains", 303)


async def _domain_page(visit: Visit, problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await store.domains(connection, workspace_id=visit.workspace_id)
    values: dict[str, Any] = {
        "found": found,
        "own": links_url(visit.ground.settings),
        "problem": problem,
    }
    return visit.page("links_domains.html", 409 if problem else 200, **values)


def _days(form: Mapping[str, str], otherwise: int) -> int:
    given = text(form, "days")
    if not given:
        return otherwise
    if not given.isascii() or not given.isdigit() or len(given) > len(str(LONGEST_DAYS)):
        raise InvalidValue("days", f"give a whole number of days, 1 to {LONGEST_DAYS:,}.")
    return int(given)
