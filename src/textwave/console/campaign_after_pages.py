"""What follows from a campaign: a copy, a retry of who failed, the winner of a test, a rhythm.

Each asks on a page of its own, keeps what was typed when it is refused, and names what it makes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.campaigns import repeat_operations
from textwave.campaigns.operations import campaign
from textwave.campaigns.repeating import MAYBE_DELIVERED, NEVER_AGAIN, copied
from textwave.campaigns.store import Campaign
from textwave.campaigns.winner_operations import choose_winner
from textwave.console.addresses import campaign_address, named_address
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.operation_pages import operation_of
from textwave.console.reading import read_board
from textwave.console.visit import Visit
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.recurrences.operations import NewRecurrence, create_recurrence
from textwave.recurrences.recurrence import Every, Rhythm, RhythmUnfit
from textwave.wiring import links_url

_COPY_SUFFIX: Final = {"copy": " 2", "retry": " again"}
_LONGEST_NAME: Final = 100
_NO_OPERATION: Final = {"operation": None, "result_template": None, "done": None}


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/campaigns/{name:path}"
    return [
        Route(f"{shown}/copy", page(_copy_form), methods=["GET"]),
        Route(f"{shown}/copy", page(_copy), methods=["POST"]),
        Route(f"{shown}/retry", page(_retry_form), methods=["GET"]),
        Route(f"{shown}/retry", page(_retry), methods=["POST"]),
        Route(f"{shown}/winner", page(_winner_form), methods=["GET"]),
        Route(f"{shown}/winner", page(_winner), methods=["POST"]),
        Route(f"{shown}/recur", page(_recur_form), methods=["GET"]),
        Route(f"{shown}/recur", page(_recur), methods=["POST"]),
    ]


async def _copy_form(visit: Visit) -> Response:
    return await _ask(visit, "copy", {}, "")


async def _copy(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await repeat_operations.copy_campaign(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                new_name=text(form, "name"),
                links_url=links_url(visit.ground.settings),
                now=visit.now,
                viewer=visit.viewer,
            )
    except Refusal as refusal:
        return await _ask(visit, "copy", form, refusal.sentence)
    return RedirectResponse(campaign_address(made.name), 303)


async def _retry_form(visit: Visit) -> Response:
    return await _ask(visit, "retry", {}, "")


async def _retry(visit: Visit) -> Response:
    form = await visit.trusted_form()
    chosen = [cause for name, cause in form.items() if name.startswith("cause_")]
    try:
        if not chosen:
            raise InvalidValue("causes", "choose at least one.")
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await repeat_operations.start_retry(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                new_name=text(form, "name"),
                causes=chosen,
                now=visit.now,
            )
    except Refusal as refusal:
        return await _ask(visit, "retry", form, refusal.sentence)
    return RedirectResponse(campaign_address(visit.name, f"/retry?operation={operation_id}"), 303)


async def _ask(visit: Visit, what: str, form: Mapping[str, str], problem: str) -> Response:
    """Ask for the name of a copy or a retry; a retry also for the causes."""
    board = await read_board(visit.ground.ledger, visit.workspace_id, visit.name)
    suggested = visit.name[: _LONGEST_NAME - len(_COPY_SUFFIX[what])] + _COPY_SUFFIX[what]
    chosen = {value for name, value in form.items() if name.startswith("cause_")}
    causes = [
        (cause, count, cause in chosen if form else cause not in MAYBE_DELIVERED)
        for cause, count in board.figures.failures.items()
        if cause not in NEVER_AGAIN
    ]
    values: dict[str, Any] = {
        "board": board,
        "name": form.get("name", suggested),
        "causes": causes,
        "problem": problem,
    }
    operation = await operation_of(visit) or _NO_OPERATION
    return visit.page(f"campaign_{what}.html", 409 if problem else 200, **operation | values)


async def _winner_form(visit: Visit) -> Response:
    return await _ask_winner(visit, visit.request.query_params.get("variant", ""), "")


async def _ask_winner(visit: Visit, variant: str, problem: str) -> Response:
    board = await read_board(visit.ground.ledger, visit.workspace_id, visit.name)
    if not any(one.name == variant for one in board.variants):
        raise NotFound("variant", variant)
    values = {"board": board, "variant": variant, "problem": problem}
    return visit.page("campaign_winner.html", 409 if problem else 200, **values)


async def _winner(visit: Visit) -> Response:
    form = await visit.trusted_form()
    variant = text(form, "variant")
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await choose_winner(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                variant=variant,
                now=visit.now,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _ask_winner(visit, variant, refusal.sentence)
    return RedirectResponse(campaign_address(visit.name), 303)


async def _recur_form(visit: Visit) -> Response:
    return await _ask_rhythm(visit, {}, "")


async def _ask_rhythm(visit: Visit, form: Mapping[str, str], problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await campaign(connection, visit.workspace_id, visit.name)
    given = form or {"name": found.name, "every": "week", "at": "10:00", "day_1": "yes"}
    values = {"campaign": found, "given": given, "problem": problem}
    return visit.page("campaign_recur.html", 409 if problem else 200, **values)


async def _recur(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            found = await campaign(connection, visit.workspace_id, visit.name)
            made = await create_recurrence(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                new=_recurrence(form, found, visit),
                links_url=links_url(visit.ground.settings),
                now=visit.now,
                viewer=visit.viewer,
            )
    except NotFound as refusal:
        if refusal.kind == "campaign":
            raise
        return await _ask_rhythm(visit, form, refusal.sentence)
    except Refusal as refusal:
        return await _ask_rhythm(visit, form, refusal.sentence)
    return RedirectResponse(named_address("recurrences", made.recurrence.name), 303)


def _recurrence(form: Mapping[str, str], of: Campaign, visit: Visit) -> NewRecurrence:
    """Read a recurrence of a campaign, which has no time of its own then.

    Raises:
        InvalidValue, RhythmUnfit: a field says no day, time or number.
    """
    draft = copied(of, name=of.name, now=visit.now)
    return NewRecurrence(
        name=text(form, "name"),
        draft=replace(draft, timing=replace(draft.timing, at=None)),
        rhythm=_rhythm(form),
        starts_on=_day(form, "starts_on"),
        ends_on=_day(form, "ends_on"),
        max_runs=_number(form, "max_runs") if form.get("max_runs", "").strip() else None,
        refresh_audience=bool(form.get("refresh_audience")),
    )


def _rhythm(form: Mapping[str, str]) -> Rhythm:
    every, of_month = form.get("every", ""), form.get("of_month", "day")
    if every not in tuple(Every):
        raise InvalidValue("every", "choose a day, a week or a month.")
    try:
        at = time.fromisoformat(form.get("at", ""))
    except ValueError:
        raise RhythmUnfit("at", "write a time of day, such as 09:00.") from None
    if every == Every.WEEK:
        days = tuple(day for day in range(1, 8) if form.get(f"day_{day}"))
        return Rhythm(Every.WEEK, at, days)
    if every == Every.MONTH and of_month == "nth":
        weekday = _number(form, "nth_weekday")
        return Rhythm(Every.MONTH, at, (weekday,), nth=_number(form, "nth"))
    if every == Every.MONTH:
        return Rhythm(Every.MONTH, at, day=_number(form, "day"))
    return Rhythm(Every.DAY, at)


def _day(form: Mapping[str, str], name: str) -> date | None:
    written = form.get(name, "").strip()
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise InvalidValue(name, "A day is needed, written as 2026-03-01.") from None


def _number(form: Mapping[str, str], name: str) -> int:
    written = form.get(name, "").strip()
    digits = written.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 7):  # noqa: PLR2004 - fits anywhere
        raise InvalidValue(name, f"“{written[:40]}” is no number.")
    return int(written)
