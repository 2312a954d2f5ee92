"""Signatures: who speaks, how the platform's review and the carriers' registrations stand."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.paging import listed
from textwave.console.visit import Visit
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.signatures import operations, store
from textwave.signatures.papers import CREATING, Papers, Source
from textwave.signatures.registration import REGISTERING, warnings
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent
from textwave.signatures.store import Signature

_LIST: Final = "/console/signatures"
_LARGEST_FORM_BYTES: Final = 16_000
_PAPER_NUMBERS: Final = (
    "qualification_id",
    "authorization_letter_id",
    "trademark_id",
    "app_record_id",
)


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/signatures", page(_list), methods=["GET"]),
        Route("/signatures", page(_add), methods=["POST"]),
        Route("/signatures/-/new", page(_new), methods=["GET"]),
        Route("/signatures/-/new", page(_create), methods=["POST"]),
        Route("/signatures/{platform}/{name}", page(_show), methods=["GET"]),
        Route("/signatures/{platform}/{name}", page(_act), methods=["POST"]),
        Route("/signatures/{platform}/{name}/papers", page(_papers), methods=["GET"]),
        Route("/signatures/{platform}/{name}/papers", page(_hand_in), methods=["POST"]),
        Route("/signatures/{platform}/{name}/delete", page(_ask_to_delete), methods=["GET"]),
        Route("/signatures/{platform}/{name}/delete", page(_delete), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    return await _listed(visit, {}, "")


async def _add(visit: Visit) -> Response:
    """Add a signature that the platform has, in the state that the platform says."""
    form = await visit.trusted_form()
    try:
        added = await operations.add_signature(
            visit.ground.ledger,
            visit.ground.open_platform,
            workspace_id=visit.workspace_id,
            actor=visit.actor,
            platform=text(form, "platform"),
            name=text(form, "name"),
            now=visit.now,
        )
    except Refusal as refusal:
        return await _listed(visit, form, refusal.sentence)
    return RedirectResponse(_address(added), 303)


async def _listed(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        accounts = await connection_store.platforms(connection, workspace_id=visit.workspace_id)
        found = await listed(
            lambda after: store.signatures(
                connection, workspace_id=visit.workspace_id, after=after
            ),
            store.LONGEST_PAGE,
            lambda one: one.id,
        )
    values: dict[str, Any] = {
        "found": found[::-1],
        "warned": {one.id: len(warnings(one, visit.now)) for one in found},
        "platforms": accounts,
        "creating": [one.name for one in accounts if one.kind in CREATING],
        "given": given,
        "problem": problem,
    }
    return visit.page("signatures.html", 409 if problem else 200, **values)


async def _new(visit: Visit) -> Response:
    return await _form(visit, {"source": Source.ENTERPRISE}, "")


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await operations.create_signature(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                platform=text(form, "platform"),
                name=text(form, "name"),
                papers=_read_papers(form),
                now=visit.now,
            )
    except Refusal as refusal:
        return await _form(visit, form, refusal.sentence)
    return RedirectResponse(_address(made), 303)


async def _papers(visit: Visit) -> Response:
    found = await _signature(visit)
    if found.state not in SIGNATURE_STATES.sources(SignatureEvent.EDIT):
        return RedirectResponse(_address(found), 303)
    given = {} if found.papers is None else asdict(found.papers)
    written = {name: str(value) for name, value in given.items() if value is not None}
    return await _form(visit, {"source": Source.ENTERPRISE, **written}, "", found)


async def _hand_in(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    found = await _signature(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.edit_signature(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                platform=found.platform,
                name=found.name,
                papers=_read_papers(form),
                now=visit.now,
            )
    except Refusal as refusal:
        return await _form(visit, form, refusal.sentence, found)
    return RedirectResponse(_address(found), 303)


async def _form(
    visit: Visit, given: Mapping[str, str], problem: str, before: Signature | None = None
) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        accounts = await connection_store.platforms(connection, workspace_id=visit.workspace_id)
    values: dict[str, Any] = {
        "given": given,
        "before": before,
        "platforms": [one.name for one in accounts if one.kind in CREATING],
        "sources": list(Source),
        "problem": problem,
    }
    return visit.page("signatures_form.html", 409 if problem else 200, **values)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, "")


async def _act(visit: Visit) -> Response:
    """Ask the platform again, or set how fast messages leave under the signature."""
    form = await visit.trusted_form()
    found = await _signature(visit)
    who: dict[str, Any] = {"workspace_id": visit.workspace_id, "actor": visit.actor}
    what: dict[str, Any] = {"platform": found.platform, "name": found.name}
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            if form.get("act") == "ask":
                await operations.ask_again_for_signature(connection, **who, **what, now=visit.now)
            elif form.get("act") == "rate":
                rate = _number(form, "rate_per_second")
                await operations.set_signature_rate(connection, **who, **what, rate_per_second=rate)
    except Refusal as refusal:
        return await _page_of(visit, refusal.sentence)
    return RedirectResponse(_address(found), 303)


async def _page_of(visit: Visit, problem: str) -> Response:
    found = await _signature(visit)
    values: dict[str, Any] = {
        "signature": found,
        "warnings": warnings(found, visit.now),
        "registers": found.kind in REGISTERING,
        "created_here": found.papers is not None,
        "now": visit.now,
        "problem": problem,
    }
    return visit.page("signatures_signature.html", 409 if problem else 200, **values)


async def _ask_to_delete(visit: Visit) -> Response:
    return await _delete_page(visit, "")


async def _delete(visit: Visit) -> Response:
    form = await visit.trusted_form()
    found = await _signature(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.delete_signature(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                platform=found.platform,
                name=found.name,
                now=visit.now,
                at_platform=form.get("at_platform") == "yes",
            )
    except Refusal as refusal:
        return await _delete_page(visit, refusal.sentence)
    return RedirectResponse(_LIST, 303)


async def _delete_page(visit: Visit, problem: str) -> Response:
    found = await _signature(visit)
    values = {"signature": found, "deletes_there": found.kind in CREATING, "problem": problem}
    return visit.page("signatures_delete.html", 409 if problem else 200, **values)


async def _signature(visit: Visit) -> Signature:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        account: PlatformAccount = await connection_store.platform_named(
            connection,
            workspace_id=visit.workspace_id,
            name=str(visit.request.path_params["platform"]),
        )
        return await store.signature_named(
            connection, workspace_id=visit.workspace_id, platform_id=account.id, name=visit.name
        )


def _address(signature: Signature) -> str:
    return named_address(f"signatures/{signature.platform}", signature.name)


def _read_papers(form: Mapping[str, str]) -> Papers:
    source = form.get("source", "")
    if source not in list(Source):
        raise InvalidValue("source", f"is none of: {', '.join(Source)}.")
    numbers = {name: _number(form, name) for name in _PAPER_NUMBERS}
    return Papers(
        source=Source(source),
        qualification_id=numbers["qualification_id"] or 0,
        remark=text(form, "remark").replace("\r\n", "\n"),
        scene=text(form, "scene").replace("\r\n", "\n"),
        authorization_letter_id=numbers["authorization_letter_id"],
        trademark_id=numbers["trademark_id"] if source == Source.TRADEMARK else None,
        app_record_id=numbers["app_record_id"] if source == Source.APP else None,
    )


def _number(form: Mapping[str, str], name: str) -> int | None:
    given = text(form, name)
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 18:  # noqa: PLR2004 - a bigint's
        raise InvalidValue(name, f"“{given[:20]}” is no whole number.")
    return int(given)
