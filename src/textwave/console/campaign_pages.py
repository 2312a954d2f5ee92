"""The list of campaigns, and the live board of each: only pause, resume and cancel change it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.campaigns.states import CampaignState
from textwave.console.addresses import campaign_address
from textwave.console.answering import page
from textwave.console.board import Board, funnel
from textwave.console.campaign_before import BEFORE
from textwave.console.campaign_before_pages import board_values
from textwave.console.fields import row_id
from textwave.console.first_steps import read_steps
from textwave.console.pages import word
from textwave.console.reading import SHOWN_CAMPAIGNS, read_board, read_figures, read_headings
from textwave.console.visit import Visit
from textwave.kit.refusal import NotFound, Refusal

_ACTIONS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/campaigns/{name:path}"
    return [
        Route("/campaigns", page(_list), methods=["GET"]),
        Route(f"{shown}/live", page(_live), methods=["GET"]),
        Route(f"{shown}/numbers", page(_numbers), methods=["GET"]),
        Route(f"{shown}/cancel", page(_confirm_cancel), methods=["GET"]),
        Route(f"{shown}/{{action}}", page(_act), methods=["POST"]),
        Route(shown, page(_board), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    asked = visit.request.query_params
    state = asked.get("state", "") if asked.get("state") in tuple(CampaignState) else ""
    headings, zone = await read_headings(
        visit.ground.ledger,
        visit.session.workspace_id,
        state=state or None,
        before=row_id(asked.get("before", "")),
    )
    older = headings[-1].id if len(headings) == SHOWN_CAMPAIGNS else None
    beginning = not headings and not state and not asked.get("before")
    values: dict[str, Any] = {
        "headings": headings,
        "zone": zone,
        "older": older,
        "chosen": state,
        "steps": await read_steps(visit) if beginning else [],
    }
    return visit.page("campaigns.html", **values, states=[one.value for one in CampaignState])


async def _board(visit: Visit) -> Response:
    return visit.page("board.html", **await board_values(visit))


async def _live(visit: Visit) -> Response:
    board = await _read(visit)
    answer = visit.page("live.html", board=board, problem="")
    if visit.request.query_params.get("before") and board.heading.state not in BEFORE:
        answer.headers["HX-Refresh"] = "true"  # it has begun: what is done before it goes
    return answer


async def _numbers(visit: Visit) -> Response:
    figures = await read_figures(visit.ground.ledger, visit.session.workspace_id, visit.name)
    steps = [
        {"name": word("step", step, visit.language), "value": count}
        for step, count in funnel(figures).items()
    ]
    return JSONResponse({"funnel": steps})


async def _confirm_cancel(visit: Visit) -> Response:
    return visit.page("cancel.html", board=await _read(visit))


async def _act(visit: Visit) -> Response:
    action = _ACTIONS.get(str(visit.request.path_params["action"]))
    if action is None:
        raise HTTPException(404)
    await visit.trusted_form()
    workspace_id = visit.session.workspace_id
    try:
        async with visit.ground.ledger.transaction(workspace_id) as connection:
            await action(connection, workspace_id=workspace_id, actor=visit.actor, name=visit.name)
    except NotFound:
        raise
    except Refusal as refusal:
        values = await board_values(visit, problem=refusal.sentence)
        return visit.page("board.html", 409, **values)
    return RedirectResponse(campaign_address(visit.name), 303)


async def _read(visit: Visit) -> Board:
    return await read_board(visit.ground.ledger, visit.session.workspace_id, visit.name)
