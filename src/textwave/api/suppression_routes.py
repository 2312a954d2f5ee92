"""Platform opt-outs and the deny list over HTTP: by hand, imported, exported; numbers masked."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from textwave.accounts.key_operations import AdministratorNeeded
from textwave.accounts.store import Caller, audit, workspace
from textwave.api.entry import After, Limit, Name, RowId, Rt, Text, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Page, Shape, page_of
from textwave.connections.store import platform_named
from textwave.customers.body_store import stored_body
from textwave.downloads import opt_out_operations as exports
from textwave.downloads.opt_out_files import SheetFormat
from textwave.kit.ids import OperationId, PlatformId, SignatureId, WorkspaceId
from textwave.kit.mobile import Mobile, mask_numbers, masked, read_mobile
from textwave.kit.refusal import InvalidValue
from textwave.signatures.store import signature_named
from textwave.storage.ledger import Connection
from textwave.suppression import deny_operations, deny_store, import_operations
from textwave.suppression import operations as opt_outs
from textwave.suppression.export_store import Exported
from textwave.suppression.import_operations import ImportRequest

routes = APIRouter(tags=["opt-outs"])
Number = Annotated[Text, Field(min_length=4, max_length=40)]
Evidence = Annotated[Text, Field(max_length=1_000)]
_MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    }
}


class NumberToDeny(BaseModel):
    """A number that nobody of the workspace may write to, or nobody at a platform."""

    mobile: Number
    reason: Annotated[Text, Field(max_length=200)] = ""
    evidence: Evidence = ""
    platform: Name | None = Field(
        None, description="Only there: an opt-out of all its signatures. Default: the deny list."
    )


class NumberToLift(BaseModel):
    """A number that may be written to again, and what shows it."""

    mobile: Number
    evidence: Evidence
    platform: Name | None = Field(None, description="Default: the deny list.")


class OptOutToLift(BaseModel):
    """A number whose owner consented anew to a signature."""

    mobile: Number
    platform: Name
    signature: Name
    evidence: Evidence


class DeniedNumber(BaseModel):
    """An entry of the deny list or of a platform."""

    id: int
    platform_id: int | None = Field(description="null: on the deny list")
    mobile: str = Field(description="masked to the last four digits")
    source: str
    reason: str
    evidence: str
    denied_by: str
    denied_at: datetime


class FileOptions(BaseModel):
    """How the file is to be read; what is left out is guessed."""

    file_name: Name = "upload"
    encoding: Text | None = Field(None, max_length=40)
    delimiter: Text | None = Field(None, max_length=1)
    mobile_column: Name | None = Field(None, description="Default: by its name, else the first.")
    time_column: Name | None = None
    evidence_column: Name | None = None


class OptOutFile(FileOptions):
    """A file of opt-outs; without a signature they are of the whole platform."""

    platform: Name
    signature: Name | None = None


class DenyListFile(FileOptions):
    """A file of numbers for the deny list."""

    reason: Annotated[Text, Field(min_length=1, max_length=200)]


class RejectedLine(Shape):
    """A line that was not taken."""

    line: int
    reason: str
    content: str = Field(description="as it was; numbers masked unless they are revealed")


class ExportWanted(BaseModel):
    """What is to be in the file."""

    kind: Literal["opt-outs", "deny list"] = "opt-outs"
    platform: Name | None = None
    signature: Name | None = Field(None, description="With `platform`.")
    with_lifted: bool = Field(default=False, description="Also entries that were lifted.")
    format: SheetFormat = SheetFormat.CSV
    reveal_numbers: bool = Field(
        default=False, description="Show whole mobile numbers; for administrators."
    )


@routes.get("/deny-list", summary="List the numbers that get nothing.")
async def list_denied(
    runtime: Rt,
    caller: Who,
    platform: Annotated[Name | None, Query()] = None,
    after: After = None,
    limit: Limit = 100,
) -> Page[DeniedNumber]:
    """Return the deny list, newest first; with `platform` who opted out of all its signatures."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await deny_store.entries(
            connection,
            workspace_id=caller.workspace_id,
            platform_id=await _platform_id(connection, caller.workspace_id, platform),
            after=after,
            limit=limit,
        )
    return page_of(found, limit, _shape, lambda one: one.id)


