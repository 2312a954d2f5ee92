"""Single messages that programs ask for: the newest of them, and what became of each.

Only looked at here; they are sent over the API. Numbers show their last four digits.
"""

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.answering import page
from textwave.console.fields import row_id
from textwave.console.visit import Visit
from textwave.kit.ids import SingleMessageId
from textwave.kit.mobile import Mobile, masked
from textwave.kit.refusal import NotFound
from textwave.singles.operations import single_message
from textwave.singles.store import messages

SHOWN: Final = 100


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/messages", page(_list), methods=["GET"]),
        Route("/messages/{id}", page(_show), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    before = row_id(visit.request.query_params.get("before", ""))
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await messages(connection, visit.workspace_id, before=before, limit=SHOWN)
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "found": [(one, masked(Mobile(one.mobile))) for one in found],
        "zone": zone,
        "older": found[-1].id if len(found) == SHOWN else None,
        "newest": before is None,
    }
    return visit.page("messages.html", **values)


async def _show(visit: Visit) -> Response:
    wanted = str(visit.request.path_params["id"])
    message_id = row_id(wanted)
    if message_id is None:
        raise NotFound("message", wanted[:30])
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await single_message(connection, visit.workspace_id, SingleMessageId(message_id))
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values = {"message": found, "number_shown": masked(Mobile(found.mobile)), "zone": zone}
    return visit.page("messages_message.html", **values)
