"""Importing a file in the browser: the form is checked first, then the file is sent as it is.

The file is the body of its request and goes to disk piece by piece; the form's fields are in the
address, the session's token in a header. Refusals are answered in words, for the form to show.
"""

import uuid
from collections.abc import Mapping
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from textwave.console.answering import page
from textwave.console.operation_pages import operation_of
from textwave.console.table_forms import read_import
from textwave.console.table_reading import read_tables
from textwave.console.visit import Visit
from textwave.customers import operations as customers
from textwave.customers.body_store import FileTooLarge, stored_body
from textwave.customers.columns import TableKind
from textwave.customers.request import ImportMode
from textwave.kit.refusal import Refusal

_LARGEST_FORM_BYTES: Final = 64_000
_MEGABYTE: Final = 1_000_000


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/imports/new", page(_form), methods=["GET"]),
        Route("/imports/check", page(_check), methods=["POST"]),
        Route("/imports", page(_take), methods=["POST"]),
    ]


async def _form(visit: Visit) -> Response:
    lines, zone = await read_tables(visit.ground.ledger, visit.workspace_id)
    known = [line.table for line in lines if not line.table.is_system]
    name = visit.request.query_params.get("table", "")
    values = {
        "tables": known,
        "chosen": next((table for table in known if table.name == name), None),
        "kinds": list(TableKind),
        "modes": list(ImportMode),
        "limit_megabytes": visit.ground.settings.upload_limit_megabytes,
    }
    operation = await operation_of(visit) or {"operation": None}
    return visit.page("tables_import.html", **operation | values | {"zone": zone})


async def _check(visit: Visit) -> Response:
    """Say what is wrong with the form before the file is sent."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        read_import(form, "")
        size, limit = form.get("size", ""), visit.ground.settings.upload_limit_megabytes
        if size.isascii() and size.isdigit() and int(size[:18]) > limit * _MEGABYTE:
            raise FileTooLarge(limit)
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({})


async def _take(visit: Visit) -> Response:
    """Store the file and begin its import."""
    visit.check_header()
    settings = visit.ground.settings
    path = settings.shared_folder / "uploads" / uuid.uuid4().hex
    fields: Mapping[str, str] = visit.request.query_params
    try:
        request = read_import(fields, str(path))
        async with (
            stored_body(visit.request.stream(), path, settings.upload_limit_megabytes),
            visit.ground.ledger.transaction(visit.workspace_id) as connection,
        ):
            operation_id = await customers.start_import(
                connection, workspace_id=visit.workspace_id, actor=visit.actor, request=request
            )
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({"operation": f"/console/operations/{operation_id}"})


def _told(refusal: Refusal) -> Response:
    return JSONResponse({"sentence": refusal.sentence}, 422)
