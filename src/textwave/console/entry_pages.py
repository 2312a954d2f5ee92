"""Signing in, signing out, and the choice of a language."""

from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.operations import KeyUnknown, identify
from textwave.console.addresses import inside
from textwave.console.answering import page
from textwave.console.language import LANGUAGES
from textwave.console.session import (
    SESSION_HOURS,
    Session,
    new_session,
    read_ticket,
    seal_session,
)
from textwave.console.visit import LANGUAGE_COOKIE, SESSION_COOKIE, Visit

_YEAR_SECONDS: Final = 365 * 24 * 3600


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/login", page(_show_login, public=True), methods=["GET"]),
        Route("/login", page(_login, public=True), methods=["POST"]),
        Route("/logout", page(_logout), methods=["POST"]),
        Route("/language", page(_language, public=True), methods=["GET"]),
    ]


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
    session = new_session(caller.workspace_id, visit.now, key_id=caller.api_key_id)
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
