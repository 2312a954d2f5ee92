"""The library of materials: the shelf, adding a file, one material with all that is done to it.

A file is the body of its own request, with the fields in the address and the session's token in a
header; why one is refused is answered in words. Files are shown as what they are, never sniffed.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.material_reading import (
    chosen_names,
    librarian,
    read_material,
    read_shelf,
    read_tags,
)
from textwave.console.visit import Visit
from textwave.kit.refusal import AlreadyExists, NotFound, Refusal
from textwave.materials import operations as library
from textwave.materials import store
from textwave.materials.examining import examined
from textwave.materials.kinds import (
    KIND_OF_SUFFIX,
    LARGEST_OF_KIND,
    MEDIA_TYPES,
    Kind,
)
from textwave.materials.operations import MOST_TAGS, NAME_MAX, TAG_MAX
from textwave.materials.store import Material

_LIST: Final = "/console/materials"
_LARGEST_FORM_BYTES: Final = 64_000


def routes() -> list[Route]:
    """Return the routes below /console."""
    one = "/materials/{name:path}"
    return [
        Route("/materials", page(_list), methods=["GET"]),
        Route("/materials", page(_take), methods=["POST"]),
        Route("/materials/-/new", page(_new), methods=["GET"]),
        Route("/materials/-/check", page(_check), methods=["POST"]),
        Route("/materials/-/tags", page(_tag_several), methods=["POST"]),
        Route(f"{one}/thumbnail", page(_thumbnail), methods=["GET"]),
        Route(f"{one}/content", page(_content), methods=["GET"]),
        Route(f"{one}/change", page(_change), methods=["POST"]),
        Route(f"{one}/delete", page(_ask_to_delete), methods=["GET"]),
        Route(f"{one}/delete", page(_delete), methods=["POST"]),
        Route(one, page(_show), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    return await _listed(visit, "")


async def _listed(visit: Visit, problem: str) -> Response:
    values: dict[str, Any] = {
        "shelf": await read_shelf(visit),
        "given": visit.request.query_params,
        "kinds": list(Kind),
        "longest_tag": TAG_MAX,
        "problem": problem,
    }
    return visit.page("materials.html", 409 if problem else 200, **values)


async def _tag_several(visit: Visit) -> Response:
    """Give tags to the materials that are ticked, or take them away."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    tags = read_tags(form, "tags")
    added, removed = ([], tags) if form.get("act") == "remove" else (tags, [])
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await library.tag_materials(
                connection,
                workspace_id=visit.workspace_id,
                librarian=librarian(visit),
                names=chosen_names(form),
                added=added,
                removed=removed,
            )
    except Refusal as refusal:
        return await _listed(visit, refusal.sentence)
    return RedirectResponse(f"{_LIST}?{visit.request.url.query}", 303)


async def _new(visit: Visit) -> Response:
    limits = [
        (kind, [s for s, k in KIND_OF_SUFFIX.items() if k is kind], LARGEST_OF_KIND[kind])
        for kind in Kind
    ]
    values: dict[str, Any] = {
        "limits": limits,
        "suffixes": list(KIND_OF_SUFFIX),
        "longest": {"name": NAME_MAX, "tags": (TAG_MAX + 2) * MOST_TAGS},
    }
    return visit.page("materials_new.html", **values)


async def _check(visit: Visit) -> Response:
    """Say what is wrong with the form, or the size of its file, before the file is sent."""
    form = await visit.trusted_form()
    try:
        name = _name(form)
        library.check_upload(name, read_tags(form, "tags"))
        size = form.get("size", "")
        if size.isascii() and size.isdigit():
            library.check_size(int(size[:18]))
        await _check_free(visit, name)
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({})


async def _check_free(visit: Visit, name: str) -> None:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        if await store.materials(connection, visit.workspace_id, name=name, limit=1):
            raise AlreadyExists("material", name)


