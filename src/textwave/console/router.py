"""The console's application: the routes of every noun, their rules, and where it is mounted.

Mounted below /console by `mount`. A page without a session leads to the sign-in; a form without the
session's own token is refused.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from textwave.console import (
    audience_pages,
    campaign_after_pages,
    campaign_before_pages,
    campaign_pages,
    campaign_text_pages,
    campaign_writing_pages,
    digital_pages,
    doubt_pages,
    entry_pages,
    fatigue_pages,
    feed_pages,
    import_pages,
    limit_pages,
    link_pages,
    list_pages,
    material_pages,
    model_pages,
    number_pages,
    operation_pages,
    opt_out_file_pages,
    opt_out_pages,
    platform_pages,
    recurrence_pages,
    rule_pages,
    signature_pages,
    single_pages,
    table_pages,
    template_pages,
)
from textwave.console.addresses import HOME
from textwave.console.answering import http_problem, refused
from textwave.console.pages import STATIC
from textwave.console.security import SecurityHeaders
from textwave.console.visit import Ground
from textwave.kit.refusal import Refusal

_NOUNS = (
    entry_pages,
    operation_pages,
    rule_pages,
    list_pages,
    audience_pages,
    table_pages,
    import_pages,
    model_pages,
    feed_pages,
    fatigue_pages,
    limit_pages,
    opt_out_file_pages,
    opt_out_pages,
    number_pages,
    doubt_pages,
    recurrence_pages,
    single_pages,
    template_pages,
    link_pages,
    digital_pages,
    material_pages,
    signature_pages,
    platform_pages,
    campaign_writing_pages,
    campaign_text_pages,
    campaign_before_pages,
    campaign_after_pages,
    campaign_pages,
)


def mount(application: Starlette, ground: Callable[[], Ground]) -> None:
    """Put the console below /console of an application, and lead / to it.

    `ground` is asked at each request, so the runtime may be opened after mounting.
    """
    application.mount("/console", console(ground), name="console")
    application.router.routes.append(Route("/", _to_home, include_in_schema=False))


def console(ground: Callable[[], Ground]) -> ASGIApp:
    """Make the console as an application of its own, to be mounted at /console."""
    application = Starlette(
        routes=[
            Route("/", _to_home),
            *(route for noun in _NOUNS for route in noun.routes()),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: http_problem, Refusal: refused},
    )
    application.state.ground = ground
    return SecurityHeaders(application)  # outermost: a page of error 500 has the headers too


async def _to_home(_: Request) -> Response:
    return RedirectResponse(HOME, 303)