@routes.post("/deny-list", status_code=201, summary="Deny a number.")
async def deny_number(runtime: Rt, caller: Who, new: NumberToDeny) -> DeniedNumber:
    """Let nothing be sent to a number from now on, also by campaigns under way."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await deny_operations.deny(
            connection,
            workspace_id=caller.workspace_id,
            platform_id=await _platform_id(connection, caller.workspace_id, new.platform),
            mobile=await typed_number(connection, caller.workspace_id, new.mobile),
            reason=new.reason,
            evidence=new.evidence,
            actor=caller.name,
            now=runtime.clock.now(),
        )
    return _shape(kept)


@routes.post("/deny-list/lift", status_code=204, summary="Lift an entry of the deny list.")
async def lift_denial(runtime: Rt, caller: Who, lifted: NumberToLift) -> None:
    """Let a number be written to again; the entry stays as evidence."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await deny_operations.lift_denial(
            connection,
            workspace_id=caller.workspace_id,
            platform_id=await _platform_id(connection, caller.workspace_id, lifted.platform),
            mobile=await typed_number(connection, caller.workspace_id, lifted.mobile),
            evidence=lifted.evidence,
            actor=caller.name,
            now=runtime.clock.now(),
        )


@routes.post("/opt-outs/lift", status_code=204, summary="Lift an opt-out for a new consent.")
async def lift_opt_out(runtime: Rt, caller: Who, lifted: OptOutToLift) -> None:
    """End the opt-out of a signature; it stays as evidence."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        workspace_id = caller.workspace_id
        account = await platform_named(connection, workspace_id=workspace_id, name=lifted.platform)
        speaker = await signature_named(
            connection, workspace_id=workspace_id, platform_id=account.id, name=lifted.signature
        )
        await opt_outs.lift(
            connection,
            workspace_id=caller.workspace_id,
            signature_id=speaker.id,
            mobile=await typed_number(connection, caller.workspace_id, lifted.mobile),
            evidence=lifted.evidence,
            actor=caller.name,
            now=runtime.clock.now(),
        )


@routes.post(
    "/opt-outs/import",
    status_code=202,
    summary="Import opt-outs: the body is the file itself.",
    openapi_extra=_FILE,
)
async def import_opt_outs(
    runtime: Rt,
    caller: Who,
    request: Request,
    response: Response,
    options: Annotated[OptOutFile, Query()],
) -> Operation:
    """Store the file and begin to opt its numbers out of a signature or a whole platform."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        platform_id, signature_id = await _place(
            connection, caller.workspace_id, options.platform, options.signature
        )
    place = {"platform_id": platform_id, "signature_id": signature_id}
    return await _import(runtime, caller, request, response, options, place)


@routes.post(
    "/deny-list/import",
    status_code=202,
    summary="Import a deny list: the body is the file itself.",
    openapi_extra=_FILE,
)
async def import_deny_list(
    runtime: Rt,
    caller: Who,
    request: Request,
    response: Response,
    options: Annotated[DenyListFile, Query()],
) -> Operation:
    """Store the file and begin to put its numbers on the deny list."""
    reason = {"reason": options.reason}
    return await _import(runtime, caller, request, response, options, reason)


@routes.get(
    "/opt-outs/imports/{operation_id}/rejected-lines",
    summary="List the lines of an import that were not taken.",
)
async def list_rejected_lines(
    runtime: Rt,
    caller: Who,
    operation_id: Annotated[RowId, Path()],
    reveal_numbers: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    after: After = None,
    limit: Limit = 100,
) -> Page[RejectedLine]:
    """Return lines as they were, with the reason; whole numbers for administrators only."""
    if reveal_numbers and not caller.is_administrator:
        raise AdministratorNeeded(caller.name)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await import_operations.rejected_lines(
            connection,
            workspace_id=caller.workspace_id,
            operation_id=OperationId(operation_id),
            after=after or 0,
            limit=limit,
        )
        if reveal_numbers and after is None:
            await audit(
                connection,
                workspace_id=caller.workspace_id,
                actor=caller.name,
                action="opt-out.rejected-lines-revealed",
                object_name=f"import {operation_id}",
            )

    def shape(kept: object) -> RejectedLine:
        line = RejectedLine.model_validate(kept)
        if not reveal_numbers:
            line.content = mask_numbers(line.content)
        return line

    return page_of(found, limit, shape, lambda one: one.line)