async def _take(visit: Visit) -> Response:
    """Examine a file and keep it; the answer says where it is."""
    visit.check_header()
    given = visit.request.query_params
    try:
        name, tags = _name(given), read_tags(given, "tags")
        library.check_upload(name, tags)
        content = await library.read_whole(visit.request.stream())
        found = await examined(content)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await library.add_material(
                connection,
                workspace_id=visit.workspace_id,
                librarian=librarian(visit),
                name=name,
                examined=found,
                original_size_bytes=len(content),
                tags=tags,
                shared=given.get("shared") == "yes",
            )
    except Refusal as refusal:
        return _told(refusal)
    return JSONResponse({"address": named_address("materials", made.name)})


def _name(given: Mapping[str, str]) -> str:
    """Return the name of a material: as typed, else its file's without the ending."""
    file_name = text(given, "file_name").replace("\\", "/")
    return text(given, "name") or PurePath(file_name).stem[:NAME_MAX]


def _told(refusal: Refusal) -> Response:
    return JSONResponse({"sentence": refusal.sentence}, 422)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, await read_material(visit, visit.name), {}, "")


async def _page_of(
    visit: Visit, found: Material, given: Mapping[str, str], problem: str
) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        used_by = await store.used_by(connection, visit.workspace_id, found.id)
    values: dict[str, Any] = {
        "material": found,
        "used_by": used_by,
        "own": visit.viewer.is_administrator or found.created_by == visit.actor,
        "given": {"name": found.name, "tags": ", ".join(found.tags), **given},
        "longest": {"name": NAME_MAX, "tags": (TAG_MAX + 2) * MOST_TAGS},
        "now": visit.now,
        "problem": problem,
    }
    return visit.page("materials_material.html", 409 if problem else 200, **values)


async def _change(visit: Visit) -> Response:
    """Rename it, give it other tags, share it or not: whichever differs."""
    form = await visit.trusted_form()
    found = await read_material(visit, visit.name)
    try:
        changed = await _changed(visit, found, form)
    except Refusal as refusal:
        return await _page_of(visit, found, form, refusal.sentence)
    return RedirectResponse(named_address("materials", changed.name), 303)


async def _changed(visit: Visit, found: Material, form: Mapping[str, str]) -> Material:
    who: dict[str, Any] = {"workspace_id": visit.workspace_id, "librarian": librarian(visit)}
    name, shared = text(form, "name"), form.get("shared") == "yes"
    tags = read_tags(form, "tags")
    added = [tag for tag in tags if tag not in found.tags]
    removed = [tag for tag in found.tags if tag not in tags]
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        if added or removed:
            await library.tag_materials(
                connection, **who, names=[found.name], added=added, removed=removed
            )
        return await library.change_material(
            connection,
            **who,
            name=found.name,
            new_name=name if name != found.name else None,
            shared=shared if shared != found.shared else None,
        )


async def _ask_to_delete(visit: Visit) -> Response:
    found = await read_material(visit, visit.name)
    return visit.page("materials_delete.html", material=found, problem="")


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    found = await read_material(visit, visit.name)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await library.delete_material(
                connection,
                workspace_id=visit.workspace_id,
                librarian=librarian(visit),
                name=found.name,
            )
    except Refusal as refusal:
        values = {"material": found, "problem": refusal.sentence}
        return visit.page("materials_delete.html", 409, **values)
    return RedirectResponse(_LIST, 303)


async def _thumbnail(visit: Visit) -> Response:
    found = await read_material(visit, visit.name)
    return await thumbnail_of(visit, found.id, found.name)


async def _content(visit: Visit) -> Response:
    found = await read_material(visit, visit.name)
    return await content_of(visit, found.id, found.suffix)


async def thumbnail_of(visit: Visit, material_id: store.MaterialId, name: str) -> Response:
    """Answer with the small picture of a material.

    Raises:
        NotFound: there is nothing to be seen of it.
    """
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        small = await store.thumbnail(connection, visit.workspace_id, material_id)
    if small is None:
        raise NotFound("thumbnail of the material", name)
    return Response(small, media_type="image/jpeg")


async def content_of(visit: Visit, material_id: store.MaterialId, suffix: str) -> Response:
    """Answer with the file of a material, as what it was found to be."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        content = await store.content(connection, visit.workspace_id, material_id)
    return Response(content, media_type=MEDIA_TYPES[suffix])
