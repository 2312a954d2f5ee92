"""How the console answers: pages for those who are signed in, and pages for what goes wrong."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from textwave.console.visit import Visit
from textwave.kit.refusal import NotFound, Refusal

Page = Callable[[Visit], Awaitable[Response]]


def page(answer: Page, *, public: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """Make a page an endpoint: without a session it leads to the sign-in, unless it is public."""

    async def respond(request: Request) -> Response:
        visit = Visit(request)
        await visit.recognise()
        if visit.found is None and not public:
            return _to_login(request)
        return await answer(visit)

    return respond


def _to_login(request: Request) -> Response:
    fetched = request.headers.get("sec-fetch-dest") == "empty"  # by a script, not by the reader
    if fetched or "hx-request" in request.headers or request.url.path.endswith("/numbers"):
        return Response(status_code=401, headers={"HX-Redirect": "/console/login"})
    if request.method != "GET":
        return RedirectResponse("/console/login", 303)
    return RedirectResponse(f"/console/login?next={quote(request.url.path, safe='')}", 303)


async def http_problem(request: Request, error: Exception) -> Response:
    """Answer what is no page, and what broke."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(request, status, "")


async def refused(request: Request, error: Exception) -> Response:
    """Answer what the product refuses, in its own words."""
    sentence = error.sentence if isinstance(error, Refusal) else ""
    return _problem(request, 404 if isinstance(error, NotFound) else 409, sentence)


def _problem(request: Request, status: int, sentence: str) -> Response:
    return Visit(request).page("problem.html", status, status=status, sentence=sentence)
