"""What is done with a campaign before it starts: dry run, test send, start, time, copy, delete.

Starting asks once more and says how many get a message, when, and what it costs. What is refused
is said on the page that asked, with everything that was typed.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.campaigns import trial_operations
from textwave.campaigns.operations import start_campaign, start_dry_run
from textwave.campaigns.schedule_operations import delete_campaign, unschedule_campaign
from textwave.campaigns.trial_operations import MOST_NUMBERS, AskedTest
from textwave.console.addresses import HOME, campaign_address
from textwave.console.answering import page
from textwave.console.campaign_before import BEFORE, Before, read_before, read_tests
from textwave.console.operation_pages import operation_of
from textwave.console.reading import read_board
from textwave.console.visit import Visit
from textwave.kit.mobile import read_mobile
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

_LONGEST_NUMBERS: Final = 1_000


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/campaigns/{name:path}"
    return [
        Route(f"{shown}/dry-run", page(_dry_run), methods=["POST"]),
        Route(f"{shown}/test-send", page(_test), methods=["POST"]),
        Route(f"{shown}/test-sends", page(_tests), methods=["GET"]),
        Route(f"{shown}/start", page(_confirm_start), methods=["GET"]),
        Route(f"{shown}/start", page(_start), methods=["POST"]),
        Route(f"{shown}/unschedule", page(_unschedule), methods=["POST"]),
        Route(f"{shown}/delete", page(_confirm_delete), methods=["GET"]),
        Route(f"{shown}/delete", page(_delete), methods=["POST"]),
    ]


async def board_values(
    visit: Visit, *, problem: str = "", trial: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what the page of a campaign shows; before it starts with all that is done then."""
    board = await read_board(visit.ground.ledger, visit.workspace_id, visit.name)
    before = await read_before(visit) if board.heading.state in BEFORE else None
    asked = await operation_of(visit) or {"operation": None, "result_template": None, "done": None}
    return {
        **asked,
        "board": board,
        "before": before,
        "problem": problem,
        "trial_problem": "",
        "trial": trial or {},
        "zone": board.time_zone,
        "tests": before.tests if before else [],
    }


async def _dry_run(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await start_dry_run(
                connection, workspace_id=visit.workspace_id, name=visit.name
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _refused(visit, refusal)
    address = campaign_address(visit.name, f"?operation={operation_id}#check")
    return RedirectResponse(address, 303)


async def _refused(visit: Visit, refusal: Refusal) -> Response:
    return visit.page("board.html", 409, **await board_values(visit, problem=refusal.sentence))


async def _test(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        before = await read_before(visit)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await trial_operations.start_test(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                request=await _asked(visit, connection, form, before),
            )
    except NotFound as refusal:
        if refusal.kind == "campaign":
            raise
        return await _test_refused(visit, form, refusal)
    except Refusal as refusal:
        return await _test_refused(visit, form, refusal)
    return RedirectResponse(campaign_address(visit.name, "?tested=yes#tests"), 303)


async def _test_refused(visit: Visit, form: Mapping[str, str], refusal: Refusal) -> Response:
    values = await board_values(visit, trial=form)
    return visit.page("board.html", 409, **values | {"trial_problem": refusal.sentence})


async def _asked(
    visit: Visit, connection: Connection, form: Mapping[str, str], before: Before
) -> AskedTest:
    """Read a test send from its form.

    Raises:
        InvalidValue: a number is none that a text could reach.
    """
    region = (await workspace(connection, visit.workspace_id)).default_region
    written = form.get("mobiles", "")[:_LONGEST_NUMBERS].replace(",", "\n").replace("，", "\n")
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if len(lines) > MOST_NUMBERS:
        raise InvalidValue("mobiles", f"give 1 to {MOST_NUMBERS} different numbers.")
    mobiles: list[int] = []
    for line in lines:
        mobile = read_mobile(line, region)
        if mobile is None:
            raise InvalidValue("mobiles", f"“{line[:40]}” is no number that a text could reach.")
        mobiles.append(int(mobile))
    variant = form.get("variant") or None
    known = before.texts.get(variant or next(iter(before.texts)), ())
    values = {name: form.get(f"value_{name}", "").strip() for name in known}
    return AskedTest(
        mobiles,
        {name: value for name, value in values.items() if value},
        form.get("customer", "").replace("\0", "").strip() or None,
        variant,
    )


async def _tests(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    tests = await read_tests(visit)
    return visit.page("campaign_tests.html", tests=tests, zone=zone, name=visit.name)


async def _confirm_start(visit: Visit) -> Response:
    before = await read_before(visit)
    if before.campaign.state not in ("draft", "rejected"):
        return RedirectResponse(campaign_address(visit.name), 303)
    return visit.page("campaign_start.html", before=before, problem="")


async def _start(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await start_campaign(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                links_url=links_url(visit.ground.settings),
                now=visit.now,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        before = await read_before(visit)
        return visit.page("campaign_start.html", 409, before=before, problem=refusal.sentence)
    return RedirectResponse(campaign_address(visit.name), 303)


async def _unschedule(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await unschedule_campaign(connection, **_who(visit))
    except NotFound:
        raise
    except Refusal as refusal:
        return await _refused(visit, refusal)
    return RedirectResponse(campaign_address(visit.name), 303)


async def _confirm_delete(visit: Visit) -> Response:
    before = await read_before(visit)
    return visit.page("campaign_delete.html", before=before, problem="")


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await delete_campaign(connection, **_who(visit))
    except NotFound:
        raise
    except Refusal as refusal:
        before = await read_before(visit)
        return visit.page("campaign_delete.html", 409, before=before, problem=refusal.sentence)
    return RedirectResponse(HOME, 303)


def _who(visit: Visit) -> dict[str, Any]:
    return {
        "workspace_id": visit.workspace_id,
        "actor": visit.actor,
        "name": visit.name,
        "now": visit.now,
    }
