"""Tables over HTTP: importing a file, and looking at what is there."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Limit, Name, RowId, Rt, Text, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Import, MeasuredTable, Operation, Page, Table
from textwave.customers import operations as customers
from textwave.customers import table_operations as tables
from textwave.customers.body_store import stored_body
from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.request import MOBILE_ID, ImportMode, ImportRequest, read_ids
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage import progress

routes = APIRouter(tags=["tables"])


class ImportOptions(BaseModel):
    """How the file of an import is to be read; what is left out is guessed and shown."""

    kind: TableKind
    mode: ImportMode = ImportMode.REPLACE
    file_name: Name = "upload"
    customer: Name | None = Field(None, description="Column of the customer's key.")
    mobile: Name | None = Field(None, description="Column of the mobile number.")
    time: Name | None = Field(None, description="Column of the time; of a summary: the last.")
    amount: Name | None = Field(None, description="Column of the amount.")
    count: Name | None = Field(None, description="Column of a summary's number of orders.")
    customer_id_type: Text | None = Field(
        None, max_length=30, description="What the customer column holds: customer, mobile, email …"
    )
    ids: list[Text] = Field(
        default_factory=list,
        max_length=50,
        description="type=column of further ids, e.g. email=mail",
    )
    partition: Name | None = Field(
        None, description="Column by whose values appended rows take the place of older ones."
    )
    accept_changes: bool = Field(
        default=False, description="Take the file even if it changes the table's columns or types."
    )
    mobile_encrypted: bool = Field(
        default=False, description="The mobile column is ciphertext; it stays so."
    )
    key_version: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Of the encryption key; default: the newest."
    )
    types: list[Text] = Field(
        default_factory=list, max_length=500, description="column=text|number|time|multi_value"
    )
    separator: Text | None = Field(None, max_length=10)
    encoding: Text | None = Field(None, max_length=40)
    delimiter: Text | None = Field(None, max_length=1)
    region: str | None = Field(None, pattern="^[A-Z]{2}$")

    def request(self, table: str, path: str) -> ImportRequest:
        """Return the request of an import into the table from the stored file.

        Raises:
            InvalidValue: a type is not written as `column=type`, or an id as `type=column`.
        """
        ids = read_ids(self.ids)
        mobile = ids.pop(MOBILE_ID, None)
        if mobile is not None and self.mobile not in (None, mobile):
            raise InvalidValue(
                "ids", f"The mobile column is “{self.mobile}” or “{mobile}”, not both."
            )
        return ImportRequest(
            path=path,
            file_name=self.file_name,
            table=table,
            kind=self.kind,
            mode=self.mode,
            customer_column=self.customer,
            mobile_column=self.mobile or mobile,
            time_column=self.time,
            amount_column=self.amount,
            types=dict(_typed(written) for written in self.types),
            separator=self.separator,
            encoding=self.encoding,
            delimiter=self.delimiter,
            default_region=self.region,
            count_column=self.count,
            customer_id_type=self.customer_id_type,
            ids=ids or None,
            partition_column=self.partition,
            accept_changes=self.accept_changes,
            mobile_encrypted=self.mobile_encrypted,
            key_version=self.key_version,
        )


def _typed(written: str) -> tuple[str, ColumnType]:
    column, _, kind = written.rpartition("=")
    if not column or kind not in list(ColumnType):
        choices = "|".join(ColumnType)
        raise InvalidValue("types", f"“{written}” is not written as column={choices}.")
    return column, ColumnType(kind)


@routes.get("/tables", summary="List the tables.")
async def list_tables(runtime: Rt, caller: Who) -> Page[Table]:
    """Return all tables of the workspace, by name."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await customers.tables(connection, caller.workspace_id)
    return Page(items=[Table.model_validate(table) for table in found])


@routes.get("/tables/{name}", summary="Read a table.")
async def read_table(runtime: Rt, caller: Who, name: Annotated[Name, Path()]) -> MeasuredTable:
    """Return a table with its columns and, once they are computed, their statistics."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await customers.table(connection, caller.workspace_id, name)
    return MeasuredTable.model_validate(found)


@routes.delete(
    "/tables/{name}",
    status_code=202,
    summary="Delete a table: begins an operation; refused while something is defined over it.",
)
async def delete_table(
    runtime: Rt, caller: Who, response: Response, name: Annotated[Name, Path()]
) -> Operation:
    """Begin to delete a table with its rows, its imports and their rejected rows."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await tables.start_deletion(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get(
    "/tables/{name}/columns/{column}/values",
    status_code=202,
    summary="Find values of a column: begins an operation with the values as result.",
)
async def find_values(
    runtime: Rt,
    caller: Who,
    response: Response,
    name: Annotated[Name, Path()],
    column: Annotated[Name, Path()],
    contains: Annotated[str, Query(max_length=200, description="Text in either case.")] = "",
) -> Operation:
    """Begin to find the 100 most frequent values that contain a text; ids of people never."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await tables.start_finding_values(
            connection,
            workspace_id=caller.workspace_id,
            name=name,
            column=column,
            contains=contains,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/tables/{name}/imports", summary="List a table's imports.")
async def list_imports(runtime: Rt, caller: Who, name: Annotated[Name, Path()]) -> Page[Import]:
    """Return the newest 50 imports of a table."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await customers.table(connection, caller.workspace_id, name)
        found = await customers.imports(connection, workspace_id=caller.workspace_id, name=name)
    return Page(items=[Import.model_validate(one) for one in found])


@routes.post(
    "/tables/{name}/imports",
    status_code=202,
    summary="Import a file: the body is the file itself.",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def import_file(
    runtime: Rt,
    caller: Who,
    request: Request,
    response: Response,
    name: Annotated[Name, Path()],
    options: Annotated[ImportOptions, Query()],
) -> Operation:
    """Store the file and begin its import; the table stays as it was until all is taken."""
    folder = runtime.settings.shared_folder / "uploads"
    path = folder / uuid.uuid4().hex
    wanted = options.request(name, str(path))
    wanted.check()
    async with (
        stored_body(request.stream(), path, runtime.settings.upload_limit_megabytes),
        runtime.ledger.transaction(caller.workspace_id) as connection,
    ):
        operation_id = await customers.start_import(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            request=wanted,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get(
    "/tables/{name}/imports/{import_id}/rejected",
    status_code=202,
    summary="Read the rejected rows of an import: begins an operation with the rows as result.",
)
async def rejected_rows(
    runtime: Rt,
    caller: Who,
    response: Response,
    name: Annotated[Name, Path()],
    import_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    after: Annotated[RowId | None, Query(description="Line after which the page begins.")] = None,
    limit: Limit = 100,
) -> Operation:
    """Begin to read the rows that an import did not take, with line, value and reason."""
    wanted: dict[str, Any] = {"import_id": import_id, "after": after or 0, "limit": limit}
    workspace_id = caller.workspace_id
    async with runtime.ledger.transaction(workspace_id) as connection:
        known = await customers.imports(connection, workspace_id=workspace_id, name=name)
        if import_id not in [one.id for one in known]:
            raise NotFound("import", f"{name} {import_id}")
        operation_id = await progress.begin(
            connection, workspace_id=workspace_id, kind=customers.REJECTED_ROWS_TASK, request=wanted
        )
        return await begun(connection, response, workspace_id, operation_id)
