"""Names of tables and of columns: which ones can be kept, and why another one cannot.

A table's name is written into rules and commands, so it is short and plain; a column keeps the
name of the file's header, whatever the script.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.customers.columns import is_value
from textwave.kit.refusal import Refusal

RESERVED_PREFIX: Final = "textwave_"
MOST_COLUMNS: Final = 1_000
LONGEST_NAME: Final = 200
_RESERVED_TABLES: Final = frozenset(
    {
        "audience_member", "rejected_row", "imported_file", "rfm_score", "aipl_label", "list_id",
        "new_person", "message_event",
    }
)  # fmt: skip
_is_table_name = re.compile(r"[a-z][a-z0-9_]{0,59}").fullmatch


@dataclass(eq=False)
class TableNameInvalid(Refusal):
    """The name cannot be a table's."""

    code: ClassVar[str] = "table_name_invalid"
    name: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.name}” cannot name a table. Use 1 to 60 lower-case letters, digits and _, "
            f"beginning with a letter, and none of {', '.join(sorted(_RESERVED_TABLES))} nor "
            f"a name that begins with {RESERVED_PREFIX}."
        )


@dataclass(eq=False)
class HeaderInvalid(Refusal):
    """The first line of the file does not name its columns."""

    code: ClassVar[str] = "header_invalid"
    problem: str
    column: str | None = None

    @property
    def sentence(self) -> str:
        return f"{self.problem} The first line of a file must name each column, once."


def check_table_name(name: str) -> None:
    """Refuse a name that the ledger or the warehouse keeps for itself or cannot hold."""
    reserved = name in _RESERVED_TABLES or name.startswith(RESERVED_PREFIX)
    if reserved or not _is_table_name(name):
        raise TableNameInvalid(name)


def read_header(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the columns' names, trimmed.

    Raises:
        HeaderInvalid: none, too many, a missing, doubled, reserved or unprintable name, or values.
    """
    names = tuple(cell.strip() for cell in cells)
    if not any(names):
        raise HeaderInvalid("The first line is empty.")
    if len(names) > MOST_COLUMNS:
        raise HeaderInvalid(f"There are {len(names)} columns; at most {MOST_COLUMNS} are taken.")
    if sum(is_value(name) for name in names) * 2 > len(names):
        raise HeaderInvalid(
            f"The first line looks like values (“{names[0][:40]}”), not like names."
        )
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        _check_name(place, name)
        if name.casefold() in seen:
            raise HeaderInvalid(f"Two columns are named “{name}”.", name)
        seen.add(name.casefold())
    return names


def _check_name(place: int, name: str) -> None:
    if not name:
        raise HeaderInvalid(f"Column {place} has no name.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        problem = f"Column {place} has a name of {len(name)} characters or with unprintable ones."
        raise HeaderInvalid(problem, name[:LONGEST_NAME])
    if name.casefold().startswith(RESERVED_PREFIX):
        raise HeaderInvalid(f"“{name}”: names beginning with {RESERVED_PREFIX} are reserved.", name)
