"""What is in doubt: requests of which nobody knows whether the platform took them, with evidence.

A person says what a request was, or all of a campaign at once; the page on which it is said shows
what is known and what each answer does, and sending again has to be meant.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.visit import Visit
from textwave.dispatch import doubt_operations as doubts
from textwave.dispatch.doubt import DoubtCase, DoubtGroup, SettledAs
from textwave.kit.refusal import InvalidValue, NotFound, Refusal

_HOME: Final = "/console/in-doubt"
_SHOWN: Final = 50


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/in-doubt", page(_list), methods=["GET"]),
        Route("/in-doubt/requests/{request}", page(_show_request), methods=["GET"]),
        Route("/in-doubt/requests/{request}", page(_settle_request), methods=["POST"]),
        Route("/in-doubt/campaigns/{name:path}", page(_show_campaign), methods=["GET"]),
        Route("/in-doubt/campaigns/{name:path}", page(_settle_campaign), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    asked = visit.request.query_params
    campaign = asked.get("campaign", "").replace("\0", "") or None
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        groups = await doubts.doubt_groups(connection, visit.workspace_id)
        cases = await doubts.doubts(
            connection,
            visit.workspace_id,
            campaign=campaign,
            after=asked.get("after") or None,
            limit=_SHOWN,
        )
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "groups": groups,
        "cases": cases,
        "campaign": campaign,
        "later": str(cases[-1].key) if len(cases) == _SHOWN else None,
        "zone": zone,
        "settled": asked.get("settled") == "yes",
        "limit": timedelta(hours=visit.ground.settings.in_doubt_hours),
    }
    return visit.page("in_doubt.html", **values)


async def _case(visit: Visit) -> DoubtCase:
    """Read the request that the address names.

    Raises:
        NotFound: it is not in doubt, or not any more.
    """
    wanted = str(visit.request.path_params["request"])
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await doubts.doubt(connection, visit.workspace_id, wanted)


async def _group(visit: Visit) -> DoubtGroup:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        groups = await doubts.doubt_groups(connection, visit.workspace_id)
    for group in groups:
        if group.campaign == visit.name:
            return group
    raise NotFound("campaign in doubt", visit.name)


async def _show_request(visit: Visit) -> Response:
    return await _asked(visit, {}, "", case=await _case(visit))


async def _show_campaign(visit: Visit) -> Response:
    return await _asked(visit, {}, "", group=await _group(visit))


async def _asked(
    visit: Visit,
    given: Mapping[str, str],
    problem: str,
    *,
    case: DoubtCase | None = None,
    group: DoubtGroup | None = None,
) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "case": case,
        "doubt": case or group,
        "zone": zone,
        "given": given,
        "problem": problem,
        "limit": timedelta(hours=visit.ground.settings.in_doubt_hours),
    }
    return visit.page("in_doubt_settle.html", 409 if problem else 200, **values)


async def _settle_request(visit: Visit) -> Response:
    form = await visit.trusted_form()
    case = await _case(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await doubts.settle(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                request=str(case.key),
                settled_as=_said(form),
                confirmed=form.get("confirmed") == "yes",
            )
    except Refusal as refusal:
        return await _asked(visit, form, refusal.sentence, case=case)
    return RedirectResponse(f"{_HOME}?settled=yes", 303)


async def _settle_campaign(visit: Visit) -> Response:
    form = await visit.trusted_form()
    group = await _group(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await doubts.settle_campaign(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                campaign=group.campaign,
                settled_as=_said(form),
                confirmed=form.get("confirmed") == "yes",
            )
    except Refusal as refusal:
        return await _asked(visit, form, refusal.sentence, group=group)
    return RedirectResponse(f"{_HOME}?settled=yes", 303)


def _said(form: Mapping[str, str]) -> SettledAs:
    said = text(form, "as")
    if said not in tuple(SettledAs):
        raise InvalidValue("as", "say what became of it: choose one of the answers.")
    return SettledAs(said)
