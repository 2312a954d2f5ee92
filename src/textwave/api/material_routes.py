"""The material library over HTTP: files that digital messages are made of."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from textwave.accounts.store import Caller
from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.shapes import Page, Shape, page_of
from textwave.kit.refusal import NotFound
from textwave.materials import operations as library
from textwave.materials import store
from textwave.materials.examining import examined
from textwave.materials.kinds import MEDIA_TYPES, Kind
from textwave.materials.operations import Librarian
from textwave.materials.store import Filter

routes = APIRouter(tags=["materials"])
Named = Annotated[Name, Path()]
Tag = Annotated[Text, Field(min_length=1, max_length=library.TAG_MAX)]
# A file is shown as what it is, and whatever it holds can do nothing to the page that shows it
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=300",
}


class Material(Shape):
    """A file of the library; lengths in pixels, milliseconds and bytes.

    `original_size_bytes` and `original_suffix` are those of the file as it came: large still images
    are made smaller, and BMP becomes PNG.
    """

    id: int
    name: str
    kind: Kind
    suffix: str
    size_bytes: int
    width: int | None
    height: int | None
    frames: int | None = Field(description="Pictures of an animation; 1: a still image.")
    milliseconds: int | None
    codec: str
    sha256: str
    original_suffix: str
    original_size_bytes: int
    tags: list[str]
    shared: bool = Field(description="Seen by everybody of the workspace.")
    created_by: str
    created_at: datetime


class UploadOptions(BaseModel):
    """How a file is kept."""

    tag: list[Tag] = Field(default_factory=list[str], max_length=library.MOST_TAGS)
    shared: bool = Field(default=False, description="Let everybody of the workspace see it.")


class MaterialChange(BaseModel):
    """What is to change; null leaves as it is."""

    name: Name | None = None
    shared: bool | None = None


class TagChange(BaseModel):
    """Tags that are taken from materials and added to them."""

    names: list[Name] = Field(min_length=1, max_length=library.MOST_AT_ONCE)
    add: list[Tag] = Field(default_factory=list[str], max_length=library.MOST_TAGS)
    remove: list[Tag] = Field(default_factory=list[str], max_length=library.MOST_TAGS)


class MaterialFilter(BaseModel):
    """Which materials are listed; what is left out does not matter."""

    kind: Kind | None = None
    tag: Tag | None = None
    mine: bool = Field(default=False, description="Only those that the caller added.")
    shared: bool | None = None
    contains: Text | None = Field(None, max_length=60, description="In the name, either case.")
    after: After = None
    limit: Limit = 100


def librarian(caller: Caller) -> Librarian:
    """Return who acts in the library."""
    return Librarian(caller.name, caller.is_administrator)


@routes.get("/materials", summary="List the materials.")
async def list_materials(
    runtime: Rt, caller: Who, wanted: Annotated[MaterialFilter, Query()]
) -> Page[Material]:
    """Return shared materials and the caller's own, in the order in which they were added."""
    bounded = min(wanted.limit, store.LONGEST_PAGE)
    mine = caller.name if wanted.mine else None
    chosen = Filter(wanted.kind, wanted.tag, mine, wanted.shared, wanted.contains)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await library.materials(
            connection,
            workspace_id=caller.workspace_id,
            librarian=librarian(caller),
            wanted=chosen,
            after=wanted.after or 0,
            limit=bounded,
        )
    return page_of(found, bounded, Material.model_validate, lambda one: one.id)


@routes.post(
    "/materials/{name:path}/imports",
    status_code=201,
    summary="Add a file: the body is the file itself.",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def add_material(
    runtime: Rt,
    caller: Who,
    request: Request,
    name: Named,
    options: Annotated[UploadOptions, Query()],
) -> Material:
    """Examine the file by its content, make its thumbnail, and keep it until it is deleted."""
    library.check_upload(name, options.tag)
    content = await library.read_whole(request.stream())
    found = await examined(content)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await library.add_material(
            connection,
            workspace_id=caller.workspace_id,
            librarian=librarian(caller),
            name=name,
            examined=found,
            original_size_bytes=len(content),
            tags=options.tag,
            shared=options.shared,
        )
    return Material.model_validate(made)


@routes.post("/materials/tags", summary="Tag several materials.")
async def tag_materials(runtime: Rt, caller: Who, change: TagChange) -> list[Material]:
    """Take tags away and add others, for all of them or for none."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await library.tag_materials(
            connection,
            workspace_id=caller.workspace_id,
            librarian=librarian(caller),
            names=change.names,
            added=change.add,
            removed=change.remove,
        )
    return [Material.model_validate(one) for one in found]


_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}, "description": "The file."}
}
_THUMBNAIL: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}}, "description": "The thumbnail."}
}


@routes.get(
    "/materials/{name:path}/content",
    summary="Download a material.",
    response_class=Response,
    responses=_FILE,
)
async def read_content(runtime: Rt, caller: Who, name: Named) -> Response:
    """Return the file."""
    found = await _find(runtime, caller, name)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        content = await store.content(connection, caller.workspace_id, found.id)
    return Response(content, media_type=MEDIA_TYPES[found.suffix], headers=_HARMLESS)


@routes.get(
    "/materials/{name:path}/thumbnail",
    summary="Read a material's thumbnail.",
    response_class=Response,
    responses=_THUMBNAIL,
)
async def read_thumbnail(runtime: Rt, caller: Who, name: Named) -> Response:
    """Return a JPEG of at most 320 by 320; a sound has none."""
    found = await _find(runtime, caller, name)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        thumbnail = await store.thumbnail(connection, caller.workspace_id, found.id)
    if thumbnail is None:
        raise NotFound("thumbnail of the material", name)
    return Response(thumbnail, media_type="image/jpeg", headers=_HARMLESS)


@routes.get("/materials/{name:path}", summary="Read a material.")
async def read_material(runtime: Rt, caller: Who, name: Named) -> Material:
    """Return what is known of a file."""
    return Material.model_validate(await _find(runtime, caller, name))


@routes.patch("/materials/{name:path}", summary="Rename or share a material.")
async def change_material(
    runtime: Rt, caller: Who, name: Named, change: MaterialChange
) -> Material:
    """Give it another name, or let others see it or not; templates made of it stay as they are."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        changed = await library.change_material(
            connection,
            workspace_id=caller.workspace_id,
            librarian=librarian(caller),
            name=name,
            new_name=change.name,
            shared=change.shared,
        )
    return Material.model_validate(changed)


@routes.delete("/materials/{name:path}", status_code=204, summary="Delete a material.")
async def delete_material(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a file that no template is made of."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await library.delete_material(
            connection, workspace_id=caller.workspace_id, librarian=librarian(caller), name=name
        )


async def _find(runtime: Rt, caller: Caller, name: str) -> store.Material:
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return await library.material(
            connection, workspace_id=caller.workspace_id, librarian=librarian(caller), name=name
        )
