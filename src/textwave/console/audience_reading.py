"""What the pages of audiences read: a list by folder, one audience with its history, its tasks.

Every read is one transaction as the web role, in the session's workspace, as the visitor sees it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from textwave.accounts.store import workspace
from textwave.audiences import life_operations, store
from textwave.audiences.life_store import Folder, PastSnapshot
from textwave.audiences.rule import Rule
from textwave.audiences.sentence import chinese, english
from textwave.audiences.store import Audience, Sort, Wanted, Whose
from textwave.audiences.tables import CustomerTable
from textwave.console.visit import Visit
from textwave.customers.columns import TableKind
from textwave.kit.ids import AudienceId

SHOWN_AUDIENCES: Final = 100
_LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Branch:
    """A folder with all in it: its path, what it is called in the one above, how deep it lies."""

    path: str
    name: str
    depth: int
    audiences: int


def branches(folders: Sequence[Folder]) -> list[Branch]:
    """Return all folders and those that they lie in, each before what lies in it."""
    counts: dict[tuple[str, ...], int] = {}
    for folder in folders:
        parts = tuple(folder.name.split("/")) if folder.name else ()
        for depth in range(1, len(parts) + 1):
            counts[parts[:depth]] = counts.get(parts[:depth], 0) + folder.audiences
    return [
        Branch("/".join(parts), parts[-1], len(parts) - 1, counts[parts])
        for parts in sorted(counts)
    ]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of audiences, the folders beside it, and what was asked for.

    `all` counts the audiences that are not put away, `tables` those that audiences may be over.
    """

    audiences: Sequence[Audience]
    branches: Sequence[Branch]
    all: int
    tables: int
    wanted: Wanted
    zone: str
    older: int | None

    @property
    def narrowed(self) -> bool:
        """Tell whether something was asked for that leaves audiences out."""
        wanted = self.wanted
        searched = wanted.folder is not None or bool(wanted.search)
        return searched or wanted.archived or wanted.whose is not Whose.ALL

    def address(self, **changed: object) -> str:
        """Return the address of the same list with some of it changed; None takes a part away."""
        asked: dict[str, object] = {
            "folder": self.wanted.folder,
            "search": self.wanted.search or None,
            "archived": "yes" if self.wanted.archived else None,
            "whose": None if self.wanted.whose is Whose.ALL else self.wanted.whose.value,
            "sort": None if self.wanted.sort is Sort.CREATED_AT else self.wanted.sort.value,
        }
        kept = {name: value for name, value in (asked | changed).items() if value is not None}
        return f"/console/audiences?{urlencode(kept)}" if kept else "/console/audiences"


@dataclass(frozen=True, slots=True)
class Portrait:
    """One audience as its page shows it."""

    audience: Audience
    sentence: str
    history: Sequence[PastSnapshot]
    comparable: Sequence[Audience]
    zone: str
    may_change: bool


def wanted_of(asked: Mapping[str, str]) -> Wanted:
    """Read what a list's address asks for; what is unknown is left out."""
    whose, sort = asked.get("whose", ""), asked.get("sort", "")
    return Wanted(
        folder=None if asked.get("folder", "*") == "*" else asked["folder"],
        search=_plain(asked.get("search", "")) or None,
        archived=asked.get("archived") == "yes",
        whose=Whose(whose) if whose in tuple(Whose) else Whose.ALL,
        sort=Sort(sort) if sort in tuple(Sort) else Sort.CREATED_AT,
    )


async def read_shelf(visit: Visit) -> Shelf:
    """Read a page of the audiences that the visitor sees."""
    asked = visit.request.query_params
    wanted = wanted_of({name: _plain(value) for name, value in asked.items()})
    after = asked.get("after", "")
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await store.audiences(
            connection,
            visit.workspace_id,
            wanted=wanted,
            viewer=visit.viewer,
            after=AudienceId(int(after)) if is_row_id(after) else None,
            limit=SHOWN_AUDIENCES,
        )
        folders = await life_operations.folders(
            connection, workspace_id=visit.workspace_id, viewer=visit.viewer
        )
        tables = await store.tables(connection, visit.workspace_id)
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    older = found[-1].id if len(found) == SHOWN_AUDIENCES else None
    everything = sum(folder.audiences for folder in folders)
    roots = len(root_tables(tables))
    return Shelf(found, branches(folders), everything, roots, wanted, zone, older)


async def read_portrait(visit: Visit) -> Portrait:
    """Read one audience with its history and what it may be compared with.

    Raises:
        NotFound: there is none of that name that the visitor sees.
    """
    key: dict[str, Any] = {"workspace_id": visit.workspace_id, "viewer": visit.viewer}
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await store.audience(connection, visit.workspace_id, visit.name, visit.viewer)
        history = await life_operations.history(connection, name=visit.name, **key)
        others = await store.audiences(
            connection, visit.workspace_id, wanted=Wanted(sort=Sort.NAME), viewer=visit.viewer
        )
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    table = found.definition.table
    comparable = [
        other
        for other in others
        if other.id != found.id and other.snapshot and other.definition.table == table
    ]
    sentence = said(found.definition.rule, table, visit.language)
    may_change = visit.viewer.may_change(found.created_by)
    return Portrait(found, sentence, history, comparable, zone, may_change)


def said(rule: Rule, table: str, language: str) -> str:
    """Say a rule as one sentence of the page's language."""
    return (chinese if language.startswith("zh") else english)(rule, table=table)


def root_tables(tables: Mapping[str, CustomerTable]) -> list[str]:
    """Return the names of the tables that an audience may be over."""
    return [name for name, table in tables.items() if table.kind is TableKind.CUSTOMERS]


def is_row_id(text: str) -> bool:
    """Tell whether a text is the id of a row; a bigint has at most 19 digits."""
    return text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004 - said above


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()[:_LONGEST_SEARCH]