@routes.post("/opt-outs/export", status_code=202, summary="Write opt-outs to a file.")
async def begin_export(
    runtime: Rt, caller: Who, response: Response, wanted: ExportWanted
) -> Operation:
    """Begin to write opt-outs or the deny list; fetch the file under the operation's id."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        platform_id, signature_id = await _place(
            connection, caller.workspace_id, wanted.platform, wanted.signature
        )
        operation_id = await exports.start_export(
            connection,
            workspace_id=caller.workspace_id,
            asker=_asker(caller),
            exported=Exported(wanted.kind, platform_id, signature_id, wanted.with_lifted),
            form=wanted.format,
            reveal_numbers=wanted.reveal_numbers,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get(
    "/opt-outs/export/{operation_id}",
    summary="Fetch an export that was written.",
    response_class=FileResponse,
)
async def fetch_export(
    runtime: Rt, caller: Who, operation_id: Annotated[RowId, Path()]
) -> FileResponse:
    """Return the file; it is kept for a day."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        path = await exports.find_export(
            connection,
            workspace_id=caller.workspace_id,
            asker=_asker(caller),
            operation_id=OperationId(operation_id),
            folder=runtime.settings.shared_folder / "downloads",
        )
    return FileResponse(path, media_type=_MEDIA[path.suffix], filename=f"opt-outs{path.suffix}")


async def typed_number(connection: Connection, workspace_id: WorkspaceId, text: str) -> Mobile:
    """Read a number as somebody typed it.

    Raises:
        InvalidValue: it is no number that a text could reach.
    """
    region = (await workspace(connection, workspace_id)).default_region
    mobile = read_mobile(text, region)
    if mobile is None:
        raise InvalidValue("mobile", "This is no number that a text could reach.")
    return mobile


async def _import(
    runtime: Rt,
    caller: Caller,
    request: Request,
    response: Response,
    options: FileOptions,
    place: dict[str, Any],
) -> Operation:
    """Store the body and begin its import; what cannot be done is said before it is sent."""
    path = runtime.settings.shared_folder / "uploads" / uuid.uuid4().hex
    said = options.model_dump(exclude={"platform", "signature", "reason"})
    wanted = ImportRequest(path=str(path), actor=caller.name, **said, **place)
    wanted.check()
    async with (
        stored_body(request.stream(), path, runtime.settings.upload_limit_megabytes),
        runtime.ledger.transaction(caller.workspace_id) as connection,
    ):
        operation_id = await import_operations.start_import(
            connection, workspace_id=caller.workspace_id, request=wanted
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


async def _platform_id(
    connection: Connection, workspace_id: WorkspaceId, name: str | None
) -> PlatformId | None:
    if name is None:
        return None
    return (await platform_named(connection, workspace_id=workspace_id, name=name)).id


async def _place(
    connection: Connection, workspace_id: WorkspaceId, platform: str | None, signature: str | None
) -> tuple[PlatformId | None, SignatureId | None]:
    """Look up a platform and perhaps one of its signatures."""
    if signature is not None and platform is None:
        raise InvalidValue("platform", "name the signature's platform too.")
    platform_id = await _platform_id(connection, workspace_id, platform)
    if signature is None or platform_id is None:
        return platform_id, None
    found = await signature_named(
        connection, workspace_id=workspace_id, platform_id=platform_id, name=signature
    )
    return platform_id, found.id


def _asker(caller: Caller) -> exports.ExportAsker:
    return exports.ExportAsker(caller.name, caller.is_administrator)


def _shape(kept: deny_store.DeniedNumber) -> DeniedNumber:
    return DeniedNumber(
        id=kept.id,
        platform_id=kept.platform_id,
        mobile=masked(Mobile(kept.mobile)),
        source=kept.source,
        reason=kept.reason,
        evidence=kept.evidence,
        denied_by=kept.denied_by,
        denied_at=kept.denied_at,
    )
