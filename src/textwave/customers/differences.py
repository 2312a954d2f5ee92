"""What an import would change about a table's shape, and the refusal that shows it first.

Compared are columns, types, parts, id columns and what customers are known by. Whoever accepts the
changes gets them; nothing is changed in passing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textwave.customers.columns import Column, Part
from textwave.customers.layout import ExistingTable, Layout
from textwave.customers.uses import Use
from textwave.kit.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is another way than it was; None is nothing."""

    what: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Differences:
    """How a file differs from the table; columns are written as their names and types."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[Change, ...] = ()
    roles: tuple[Change, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        """Return the columns that rules can no longer name as they did."""
        return frozenset(self.removed) | {change.what for change in self.retyped}

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped or self.roles)


@dataclass(eq=False)
class SchemaChanged(Refusal):
    """The import would change the table's columns, types, parts or ids."""

    code: ClassVar[str] = "schema_changed"
    table: str
    added: list[str]
    removed: list[str]
    retyped: list[Change]
    roles: list[Change]
    used_by: list[Use]

    @property
    def sentence(self) -> str:
        told = [
            *(f"“{name}” is new" for name in self.added),
            *(f"“{name}” is gone" for name in self.removed),
            *(f"“{c.what}” is {c.now} instead of {c.was}" for c in self.retyped),
            *(f"{c.what} is {_shown(c.now)} instead of {_shown(c.was)}" for c in self.roles),
        ]
        uses = [f"{use.kind} “{use.name}” ({', '.join(use.columns)})" for use in self.used_by]
        affected = f" Named in {_listed(uses)}." if uses else ""
        return (
            f"The file would change table “{self.table}”: {_listed(told)}.{affected} The table was "
            "left as it was. Import again with `accept_changes` to take the changes, or declare "
            "columns and types as the table has them."
        )


def check_differences(
    table: str,
    existing: ExistingTable | None,
    layout: Layout,
    uses: Sequence[Use],
    *,
    certain: bool,
) -> None:
    """Refuse a change of the table's shape.

    Before the file was read a guessed type alone is no reason; it is shown beside other changes.

    Raises:
        SchemaChanged: what its sentence says.
    """
    if existing is not None and compare(existing, layout, certain=certain):
        found = compare(existing, layout, certain=True)
        raise SchemaChanged(
            table,
            list(found.added),
            list(found.removed),
            list(found.retyped),
            list(found.roles),
            _affected(found.touched, uses),
        )


def compare(existing: ExistingTable, layout: Layout, *, certain: bool) -> Differences:
    """Compare a table with what an import would make of it."""
    was = {column.name: column for column in existing.columns}
    now = {column.name: column for column in layout.columns}
    unsure = frozenset[str]() if certain else layout.guessed_types
    retyped = (
        Change(name, _written(was[name]), _written(column))
        for name, column in now.items()
        if name in was and name not in unsure and _written(was[name]) != _written(column)
    )
    parts = layout.parts if certain else _sure_parts(existing, layout)
    return Differences(
        tuple(name for name in now if name not in was),
        tuple(name for name in was if name not in now),
        tuple(retyped),
        (
            *_changes(
                {f"the {part} column": existing.parts.get(part) for part in Part},
                {f"the {part} column": parts.get(part) for part in Part},
            ),
            *_changes(
                {f"the column of ids {name}": column for name, column in existing.ids.items()},
                {f"the column of ids {name}": column for name, column in layout.ids.items()},
            ),
            *_changes(
                {"the customer's id type": existing.customer_id_type},
                {"the customer's id type": layout.customer_id_type},
            ),
        ),
    )


def _sure_parts(existing: ExistingTable, layout: Layout) -> Mapping[Part, str | None]:
    """Take a part as it was where the whole file has yet to say whether its guess holds."""
    return {
        part: existing.parts.get(part) if part in layout.guessed_parts else layout.parts.get(part)
        for part in Part
    }


def _changes(was: Mapping[str, str | None], now: Mapping[str, str | None]) -> Iterable[Change]:
    for what in {**was, **now}:
        if was.get(what) != now.get(what):
            yield Change(what, was.get(what), now.get(what))


def _affected(columns: frozenset[str], uses: Sequence[Use]) -> list[Use]:
    named = ((use, tuple(name for name in use.columns if name in columns)) for use in uses)
    return [Use(use.kind, use.name, found) for use, found in named if found]


def _written(column: Column) -> str:
    separator = f" separated by “{column.separator}”" if column.separator else ""
    return f"{column.type.value}{separator}"


def _shown(value: str | None) -> str:
    return "none" if value is None else f"“{value}”"


def _listed(told: Sequence[Any], most: int = 20) -> str:
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(told[:most]) + more
