"""Rows of uploaded lists in the ledger."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE: Final = 200
_SQL = load_statements("textwave.lists")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a list's rows: read = invalid + duplicates + matched + unmatched."""

    rows_read: int
    invalid: int
    duplicates: int
    matched: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class KeptFile:
    """The file that a list came from, and the upload that brought it."""

    file_name: str
    file_sha256: str
    fingerprint: str
    operation_id: OperationId
    uploaded_by: str


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """An uploaded list: a name, the type of its ids, where they came from and what they met."""

    id: int
    name: str
    table_name: str
    id_type: str
    keeps_unmatched: bool
    file_name: str
    file_sha256: str
    fingerprint: str
    operation_id: OperationId
    rows_read: int
    invalid: int
    duplicates: int
    matched: int
    unmatched: int
    uploaded_by: str
    uploaded_at: datetime

    @property
    def counts(self) -> Counts:
        """What became of its rows."""
        return Counts(self.rows_read, self.invalid, self.duplicates, self.matched, self.unmatched)


@dataclass(frozen=True, slots=True)
class Present:
    """What a sweep has to know of a list."""

    id: int
    table_name: str
    id_type: str
    keeps_unmatched: bool


async def lock(connection: Connection, workspace_id: WorkspaceId) -> None:
    """Wait until nobody else writes lists of the workspace; held until the transaction ends."""
    await value(connection, _SQL["lock"], {"workspace_id": workspace_id})


async def next_list(connection: Connection) -> int:
    """Take an id that no other list has or will have."""
    found: int = await value(connection, _SQL["next_list"])
    return found


async def lists(
    connection: Connection, workspace_id: WorkspaceId, *, after: int = 0, limit: int = LONGEST_PAGE
) -> list[KeptUpload]:
    """Return a page of at most 200 lists in the order in which they were uploaded."""
    parameters = {
        "workspace_id": workspace_id, "after": after, "limit": min(limit, LONGEST_PAGE)
    }  # fmt: skip
    return await many(connection, KeptUpload, _SQL["lists"], parameters)


async def find(connection: Connection, workspace_id: WorkspaceId, name: str) -> KeptUpload | None:
    """Read a list by its name."""
    parameters = {"workspace_id": workspace_id, "name": name}
    return await one(connection, KeptUpload, _SQL["list"], parameters)


async def read(connection: Connection, workspace_id: WorkspaceId, name: str) -> KeptUpload:
    """Read a list by its name.

    Raises:
        NotFound: the workspace has none of that name.
    """
    found = await find(connection, workspace_id, name)
    if found is None:
        raise NotFound("list", name)
    return found


async def put(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    present: Present,
    name: str,
    file: KeptFile,
    counts: Counts,
) -> None:
    """Make a list visible whose ids are all in the lake, in place of the one of that name."""
    key = {"workspace_id": workspace_id, "name": name}
    await execute(connection, _SQL["remove_list"], key)
    parameters = {**key, **asdict(present), **asdict(file), **asdict(counts)}
    await execute(connection, _SQL["add_list"], parameters)


async def remove(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """Forget a list; tell whether there was one."""
    parameters = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["remove_list"], parameters) is not None


async def present(connection: Connection, workspace_id: WorkspaceId) -> list[Present]:
    """Return all lists of the workspace, as a sweep sees them."""
    return await many(connection, Present, _SQL["present"], {"workspace_id": workspace_id})


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


async def users(connection: Connection, workspace_id: WorkspaceId, name: str) -> list[str]:
    """Return the names of audiences and models whose rules name the list, at most 20."""
    parameters = {"workspace_id": workspace_id, "name": name}
    return [row.name for row in await many(connection, _Named, _SQL["users"], parameters)]
