"""What the pages of materials show: a page of the library as it was asked for, and its tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.console.fields import row_id, text
from textwave.console.visit import Visit
from textwave.kit.refusal import InvalidValue
from textwave.materials import operations as library
from textwave.materials import store
from textwave.materials.kinds import Kind
from textwave.materials.operations import NAME_MAX, TAG_MAX, Librarian
from textwave.materials.store import Filter, KnownTag, Material

SHOWN: Final = 60
_MOST_TAGS_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of the library, the newest first; `older` is where the next one begins."""

    found: Sequence[Material]
    asked: Filter
    tags: Sequence[KnownTag]
    older: int | None
    holds_any: bool


def librarian(visit: Visit) -> Librarian:
    """Return who acts in the library."""
    return Librarian(visit.actor, visit.viewer.is_administrator)


def read_filter(given: Mapping[str, str], visit: Visit) -> Filter:
    """Read which materials are wanted; what is nothing of the sort does not matter."""
    kind = given.get("kind", "")
    return Filter(
        kind=Kind(kind) if kind in tuple(Kind) else None,
        tag=text(given, "tag")[:TAG_MAX] or None,
        created_by=visit.actor if given.get("mine") == "yes" else None,
        text=text(given, "text")[:NAME_MAX] or None,
    )


async def read_shelf(visit: Visit) -> Shelf:
    """Read the page of the library that the address asks for."""
    given = visit.request.query_params
    asked = read_filter(given, visit)
    found = await read_materials(visit, asked, before=row_id(given.get("before", "")))
    viewer = librarian(visit).bound_name
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        tags = await store.tags(
            connection, visit.workspace_id, viewer=viewer, limit=_MOST_TAGS_SHOWN
        )
    any_there = bool(found) or bool(await read_materials(visit, Filter(), limit=1))
    older = found[-1].id if len(found) == SHOWN else None
    return Shelf(found, asked, tags, older, any_there)


async def read_materials(
    visit: Visit, asked: Filter, *, before: int | None = None, limit: int = SHOWN
) -> list[Material]:
    """Return materials that the visitor sees, the newest first."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await store.newest(
            connection,
            visit.workspace_id,
            viewer=librarian(visit).bound_name,
            wanted=asked,
            before=before,
            limit=limit,
        )


async def read_material(visit: Visit, name: str) -> Material:
    """Return one material.

    Raises:
        NotFound: there is none that the visitor sees.
    """
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await library.material(
            connection, workspace_id=visit.workspace_id, librarian=librarian(visit), name=name
        )


def read_tags(given: Mapping[str, str], field: str) -> list[str]:
    """Read tags with commas of either width between them, each once."""
    written = text(given, field).replace("，", ",").replace("、", ",")
    found = [tag.strip() for tag in written.split(",")]
    return list(dict.fromkeys(tag for tag in found if tag))


def chosen_names(form: Mapping[str, str]) -> list[str]:
    """Return the materials that are ticked.

    Raises:
        InvalidValue: none is.
    """
    names = [value for field, value in form.items() if field.startswith("chosen_")]
    if not names:
        raise InvalidValue("names", "Tick the materials first.")
    return names
