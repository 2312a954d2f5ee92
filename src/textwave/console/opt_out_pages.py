"""Who must not be written to: the opt-outs of signatures and platforms, and the deny list.

Numbers are added by hand and shown masked; nothing is taken off without what shows a new consent.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console.answering import page
from textwave.console.fields import row_id, text
from textwave.console.opt_out_reading import (
    DENIED,
    LISTS,
    PLATFORMS,
    SIGNATURES,
    OptOutList,
    read_entry,
    read_list,
)
from textwave.console.visit import Visit
from textwave.kit.ids import PlatformId, SignatureId
from textwave.kit.mobile import Mobile, read_mobile
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.suppression import deny_operations, operations

_HOME: Final = "/console/opt-outs"
_LONGEST_NUMBER: Final = 40


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/opt-outs", page(_first), methods=["GET"]),
        Route("/opt-outs/{kind}", page(_list), methods=["GET"]),
        Route("/opt-outs/{kind}", page(_add), methods=["POST"]),
        Route("/opt-outs/{kind}/{id:int}/lift", page(_confirm_lift), methods=["GET"]),
        Route("/opt-outs/{kind}/{id:int}/lift", page(_lift), methods=["POST"]),
    ]


async def _first(_: Visit) -> Response:
    return RedirectResponse(f"{_HOME}/{SIGNATURES}", 303)


async def _list(visit: Visit) -> Response:
    return await _page_of(visit, {}, "")


async def _page_of(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    shown = await read_list(visit)
    values: dict[str, Any] = {
        "shown": shown,
        "kinds": LISTS,
        "zone": shown.zone,
        "given": given,
        "problem": problem,
        "added": visit.request.query_params.get("added") == "yes",
        "lifted": visit.request.query_params.get("lifted") == "yes",
    }
    return visit.page("opt_outs.html", 409 if problem else 200, **values)


async def typed_number(visit: Visit, form: Mapping[str, str]) -> Mobile:
    """Read a number as somebody typed it, in the workspace's region.

    Raises:
        InvalidValue: it is no number that a text could reach.
    """
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        region = (await workspace(connection, visit.workspace_id)).default_region
    mobile = read_mobile(text(form, "mobile")[:_LONGEST_NUMBER], region)
    if mobile is None:
        raise InvalidValue("mobile", "This is no number that a text could reach.")
    return mobile


async def _add(visit: Visit) -> Response:
    form = await visit.trusted_form()
    shown = await read_list(visit)
    try:
        place = await _block(visit, shown, form)
    except Refusal as refusal:
        return await _page_of(visit, form, refusal.sentence)
    return RedirectResponse(f"{_HOME}/{shown.kind}?added=yes{place}", 303)


async def _block(visit: Visit, shown: OptOutList, form: Mapping[str, str]) -> str:
    """Opt a number out, or deny it; return what its list is asked for."""
    mobile = await typed_number(visit, form)
    said: dict[str, Any] = {
        "workspace_id": visit.workspace_id,
        "mobile": mobile,
        "evidence": text(form, "evidence"),
        "actor": visit.actor,
        "now": visit.now,
    }
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        if shown.kind == SIGNATURES:
            signature_id = _chosen(form, "signature")
            await operations.opt_out(connection, signature_id=SignatureId(signature_id), **said)
            return ""
        platform_id = _platform_of(shown, form) if shown.kind == PLATFORMS else None
        await deny_operations.deny(
            connection, platform_id=platform_id, reason=text(form, "reason"), **said
        )
    return "" if platform_id is None else f"&platform={platform_id}"


def _chosen(form: Mapping[str, str], name: str) -> int:
    found = row_id(text(form, name))
    if found is None:
        raise InvalidValue(name, "choose one of the list.")
    return found


def _platform_of(shown: OptOutList, form: Mapping[str, str]) -> PlatformId:
    chosen = _chosen(form, "platform")
    if chosen not in [account.id for account in shown.platforms]:
        raise NotFound("platform", str(chosen))
    return PlatformId(chosen)


async def _confirm_lift(visit: Visit) -> Response:
    return await _asked(visit, {}, "")


async def _asked(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    shown = await read_list(visit)
    entry = await read_entry(visit, shown)
    platform = next((p.name for p in shown.platforms if p.id == shown.platform_id), "")
    values: dict[str, Any] = {
        "shown": shown,
        "entry": entry,
        "platform": platform,
        "zone": shown.zone,
        "given": given,
        "problem": problem,
    }
    return visit.page("opt_outs_lift.html", 409 if problem else 200, **values)


async def _lift(visit: Visit) -> Response:
    form = await visit.trusted_form()
    shown = await read_list(visit)
    entry = await read_entry(visit, shown)
    try:
        said: dict[str, Any] = {
            "workspace_id": visit.workspace_id,
            "mobile": entry.number,
            "evidence": text(form, "evidence"),
            "actor": visit.actor,
            "now": visit.now,
        }
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            if entry.signature_id is not None:
                signature_id = SignatureId(entry.signature_id)
                await operations.lift(connection, signature_id=signature_id, **said)
            else:
                platform_id = None if shown.kind == DENIED else shown.platform_id
                await deny_operations.lift_denial(
                    connection,
                    platform_id=None if platform_id is None else PlatformId(platform_id),
                    **said,
                )
    except Refusal as refusal:
        return await _asked(visit, form, refusal.sentence)
    place = f"&platform={shown.platform_id}" if shown.kind == PLATFORMS else ""
    return RedirectResponse(f"{_HOME}/{shown.kind}?lifted=yes{place}", 303)
