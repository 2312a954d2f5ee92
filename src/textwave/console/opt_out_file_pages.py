"""Opt-outs as files: a list is taken in, with every line accounted for, or written as evidence.

The file is the body of its request; the form's fields are in the address, the session's token in a
header. Whole numbers are written for administrators only.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.connections import store as connection_store
from textwave.console.answering import page
from textwave.console.fields import row_id, text
from textwave.console.operation_pages import operation_of
from textwave.console.visit import Visit
from textwave.customers.body_store import FileTooLarge, stored_body
from textwave.downloads import opt_out_operations as exports
from textwave.downloads.opt_out_files import SheetFormat
from textwave.kit.ids import OperationId, PlatformId, SignatureId
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.signatures import store
from textwave.suppression import import_operations
from textwave.suppression.export_store import Exported
from textwave.suppression.import_operations import ImportRequest

_LARGEST_FORM_BYTES: Final = 64_000
_MEGABYTE: Final = 1_000_000
_LONGEST_NAME: Final = 200
_SHOWN_LINES: Final = 200
_DENY: Final = "deny"


def routes() -> list[Route]:
    """Return the routes below /console."""
    files = "/opt-outs/-"
    return [
        Route(f"{files}/import", page(_form), methods=["GET"]),
        Route(f"{files}/import", page(_take), methods=["POST"]),
        Route(f"{files}/check", page(_check), methods=["POST"]),
        Route(f"{files}/rejected/{{id:int}}", page(_rejected), methods=["GET"]),
        Route(f"{files}/export", page(_export_form), methods=["GET"]),
        Route(f"{files}/export", page(_export), methods=["POST"]),
        Route(f"{files}/exports/{{id:int}}", page(_fetch), methods=["GET"]),
    ]


async def _places(visit: Visit) -> dict[str, Any]:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        key: dict[str, Any] = {"workspace_id": visit.workspace_id}
        return {
            "platforms": await connection_store.platforms(connection, **key),
            "signatures": await store.signatures(connection, **key),
            "zone": (await workspace(connection, visit.workspace_id)).time_zone,
        }


async def _form(visit: Visit) -> Response:
    operation = await operation_of(visit) or {"operation": None}
    values = await _places(visit) | {
        "limit_megabytes": visit.ground.settings.upload_limit_megabytes,
        "chosen": visit.request.query_params.get("to", ""),
    }
    return visit.page("opt_outs_import.html", **operation | values)


async def _check(visit: Visit) -> Response:
    """Say what is wrong with the form before the file is sent."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        await _request(visit, form, "")
        size, limit = row_id(form.get("size", "")), visit.ground.settings.upload_limit_megabytes
        if size is not None and size > limit * _MEGABYTE:
            raise FileTooLarge(limit)
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({})


async def _take(visit: Visit) -> Response:
    """Store the file and begin to take its numbers."""
    visit.check_header()
    settings = visit.ground.settings
    path = settings.shared_folder / "uploads" / uuid.uuid4().hex
    try:
        request = await _request(visit, visit.request.query_params, str(path))
        async with (
            stored_body(visit.request.stream(), path, settings.upload_limit_megabytes),
            visit.ground.ledger.transaction(visit.workspace_id) as connection,
        ):
            operation_id = await import_operations.start_import(
                connection, workspace_id=visit.workspace_id, request=request
            )
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({"operation": f"/console/operations/{operation_id}"})


async def _request(visit: Visit, form: Mapping[str, str], path: str) -> ImportRequest:
    """Read the form of an import.

    Raises:
        InvalidValue, NotFound: a field does not fit.
    """
    platform_id, signature_id = await _place(visit, text(form, "to"))
    reason = text(form, "reason")
    if platform_id is None and not reason:
        raise InvalidValue("reason", "say why nobody of this workspace may write to the numbers.")
    request = ImportRequest(
        path=path,
        file_name=(text(form, "file_name") or "upload")[:_LONGEST_NAME],
        actor=visit.actor,
        signature_id=signature_id,
        platform_id=platform_id,
        reason=reason[:_LONGEST_NAME] if platform_id is None else "",
        encoding=text(form, "encoding") or None,
        delimiter=form.get("delimiter") or None,
        mobile_column=text(form, "mobile_column") or None,
        time_column=text(form, "time_column") or None,
        evidence_column=text(form, "evidence_column") or None,
    )
    request.check()
    return request


async def _place(visit: Visit, written: str) -> tuple[PlatformId | None, SignatureId | None]:
    """Read `deny`, `platform:5` or `signature:7` into what the workspace has."""
    if written == _DENY:
        return None, None
    kind, _, number = written.partition(":")
    wanted, places = row_id(number), await _places(visit)
    if kind == "platform" and wanted in [account.id for account in places["platforms"]]:
        return PlatformId(int(number)), None
    for signature in places["signatures"]:
        if kind == "signature" and signature.id == wanted:
            return signature.platform_id, signature.id
    raise InvalidValue("to", "choose one of the lists.")


async def _rejected(visit: Visit) -> Response:
    operation_id = visit.request.path_params["id"]
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        lines = await import_operations.rejected_lines(
            connection,
            workspace_id=visit.workspace_id,
            operation_id=OperationId(min(operation_id, 2**62)),
            after=row_id(visit.request.query_params.get("after", "")) or 0,
            limit=_SHOWN_LINES,
        )
    later = lines[-1].line if len(lines) == _SHOWN_LINES else None
    return visit.page("opt_outs_rejected.html", lines=lines, later=later, operation_id=operation_id)


async def _export_form(visit: Visit) -> Response:
    return await _export_page(visit, {}, "")


async def _export_page(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    operation = await operation_of(visit) or {"operation": None}
    values = await _places(visit) | {"given": given, "problem": problem}
    return visit.page("opt_outs_export.html", 409 if problem else 200, **operation | values)


async def _export(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        wanted = text(form, "of")
        of_all = wanted in ("", _DENY)
        platform_id, signature_id = (None, None) if of_all else await _place(visit, wanted)
        form_of_file = text(form, "format")
        if form_of_file not in tuple(SheetFormat):
            raise InvalidValue("format", f"choose one of {', '.join(SheetFormat)}.")
        exported = Exported(
            "deny list" if wanted == _DENY else "opt-outs",
            platform_id,
            signature_id,
            form.get("with_lifted") == "yes",
        )
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await exports.start_export(
                connection,
                workspace_id=visit.workspace_id,
                asker=_asker(visit),
                exported=exported,
                form=SheetFormat(form_of_file),
                reveal_numbers=form.get("reveal_numbers") == "yes",
            )
    except Refusal as refusal:
        return await _export_page(visit, form, refusal.sentence)
    return RedirectResponse(f"/console/opt-outs/-/export?operation={operation_id}", 303)


async def _fetch(visit: Visit) -> Response:
    """Hand over a finished file; it is kept for a day."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        path = await exports.find_export(
            connection,
            workspace_id=visit.workspace_id,
            asker=_asker(visit),
            operation_id=OperationId(min(visit.request.path_params["id"], 2**62)),
            folder=visit.ground.settings.shared_folder / "downloads",
        )
    return FileResponse(path, filename=f"opt-outs{path.suffix}")


def _asker(visit: Visit) -> exports.ExportAsker:
    return exports.ExportAsker(visit.actor, visit.viewer.is_administrator)


def _told(refusal: Refusal) -> Response:
    return JSONResponse({"sentence": refusal.sentence}, 422)
