"""One number: what it got, what not and which rule decided, and what would happen to one more.

The number is in the body of a form, never in an address, and is shown masked.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.answering import page
from textwave.console.fields import row_id, text
from textwave.console.limit_reading import read_signatures
from textwave.console.opt_out_pages import typed_number
from textwave.console.visit import Visit
from textwave.insights import why_operations
from textwave.insights.why import Why
from textwave.kit.refusal import InvalidValue, Refusal


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/numbers", page(_form), methods=["GET"]),
        Route("/numbers", page(_explain), methods=["POST"]),
    ]


async def _form(visit: Visit) -> Response:
    return await _page_of(visit, {}, None, "")


async def _page_of(
    visit: Visit, given: Mapping[str, str], why: Why | None, problem: str
) -> Response:
    signatures = await read_signatures(visit)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "signatures": signatures,
        "given": given,
        "why": why,
        "zone": zone,
        "problem": problem,
    }
    return visit.page("numbers.html", 409 if problem else 200, **values)


async def _explain(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        mobile = await typed_number(visit, form)
        platform, signature = await _speaker(visit, text(form, "signature"))
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            why = await why_operations.why(
                connection,
                workspace_id=visit.workspace_id,
                mobile=mobile,
                now=visit.now,
                platform=platform,
                signature=signature,
                before=row_id(text(form, "before")),
            )
    except Refusal as refusal:
        return await _page_of(visit, form, None, refusal.sentence)
    return await _page_of(visit, form, why, "")


async def _speaker(visit: Visit, written: str) -> tuple[str | None, str | None]:
    """Return platform and name of the signature that was chosen, if one was."""
    if not written:
        return None, None
    for signature in await read_signatures(visit):
        if str(signature.id) == written:
            return signature.platform, signature.name
    raise InvalidValue("signature", "choose one of the list.")
