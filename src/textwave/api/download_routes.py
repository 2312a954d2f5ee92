"""Downloads over HTTP: a file of an audience's customers, begun with 202 and fetched when ready."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from textwave.api.entry import Name, RowId, Rt, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation
from textwave.downloads import operations as downloads
from textwave.downloads.writing import FileFormat
from textwave.kit.ids import OperationId

routes = APIRouter(tags=["audiences"])
Named = Annotated[Name, Path()]
_MEDIA = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet"}


class DownloadWanted(BaseModel):
    """What is to be in the file."""

    format: FileFormat = FileFormat.CSV
    columns: list[Name] | None = Field(
        None, min_length=1, max_length=1_000, description="Default: all columns of the table."
    )
    reveal_numbers: bool = Field(
        default=False, description="Show whole mobile numbers; for administrators."
    )


@routes.post(
    "/audiences/{name}/downloads", status_code=202, summary="Write its customers to a file."
)
async def begin_download(
    runtime: Rt, caller: Who, response: Response, name: Named, wanted: DownloadWanted
) -> Operation:
    """Begin to write the newest members; fetch the file under the id of the operation."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await downloads.start_download(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            wanted=downloads.Wanted(
                wanted.format,
                None if wanted.columns is None else tuple(wanted.columns),
                wanted.reveal_numbers,
            ),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get(
    "/audiences/{name}/downloads/{operation_id}",
    summary="Fetch a file that was written.",
    response_class=FileResponse,
)
async def fetch_download(
    runtime: Rt, caller: Who, name: Named, operation_id: Annotated[RowId, Path()]
) -> FileResponse:
    """Return the file; it is kept for a day."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        path = await downloads.find_download(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            operation_id=OperationId(operation_id),
            folder=runtime.settings.shared_folder / "downloads",
        )
    return FileResponse(path, media_type=_MEDIA[path.suffix], filename=name + path.suffix)
