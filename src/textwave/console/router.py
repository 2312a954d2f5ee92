"""The console's routes: sign in, the list of campaigns, the live board, pause, resume, cancel.

Mounted below /console by `mount`. A page without a session leads to the sign-in; a form without the
session's own token is refused. Only pause, resume and cancel change anything.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from textwave.accounts.operations import KeyUnknown, identify
from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.console.addresses import HOME, campaign_address, inside
from textwave.console.board import Board, funnel
from textwave.console.language import LANGUAGES
from textwave.console.pages import STATIC, word
from textwave.console.reading import SHOWN_CAMPAIGNS, read_board, read_figures, read_headings
from textwave.console.security import SecurityHeaders
from textwave.console.session import (
    SESSION_HOURS,
    Session,
    new_session,
    read_ticket,
    seal_session,
)
from textwave.console.visit import LANGUAGE_COOKIE, SESSION_COOKIE, Ground, Visit
from textwave.kit.refusal import NotFound, Refusal

_ACTOR = "console"
_YEAR_SECONDS = 365 * 24 * 3600
_ACTIONS = {"pause": pause_campaign, "resume": resume_campaign, "cancel": cancel_campaign}


Page = Callable[[Visit], Awaitable[Response]]


def mount(application: Starlette, ground: Callable[[], Ground]) -> None:
    """Put the console below /console of an application, and lead / to it.

    `ground` is asked at each request, so the runtime may be opened after mounting.
    """
    application.mount("/console", console(ground), name="console")
    application.router.routes.append(Route("/", _to_home, include_in_schema=False))


def console(ground: Callable[[], Ground]) -> ASGIApp:
    """Make the console as an application of its own, to be mounted at /console."""
    shown = "/campaigns/{name:path}"
    application = Starlette(
        routes=[
            Route("/", _to_home),
            Route("/login", _page(_show_login, public=True), methods=["GET"]),
            Route("/login", _page(_login, public=True), methods=["POST"]),
            Route("/logout", _page(_logout), methods=["POST"]),
            Route("/language", _page(_language, public=True), methods=["GET"]),
            Route("/campaigns", _page(_list), methods=["GET"]),
            Route(f"{shown}/live", _page(_live), methods=["GET"]),
            Route(f"{shown}/numbers", _page(_numbers), methods=["GET"]),
            Route(f"{shown}/cancel", _page(_confirm_cancel), methods=["GET"]),
            Route(f"{shown}/{{action}}", _page(_act), methods=["POST"]),
            Route(shown, _page(_board), methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _http_problem, Refusal: _refused},
    )
    application.state.ground = ground
    return SecurityHeaders(application)  # outermost: a page of error 500 has the headers too


def _page(answer: Page, *, public: bool = False) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        visit = Visit(request)
        if visit.found is None and not public:
            return _to_login(request)
        return await answer(visit)

    return respond


def _to_login(request: Request) -> Response:
    if "hx-request" in request.headers or request.url.path.endswith("/numbers"):
        return Response(status_code=401, headers={"HX-Redirect": "/console/login"})
    if request.method != "GET":
        return RedirectResponse("/console/login", 303)
    return RedirectResponse(f"/console/login?next={quote(request.url.path, safe='')}", 303)


async def _to_home(_: Request) -> Response:
    return RedirectResponse(HOME, 303)


async def _show_login(visit: Visit) -> Response:
    wanted = visit.request.query_params.get("next", "")
    ticket = visit.request.query_params.get("ticket")
    if ticket is None:
        return visit.page("login.html", next=inside(wanted), problem="")
    session = read_ticket(visit.secret, ticket, visit.now)
    if session is None:
        return visit.page("login.html", 401, next=inside(wanted), problem="ticket")
    # Not a redirect: a browser keeps a strict cookie back while another site's link is followed.
    return _signed_in(visit, session, visit.page("entered.html", next=inside(wanted)))


async def _login(visit: Visit) -> Response:
    form = await visit.form()
    wanted = inside(form.get("next", ""))
    try:
        caller = await identify(visit.ground.ledger, api_key=form.get("api_key", "").strip())
    except KeyUnknown:
        return visit.page("login.html", 401, next=wanted, problem="key")
    session = new_session(caller.workspace_id, visit.now)
    return _signed_in(visit, session, RedirectResponse(wanted, 303))


def _signed_in(visit: Visit, session: Session, answer: Response) -> Response:
    answer.set_cookie(
        SESSION_COOKIE,
        seal_session(visit.secret, session),
        max_age=SESSION_HOURS * 3600,
        path="/console",
        secure=visit.encrypted,
        httponly=True,
        samesite="strict",
    )
    return answer


async def _logout(visit: Visit) -> Response:
    await visit.trusted_form()
    answer = RedirectResponse("/console/login", 303)
    answer.delete_cookie(SESSION_COOKIE, path="/console")
    return answer


async def _language(visit: Visit) -> Response:
    chosen = visit.request.query_params.get("to", "")
    answer = RedirectResponse(inside(visit.request.query_params.get("next", "")), 303)
    if chosen in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=_YEAR_SECONDS, path="/console", samesite="lax"
        )
    return answer


async def _list(visit: Visit) -> Response:
    before = visit.request.query_params.get("before", "")
    headings, zone = await read_headings(
        visit.ground.ledger,
        visit.session.workspace_id,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None,  # noqa: PLR2004 - a bigint has 19 digits
    )
    older = headings[-1].id if len(headings) == SHOWN_CAMPAIGNS else None
    return visit.page("campaigns.html", headings=headings, zone=zone, older=older)


async def _board(visit: Visit) -> Response:
    return visit.page("board.html", board=await _read(visit), problem="")


async def _live(visit: Visit) -> Response:
    return visit.page("live.html", board=await _read(visit), problem="")


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
            await action(connection, workspace_id=workspace_id, actor=_ACTOR, name=visit.name)
    except NotFound:
        raise
    except Refusal as refusal:
        board = await _read(visit)
        return visit.page("board.html", 409, board=board, problem=refusal.sentence)
    return RedirectResponse(campaign_address(visit.name), 303)


async def _read(visit: Visit) -> Board:
    return await read_board(visit.ground.ledger, visit.session.workspace_id, visit.name)


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Visit(request).page("problem.html", status, status=status, sentence="")


async def _refused(request: Request, error: Exception) -> Response:
    sentence = error.sentence if isinstance(error, Refusal) else ""
    status = 404 if isinstance(error, NotFound) else 409
    return Visit(request).page("problem.html", status, status=status, sentence=sentence)
