"""What people do with the material library: add, look, rename, tag, share, take and delete.

A shared material is seen by everybody of the workspace, another one by who added it and by
administrators; either is changed by these two only. It is kept until somebody deletes it, which is
refused while a template is made of it.
"""

import hashlib
from collections.abc import AsyncIterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import psycopg.errors

from textwave.accounts.trail import note_change
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.kit.typed import check_line
from textwave.materials import store
from textwave.materials.kinds import LARGEST_BYTES, MEGABYTE, Examined, MaterialNotAcceptable
from textwave.materials.store import Addition, Filter, Material
from textwave.storage.ledger import Connection

NAME_MAX: Final = 60
TAG_MAX: Final = 20
MOST_TAGS: Final = 10
MOST_MATERIALS: Final = 10_000
MOST_BYTES: Final = 4_096 * MEGABYTE
MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Librarian:
    """Who acts in the library, and whether all of it is theirs to change."""

    name: str
    is_administrator: bool

    @property
    def bound_name(self) -> str | None:
        """The name of somebody who does not see everything; None: sees everything."""
        return None if self.is_administrator else self.name


@dataclass(eq=False)
class MaterialOfAnother(Refusal):
    """A shared material can be changed by who added it and administrators only."""

    code: ClassVar[str] = "material_of_another"
    material: str
    created_by: str

    @property
    def sentence(self) -> str:
        return (
            f"The material “{self.material}” was added by “{self.created_by}”; only they and "
            "administrators change it. Download it and add it under another name."
        )


@dataclass(eq=False)
class LibraryFull(Refusal):
    """The library of the workspace holds as much as it may."""

    code: ClassVar[str] = "library_full"
    megabytes: int
    materials: int

    @property
    def sentence(self) -> str:
        return (
            f"The library holds {self.materials:,} materials of {self.megabytes:,} MB; at most "
            f"{MOST_MATERIALS:,} of {MOST_BYTES // MEGABYTE:,} MB fit. Delete some that no "
            "template is made of."
        )


@dataclass(eq=False)
class MaterialInUse(Refusal):
    """A template is made of the material that was to be deleted."""

    code: ClassVar[str] = "material_in_use"
    material: str
    template: str

    @property
    def sentence(self) -> str:
        return (
            f"The digital template “{self.template}” is made of the material “{self.material}”. "
            "Take it out of the template, or delete that first."
        )


def check_upload(name: str, tags: Sequence[str]) -> None:
    """Accept the name and the tags of a material before its file is read.

    Raises:
        InvalidValue: one of them does not fit.
    """
    check_line("name", name, NAME_MAX)
    _check_tags("tags", tags)


def check_size(length: int) -> None:
    """Accept so many bytes as one file.

    Raises:
        MaterialNotAcceptable: they are more than any kind may have, or none.
    """
    if length > LARGEST_BYTES:
        most = LARGEST_BYTES // MEGABYTE
        raise MaterialNotAcceptable(f"is larger than {most} MB. Shorten it or scale it down.")
    if not length:
        raise MaterialNotAcceptable("is empty. Choose another one.")


async def read_whole(pieces: AsyncIterable[bytes]) -> bytes:
    """Read a body that is as long as a material may be, in memory.

    Raises:
        MaterialNotAcceptable: it is longer than any kind may be, or empty.
    """
    content = bytearray()
    async for piece in pieces:
        content += piece
        if len(content) > LARGEST_BYTES:
            break
    check_size(len(content))
    return bytes(content)


