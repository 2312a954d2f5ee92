"""Feeds and sources: when each runs, how its last run ended, running it now, another schedule.

Sources and feeds are added by commands: the address of a database holds a password, which has no
place in a browser's form.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.operation_pages import operation_of
from textwave.console.refreshing import read_refresh, shown_refresh
from textwave.console.visit import Visit
from textwave.feeds import operations as feeds
from textwave.feeds import store
from textwave.kit.refusal import NotFound, Refusal


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/feeds/{name}"
    return [
        Route("/feeds", page(_list), methods=["GET"]),
        Route(shown, page(_feed), methods=["GET"]),
        Route(f"{shown}/run", page(_run), methods=["POST"]),
        Route(f"{shown}/schedule", page(_schedule), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        values = {
            "feeds": await store.feeds(connection, visit.workspace_id),
            "sources": await store.sources(connection, visit.workspace_id),
            "zone": (await workspace(connection, visit.workspace_id)).time_zone,
        }
    return visit.page("feeds.html", **values)


async def _feed(visit: Visit) -> Response:
    return await _page_of(visit, {}, "")


async def _page_of(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        feed = await store.feed(connection, visit.workspace_id, visit.name)
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "feed": feed,
        "refresh": shown_refresh(read_refresh(given) if given else feed.schedule),
        "problem": problem,
        "zone": zone,
    }
    operation = await operation_of(visit) or {"operation": None}
    return visit.page("feeds_feed.html", 409 if problem else 200, **operation | values)


async def _run(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await feeds.run_now(
                connection, workspace_id=visit.workspace_id, name=visit.name, now=visit.now
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _page_of(visit, {}, refusal.sentence)
    address = named_address("feeds", visit.name)
    return RedirectResponse(f"{address}?operation={operation_id}", 303)


async def _schedule(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await feeds.schedule_feed(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                schedule=read_refresh(form),
                now=visit.now,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _page_of(visit, form, refusal.sentence)
    return RedirectResponse(named_address("feeds", visit.name), 303)
