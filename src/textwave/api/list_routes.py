"""Uploaded lists over HTTP: a file of ids that becomes an audience."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Page, Shape, page_of
from textwave.customers.body_store import stored_body
from textwave.lists import operations as lists
from textwave.lists import store
from textwave.lists.request import UploadRequest

routes = APIRouter(tags=["lists"])
Named = Annotated[Name, Path()]


class UploadOptions(BaseModel):
    """How the file of a list is to be read; what is left out is guessed and shown."""

    table: Name = "customers"
    id_type: Name = Field(description="customer, mobile, email or a declared type of id.")
    file_name: Name = "upload"
    column: Name | None = Field(None, description="Column of the ids; default: by its name.")
    encrypted: bool = Field(default=False, description="The ids are AES ciphertexts.")
    key_version: int | None = Field(None, ge=1, le=10_000, description="Default: the newest key.")
    keep_unmatched: bool = Field(default=False, description="Keep unmatched ids as new people.")
    replace: bool = Field(default=False, description="Replace the list of that name.")
    encoding: Text | None = Field(None, max_length=40)
    delimiter: Text | None = Field(None, max_length=1)

    def request(self, name: str, actor: str, path: str) -> UploadRequest:
        """Return the request of an upload of the stored file."""
        return UploadRequest(
            path=path,
            file_name=self.file_name,
            list=name,
            table=self.table,
            id_type=self.id_type,
            actor=actor,
            column=self.column,
            encrypted=self.encrypted,
            key_version=self.key_version,
            keeps_unmatched=self.keep_unmatched,
            encoding=self.encoding,
            delimiter=self.delimiter,
            replace=self.replace,
        )


class UploadedList(Shape):
    """A list; rows_read = invalid + duplicates + matched + unmatched."""

    id: int
    name: str
    table_name: str
    id_type: str
    keeps_unmatched: bool
    file_name: str
    file_sha256: str
    rows_read: int
    invalid: int
    duplicates: int
    matched: int
    unmatched: int
    uploaded_by: str
    uploaded_at: datetime


@routes.get("/lists", summary="List the uploaded lists.")
async def list_lists(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[UploadedList]:
    """Return uploaded lists in the order in which they were uploaded."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.lists(
            connection, caller.workspace_id, after=after or 0, limit=bounded
        )  # fmt: skip
    return page_of(found, bounded, UploadedList.model_validate, lambda one: one.id)


_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    }
}


@routes.post(
    "/lists/{name}/imports",
    status_code=202,
    summary="Upload a list of ids: the body is the file itself.",
    openapi_extra=_FILE,
)
async def upload_list(
    runtime: Rt,
    caller: Who,
    request: Request,
    response: Response,
    name: Named,
    options: Annotated[UploadOptions, Query()],
) -> Operation:
    """Store the file and begin to make it a list and an audience of the same name."""
    path = runtime.settings.shared_folder / "uploads" / uuid.uuid4().hex
    wanted = options.request(name, caller.name, str(path))
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await lists.check_upload(connection, workspace_id=caller.workspace_id, request=wanted)
    async with (
        stored_body(request.stream(), path, runtime.settings.upload_limit_megabytes),
        runtime.ledger.transaction(caller.workspace_id) as connection,
    ):
        operation_id = await lists.start_upload(
            connection, workspace_id=caller.workspace_id, request=wanted
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/lists/{name}", summary="Read an uploaded list.")
async def read_list(runtime: Rt, caller: Who, name: Named) -> UploadedList:
    """Return a list with what became of its rows."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.read(connection, caller.workspace_id, name)
    return UploadedList.model_validate(found)


@routes.delete("/lists/{name}", summary="Delete an uploaded list.")
async def delete_list(runtime: Rt, caller: Who, name: Named) -> UploadedList:
    """Delete a list that no rule names any more, and its new people; return what it was."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.read(connection, caller.workspace_id, name)
        await lists.delete_list(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
    return UploadedList.model_validate(found)
