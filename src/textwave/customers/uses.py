"""Who uses a table: the columns that written rules and models name.

Read from the stored JSON itself, whatever its kinds are: a `table` holds for all that stands below
it. Rather one name too many than one too few: what is found is only shown or kept from deletion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

_NO_COLUMNS: Final = frozenset(
    {"kind", "table", "audience", "model", "list", "campaign", "operator", "measure"}
)


@dataclass(frozen=True, slots=True)
class Use:
    """An audience, a model or a list that uses a table, and the columns that it names."""

    kind: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What may use tables: `table_name` is the one over which it is defined, if it says so."""

    kind: str
    name: str
    table_name: str | None
    definition: dict[str, Any]


def find_uses(stored: Sequence[Stored], table: str) -> list[Use]:
    """Return who uses the table, each with the texts that may be names of its columns."""
    uses: list[Use] = []
    for one in stored:
        named = list(_named(one.definition, one.table_name, table))
        if one.table_name == table or named:
            columns = tuple(dict.fromkeys(name for name in named if name))
            uses.append(Use(one.kind, one.name, columns))
    return uses


def _named(node: object, of_table: str | None, table: str) -> Iterator[str]:
    """Give every text below a node of the table; an empty one says that the table is named."""
    if isinstance(node, Mapping):
        fields = cast("Mapping[str, object]", node)
        own = fields.get("table")
        inner = own if isinstance(own, str) else of_table
        if own == table:
            yield ""
        for name, value in fields.items():
            if name not in _NO_COLUMNS:
                yield from _named(value, inner, table)
    elif isinstance(node, list):
        for value in cast("list[object]", node):
            yield from _named(value, of_table, table)
    elif isinstance(node, str) and of_table == table:
        yield node
