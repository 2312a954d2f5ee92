"""What somebody gets at most: fatigue rules, quiet hours, holidays, the allowlist.

Each change is a form on the page that shows what it changes; what takes a limit away is confirmed
first. A refusal stands beside the form, which keeps what was given.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import time
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.limit_reading import ends_in_words, read_limits_of, windows_of
from textwave.console.operation_pages import operation_of
from textwave.console.visit import Visit
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.limits import allowlist_operations as allowlist
from textwave.limits import operations as limits
from textwave.limits.fatigue import CountsBy
from textwave.limits.quiet import MOST_HOLIDAYS, QuietZone
from textwave.storage.ledger import Connection

Change = Callable[[Connection, Visit, Mapping[str, str]], Awaitable[int | None]]
_HOME: Final = "/console/limits"


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/limits", page(_list), methods=["GET"]),
        Route("/limits/delete/{kind}/{name:path}", page(_confirm_delete), methods=["GET"]),
        Route("/limits/delete/{kind}/{name:path}", page(_delete), methods=["POST"]),
        Route("/limits/{part}", page(_change), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    return await _page_of(visit, {}, "", "")


async def _page_of(visit: Visit, given: Mapping[str, str], place: str, problem: str) -> Response:
    shown = await read_limits_of(visit)
    operation = await operation_of(visit) or {"operation": None}
    values: dict[str, Any] = {
        "shown": shown,
        "zone": shown.zone,
        "windows_of": windows_of,
        "ends_in_words": ends_in_words,
        "given": given,
        "place": place,
        "problem": problem,
        "most_holidays": MOST_HOLIDAYS,
    }
    return visit.page("limits.html", 409 if problem else 200, **operation | values)


async def _change(visit: Visit) -> Response:
    """Take one of the page's forms: quiet hours, a holiday, an audience, or how is counted."""
    part = str(visit.request.path_params["part"])
    change = _CHANGES.get(part)
    if change is None:
        raise HTTPException(404)
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await change(connection, visit, form)
    except Refusal as refusal:
        return await _page_of(visit, form, part, refusal.sentence)
    followed = "" if operation_id is None else f"?operation={operation_id}"
    return RedirectResponse(f"{_HOME}{followed}#{part}", 303)


async def _set_quiet(connection: Connection, visit: Visit, form: Mapping[str, str]) -> None:
    zone = text(form, "zone")
    if zone not in tuple(QuietZone):
        raise InvalidValue("zone", f"choose one of {', '.join(QuietZone)}.")
    await limits.set_quiet_hours(
        connection,
        workspace_id=visit.workspace_id,
        actor=visit.actor,
        daily_from=_time(form, "from"),
        daily_until=_time(form, "until"),
        zone=QuietZone(zone),
    )


def _time(form: Mapping[str, str], name: str) -> time:
    given = text(form, name)
    try:
        return time.fromisoformat(given)
    except ValueError:
        raise InvalidValue(name, "a time of day is needed, written as 21:00.") from None


async def _add_holiday(connection: Connection, visit: Visit, form: Mapping[str, str]) -> None:
    await limits.add_holiday(
        connection,
        workspace_id=visit.workspace_id,
        actor=visit.actor,
        name=text(form, "name"),
        begins=_local(form, "from"),
        ends=_local(form, "until"),
        now=visit.now,
    )


def _local(form: Mapping[str, str], name: str) -> str:
    """Return a day, or with a time of day a local time."""
    day, at = text(form, name), text(form, f"{name}_time")
    return f"{day}T{at}" if at else day


async def _allow(connection: Connection, visit: Visit, form: Mapping[str, str]) -> None:
    await allowlist.add_audience(
        connection,
        workspace_id=visit.workspace_id,
        actor=visit.actor,
        audience=text(form, "audience"),
        viewer=visit.viewer,
    )


async def _count_by(connection: Connection, visit: Visit, form: Mapping[str, str]) -> int | None:
    counts_by = text(form, "counts_by")
    if counts_by not in tuple(CountsBy):
        raise InvalidValue("counts_by", f"choose one of {', '.join(CountsBy)}.")
    return await limits.count_by(
        connection,
        workspace_id=visit.workspace_id,
        actor=visit.actor,
        counts_by=CountsBy(counts_by),
        now=visit.now,
    )


_CHANGES: Final[Mapping[str, Change]] = {
    "quiet": _set_quiet,
    "holidays": _add_holiday,
    "allowlist": _allow,
    "counting": _count_by,
}


async def _confirm_delete(visit: Visit) -> Response:
    """Ask before a limit is taken away; what is not there cannot be."""
    kind, name = str(visit.request.path_params["kind"]), visit.name
    shown = await read_limits_of(visit)
    there = {
        "rule": [rule.name for rule in shown.rules],
        "holiday": [holiday.name for holiday in shown.holidays],
        "allowlist": [entry.audience for entry in shown.allowlist],
        "quiet": ["hours"] if shown.policy.quiet_from is not None else [],
    }
    if name not in there.get(kind, ()):
        raise HTTPException(404)
    return visit.page("limits_delete.html", kind=kind, name=name, policy=shown.policy)


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    kind, name = str(visit.request.path_params["kind"]), visit.name
    key: dict[str, Any] = {"workspace_id": visit.workspace_id, "actor": visit.actor}
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        match kind:
            case "rule":
                await limits.delete_rule(connection, name=name, **key)
            case "holiday":
                await limits.delete_holiday(connection, name=name, **key)
            case "allowlist":
                await allowlist.delete_audience(
                    connection, audience=name, viewer=visit.viewer, **key
                )
            case "quiet":
                await limits.set_quiet_hours(
                    connection, daily_from=None, daily_until=None, zone=QuietZone.WORKSPACE, **key
                )
            case _:
                raise NotFound("limit", kind)
    return RedirectResponse(_HOME, 303)