async def add_material(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    librarian: Librarian,
    name: str,
    examined: Examined,
    original_size_bytes: int,
    tags: Sequence[str] = (),
    shared: bool = False,
) -> Material:
    """Add a file that was examined.

    Raises:
        InvalidValue, AlreadyExists. LibraryFull: the workspace has as much as it may.
    """
    check_upload(name, tags)
    held = await store.hold_library(connection, workspace_id)
    too_large = held.size_bytes + len(examined.content) > MOST_BYTES
    if too_large or held.materials >= MOST_MATERIALS:
        raise LibraryFull(held.size_bytes // MEGABYTE, held.materials)
    digest = hashlib.sha256(examined.content).hexdigest()
    addition = Addition(
        name,
        examined,
        digest,
        original_size_bytes,
        librarian.name,
        tags=list(dict.fromkeys(tags)),
        shared=shared,
    )
    if await store.add(connection, workspace_id, addition) is None:
        raise AlreadyExists("material", name)
    detail = {"kind": examined.kind, "sha256": digest}
    await _note(connection, workspace_id, librarian, "add", name, detail)
    return await material(connection, workspace_id=workspace_id, librarian=librarian, name=name)


async def materials(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    librarian: Librarian,
    wanted: Filter,
    after: int,
    limit: int,
) -> list[Material]:
    """Return a page of what somebody sees."""
    return await store.materials(
        connection,
        workspace_id,
        viewer=librarian.bound_name,
        wanted=wanted,
        after=after,
        limit=limit,
    )


async def material(
    connection: Connection, *, workspace_id: WorkspaceId, librarian: Librarian, name: str
) -> Material:
    """Return one material.

    Raises:
        NotFound: there is none that the librarian sees.
    """
    found = await store.materials(
        connection, workspace_id, viewer=librarian.bound_name, name=name, limit=1
    )
    if not found:
        raise NotFound("material", name)
    return found[0]


async def change_material(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    librarian: Librarian,
    name: str,
    new_name: str | None = None,
    shared: bool | None = None,
) -> Material:
    """Rename or share a material; None leaves as it is.

    Raises:
        NotFound, MaterialOfAnother, InvalidValue, AlreadyExists.
    """
    if new_name is not None:
        check_line("name", new_name, NAME_MAX)
    found = await _own(connection, workspace_id, librarian, name)
    try:
        async with connection.transaction():
            await store.change(connection, workspace_id, found.id, new_name=new_name, shared=shared)
    except psycopg.errors.UniqueViolation:
        raise AlreadyExists("material", str(new_name)) from None
    detail = {"name": new_name, "shared": shared}
    given = {field: value for field, value in detail.items() if value is not None}
    await _note(connection, workspace_id, librarian, "change", name, given)
    return await material(
        connection, workspace_id=workspace_id, librarian=librarian, name=new_name or name
    )


async def tag_materials(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    librarian: Librarian,
    names: Sequence[str],
    added: Sequence[str] = (),
    removed: Sequence[str] = (),
) -> list[Material]:
    """Take tags from several materials and add others, to all of them or to none.

    Raises:
        NotFound, MaterialOfAnother. InvalidValue: a tag does not fit, or one would have too many.
    """
    if not 1 <= len(names) <= MOST_AT_ONCE:
        raise InvalidValue("names", f"name 1-{MOST_AT_ONCE} materials at once.")
    _check_tags("add", added)
    wanted = list(dict.fromkeys(names))
    found = await store.materials(
        connection, workspace_id, viewer=librarian.bound_name, names=wanted
    )
    for missing in set(wanted) - {one.name for one in found}:
        raise NotFound("material", missing)
    for one in found:
        _check_own(librarian, one)
    try:
        async with connection.transaction():
            await store.tag(
                connection, workspace_id, [one.id for one in found], added=added, removed=removed
            )
    except psycopg.errors.CheckViolation:
        problem = f"a material may have {MOST_TAGS} tags; one would have more. Take some away."
        raise InvalidValue("add", problem) from None
    detail = {"names": wanted, "add": list(added), "remove": list(removed)}
    await _note(connection, workspace_id, librarian, "tag", wanted[0], detail)
    return await store.materials(connection, workspace_id, names=wanted)


async def delete_material(
    connection: Connection, *, workspace_id: WorkspaceId, librarian: Librarian, name: str
) -> None:
    """Delete a material with its file.

    Raises:
        NotFound, MaterialOfAnother. MaterialInUse: a digital template is made of it.
    """
    found = await _own(connection, workspace_id, librarian, name)
    try:
        async with connection.transaction():
            deleted = await store.delete(connection, workspace_id, found.id)
    except psycopg.errors.ForeignKeyViolation:  # a template came to be made of it just now
        deleted = False
    if not deleted:
        template = await store.used_by(connection, workspace_id, found.id)
        if template is None:
            raise NotFound("material", name)
        raise MaterialInUse(name, template)
    await _note(connection, workspace_id, librarian, "delete", name, {"sha256": found.sha256})


async def _own(
    connection: Connection, workspace_id: WorkspaceId, librarian: Librarian, name: str
) -> Material:
    """Return a material that the librarian may change."""
    found = await material(connection, workspace_id=workspace_id, librarian=librarian, name=name)
    _check_own(librarian, found)
    return found


def _check_own(librarian: Librarian, found: Material) -> None:
    if not librarian.is_administrator and found.created_by != librarian.name:
        raise MaterialOfAnother(found.name, found.created_by)


def _check_tags(place: str, tags: Sequence[str]) -> None:
    if len(set(tags)) > MOST_TAGS:
        raise InvalidValue(place, f"a material may have {MOST_TAGS} tags. Take some away.")
    for tag in tags:
        check_line(place, tag, TAG_MAX)


async def _note(
    connection: Connection,
    workspace_id: WorkspaceId,
    librarian: Librarian,
    action: str,
    name: str,
    detail: Mapping[str, object],
) -> None:
    await note_change(connection, workspace_id, librarian.name, f"material.{action}", name, detail)
