"""Rows of materials; their files are in a table of their own.

A viewer's name bounds what is found to shared materials and their own; None finds all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType

from textwave.kit.ids import WorkspaceId
from textwave.materials.kinds import Examined, Kind
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

MaterialId = NewType("MaterialId", int)
LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.materials")


@dataclass(frozen=True, slots=True)
class Material:
    """A file of the library, without its content; see `Examined` for its measures."""

    id: MaterialId
    workspace_id: WorkspaceId
    name: str
    kind: Kind
    suffix: str
    size_bytes: int
    width: int | None
    height: int | None
    frames: int | None
    milliseconds: int | None
    codec: str
    sha256: str
    original_suffix: str
    original_size_bytes: int
    tags: list[str]
    shared: bool
    created_by: str
    created_at: datetime

    def __post_init__(self) -> None:
        """Take the text of a row as the kind it stands for."""
        object.__setattr__(self, "kind", Kind(self.kind))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which materials are wanted; None: whichever."""

    kind: Kind | None = None
    tag: str | None = None
    created_by: str | None = None
    shared: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """A material to be added."""

    name: str
    examined: Examined
    sha256: str
    original_size_bytes: int
    created_by: str
    tags: Sequence[str] = field(default_factory=list[str])
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """What a library holds."""

    size_bytes: int
    materials: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """How many tags a material has now."""

    name: str
    tags: int


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag, and how many materials have it."""

    name: str
    materials: int


async def hold_library(connection: Connection, workspace_id: WorkspaceId) -> Total:
    """Let others who add to the library wait, and return what it holds."""
    key = {"workspace_id": workspace_id}
    await execute(connection, _SQL["hold_library"], key)
    return await one(connection, Total, _SQL["total_bytes"], key) or Total(0, 0)


async def add(
    connection: Connection, workspace_id: WorkspaceId, addition: Addition
) -> MaterialId | None:
    """Add a material with its content; None when the name is taken."""
    examined = addition.examined
    measures = ("kind", "suffix", "original_suffix", "width", "height", "frames", "milliseconds")
    parameters: dict[str, Any] = {
        **{name: getattr(examined, name) for name in (*measures, "codec")},
        "workspace_id": workspace_id,
        "name": addition.name,
        "size_bytes": len(examined.content),
        "sha256": addition.sha256,
        "original_size_bytes": addition.original_size_bytes,
        "tags": list(addition.tags),
        "shared": addition.shared,
        "created_by": addition.created_by,
    }
    added = await value(connection, _SQL["add_material"], parameters)
    if added is None:
        return None
    content = {"content": examined.content, "thumbnail": examined.thumbnail}
    key = {"id": added, "workspace_id": workspace_id}
    await execute(connection, _SQL["add_content"], {**key, **content})
    return MaterialId(added)


async def materials(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    viewer: str | None = None,
    name: str | None = None,
    names: Sequence[str] | None = None,
    wanted: Filter | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[Material]:
    """Return a page of materials behind the id `after`."""
    asked = wanted or Filter()
    parameters = {
        "workspace_id": workspace_id,
        "viewer": viewer,
        "name": name,
        "names": None if names is None else list(names),
        "kind": asked.kind,
        "tag": asked.tag,
        "created_by": asked.created_by,
        "shared": asked.shared,
        "text": asked.text,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, Material, _SQL["materials"], parameters)


async def newest(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    viewer: str | None,
    wanted: Filter,
    before: int | None = None,
    limit: int = LONGEST_PAGE,
) -> list[Material]:
    """Return a page of materials, the newest first: from the end, or before an id."""
    parameters = {
        "workspace_id": workspace_id,
        "viewer": viewer,
        "kind": wanted.kind,
        "tag": wanted.tag,
        "created_by": wanted.created_by,
        "shared": wanted.shared,
        "text": wanted.text,
        "before": before,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, Material, _SQL["newest"], parameters)


async def tags(
    connection: Connection, workspace_id: WorkspaceId, *, viewer: str | None, limit: int
) -> list[KnownTag]:
    """Return the tags in use that a viewer sees, the most frequent first."""
    parameters = {"workspace_id": workspace_id, "viewer": viewer, "limit": limit}
    return await many(connection, KnownTag, _SQL["tags"], parameters)


async def content(
    connection: Connection, workspace_id: WorkspaceId, material_id: MaterialId
) -> bytes:
    """Return the file."""
    key = {"workspace_id": workspace_id, "id": material_id}
    return await value(connection, _SQL["content"], key)


async def thumbnail(
    connection: Connection, workspace_id: WorkspaceId, material_id: MaterialId
) -> bytes | None:
    """Return the small JPEG; None: there is nothing to be seen."""
    key = {"workspace_id": workspace_id, "id": material_id}
    return await value(connection, _SQL["thumbnail"], key)


async def change(
    connection: Connection,
    workspace_id: WorkspaceId,
    material_id: MaterialId,
    *,
    new_name: str | None,
    shared: bool | None,
) -> None:
    """Rename or share; a taken name violates the unique index."""
    parameters = {"workspace_id": workspace_id, "id": material_id}
    await execute(
        connection, _SQL["change"], {**parameters, "new_name": new_name, "shared": shared}
    )


async def tag(
    connection: Connection,
    workspace_id: WorkspaceId,
    material_ids: Sequence[MaterialId],
    *,
    added: Sequence[str],
    removed: Sequence[str],
) -> list[Tagged]:
    """Take tags away and add others; more than ten violate the table's check."""
    parameters = {"workspace_id": workspace_id, "ids": list(material_ids)}
    lists = {"added": list(added), "removed": list(removed)}
    return await many(connection, Tagged, _SQL["tag"], {**parameters, **lists})


async def delete(
    connection: Connection, workspace_id: WorkspaceId, material_id: MaterialId
) -> bool:
    """Delete a material with its content; False when a template is made of it, or it is gone."""
    key = {"workspace_id": workspace_id, "id": material_id}
    return await value(connection, _SQL["delete"], key) is not None


async def used_by(
    connection: Connection, workspace_id: WorkspaceId, material_id: MaterialId
) -> str | None:
    """Return the name of a template that is made of the material."""
    key = {"workspace_id": workspace_id, "id": material_id}
    return await value(connection, _SQL["used_by"], key)
