"""Uploading a list of ids in the browser: the form is checked first, then the file is sent as is.

The file is the body of its request; the form's fields are in the address, the session's token in a
header. What became of its rows is the result. Refusals are answered in words, for the form to show.
"""

import uuid
from collections.abc import Mapping
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from textwave.audiences import store
from textwave.audiences.identity import id_types
from textwave.console.answering import page
from textwave.console.audience_reading import is_row_id, root_tables
from textwave.console.operation_pages import operation_of
from textwave.console.visit import Visit
from textwave.customers.body_store import stored_body
from textwave.kit.refusal import Refusal
from textwave.lists import operations as lists
from textwave.lists.request import UploadRequest

_LARGEST_FORM_BYTES: Final = 64_000
_LONGEST_FIELD: Final = 300


def routes() -> list[Route]:
    """Return the routes below /console."""
    upload = "/audiences/-/upload"
    return [
        Route(upload, page(_form), methods=["GET"]),
        Route(upload, page(_take), methods=["POST"]),
        Route("/audiences/-/upload-check", page(_check), methods=["POST"]),
    ]


async def _form(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        tables = await store.tables(connection, visit.workspace_id)
    roots = root_tables(tables)
    types = sorted({id_type for name in roots for id_type in id_types(tables[name])})
    operation = await operation_of(visit) or {"operation": None}
    values = {
        "tables": roots,
        "types": sorted(types, key=lambda one: one != "mobile"),
        "limit_megabytes": visit.ground.settings.upload_limit_megabytes,
    }
    return visit.page("audience_upload.html", **operation | values)


async def _check(visit: Visit) -> Response:
    """Say what is wrong with the form before the file is sent."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await lists.check_upload(
                connection, workspace_id=visit.workspace_id, request=_request(form, visit, "")
            )
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({})


async def _take(visit: Visit) -> Response:
    """Store the file and begin to make it a list and an audience of the same name."""
    visit.check_header()
    settings = visit.ground.settings
    path = settings.shared_folder / "uploads" / uuid.uuid4().hex
    request = _request(visit.request.query_params, visit, str(path))
    try:
        async with (
            stored_body(visit.request.stream(), path, settings.upload_limit_megabytes),
            visit.ground.ledger.transaction(visit.workspace_id) as connection,
        ):
            operation_id = await lists.start_upload(
                connection, workspace_id=visit.workspace_id, request=request
            )
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({"operation": f"/console/operations/{operation_id}"})


def _request(fields: Mapping[str, str], visit: Visit, path: str) -> UploadRequest:
    given = {name: value.replace("\0", "")[:_LONGEST_FIELD] for name, value in fields.items()}
    version = given.get("key_version", "")
    return UploadRequest(
        path=path,
        file_name=given.get("file_name") or "upload",
        list=given.get("name", "").strip(),
        table=given.get("table", ""),
        id_type=given.get("id_type", ""),
        actor=visit.actor,
        column=given.get("column") or None,
        encrypted=given.get("encrypted") == "yes",
        key_version=min(int(version), 10_000) if is_row_id(version) else None,
        keeps_unmatched=given.get("keep_unmatched") == "yes",
        encoding=given.get("encoding") or None,
        delimiter=given.get("delimiter") or None,
        replace=given.get("replace") == "yes",
    )


def _told(refusal: Refusal) -> Response:
    return JSONResponse({"sentence": refusal.sentence}, 422)
