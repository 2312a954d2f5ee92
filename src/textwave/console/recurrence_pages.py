"""Recurring campaigns: their next times, what became of the last ones, paused, resumed, deleted."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import row_id
from textwave.console.rhythm_words import rhythm_in_words
from textwave.console.visit import Visit
from textwave.kit.refusal import NotFound, Refusal
from textwave.recurrences import operations as recurrences
from textwave.recurrences.operations import ShownRecurrence

_SHOWN: Final = 100
_SHOWN_RUNS: Final = 50
_Move = Callable[..., Awaitable[ShownRecurrence]]


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/recurrences/{name:path}"
    return [
        Route("/recurrences", page(_list), methods=["GET"]),
        Route(f"{shown}/delete", page(_confirm_delete), methods=["GET"]),
        Route(f"{shown}/delete", page(_delete), methods=["POST"]),
        Route(f"{shown}/pause", page(_pause), methods=["POST"]),
        Route(f"{shown}/resume", page(_resume), methods=["POST"]),
        Route(shown, page(_show), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    before = row_id(visit.request.query_params.get("before", ""))
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await recurrences.recurrences(
            connection, visit.workspace_id, now=visit.now, before=before, limit=_SHOWN
        )
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    older = found[-1].recurrence.id if len(found) == _SHOWN else None
    in_words = partial(rhythm_in_words, chosen=visit.language)
    values: dict[str, Any] = {"found": found, "zone": zone, "older": older, "in_words": in_words}
    return visit.page("recurrences.html", **values)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, "")


async def _read(visit: Visit) -> ShownRecurrence:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await recurrences.recurrence(
            connection, visit.workspace_id, visit.name, now=visit.now
        )


async def _page_of(visit: Visit, problem: str) -> Response:
    shown = await _read(visit)
    before = _moment(visit.request.query_params.get("before", ""))
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        runs = await recurrences.runs(
            connection, visit.workspace_id, visit.name, before=before, limit=_SHOWN_RUNS
        )
    values: dict[str, Any] = {
        "shown": shown,
        "runs": runs,
        "older": runs[-1].due_at.isoformat() if len(runs) == _SHOWN_RUNS else None,
        "zone": shown.recurrence.time_zone,
        "sentence": rhythm_in_words(shown.recurrence.rule, visit.language),
        "problem": problem,
    }
    return visit.page("recurrence.html", 409 if problem else 200, **values)


def _moment(written: str) -> datetime | None:
    """Read the time that the older runs are before; None when it is none."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


async def _pause(visit: Visit) -> Response:
    return await _move(visit, recurrences.pause_recurrence)


async def _resume(visit: Visit) -> Response:
    return await _move(visit, recurrences.resume_recurrence)


async def _move(visit: Visit, move: _Move) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await move(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                now=visit.now,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _page_of(visit, refusal.sentence)
    return RedirectResponse(named_address("recurrences", visit.name), 303)


async def _confirm_delete(visit: Visit) -> Response:
    return visit.page("recurrence_delete.html", shown=await _read(visit))


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        await recurrences.delete_recurrence(
            connection, workspace_id=visit.workspace_id, actor=visit.actor, name=visit.name
        )
    return RedirectResponse("/console/recurrences", 303)
