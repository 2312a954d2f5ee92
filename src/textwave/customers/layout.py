"""How a file becomes a table: its columns, their types and parts, and what of it was guessed.

Decided once, before any row is moved: from what was declared, from the table that exists and from
the sample, in this order. Refused: declared columns that the file lacks, types that cannot be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textwave.customers.columns import (
    Column,
    ColumnType,
    Part,
    Sample,
    TableKind,
    guess_part,
    guess_separator,
    guess_type,
)
from textwave.customers.request import ImportMode, ImportRequest
from textwave.kit.refusal import InvalidValue, Refusal

_TEXT_PARTS = frozenset({Part.CUSTOMER, Part.MOBILE})
_TYPE_OF_PART = {Part.TIME: ColumnType.TIME, Part.AMOUNT: ColumnType.NUMBER}


@dataclass(eq=False)
class ColumnMissing(Refusal):
    """The file lacks a column that it must have."""

    code: ClassVar[str] = "column_missing"
    column: str
    wanted_for: str
    columns: list[str]
    delimiter: str | None

    @property
    def sentence(self) -> str:
        delimiter = f" (read with delimiter {self.delimiter!r})" if self.delimiter else ""
        what = f"There is no column “{self.column}”" if self.column else "No column was recognized"
        return (
            f"{what} for {self.wanted_for}. The file's columns are{delimiter}: "
            f"{', '.join(self.columns)}. Name one of them."
        )


@dataclass(eq=False)
class TableDiffers(Refusal):
    """The file does not fit the table that exists."""

    code: ClassVar[str] = "table_differs"
    table: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.problem} Make the file fit table “{self.table}”, or import to another table."


@dataclass(frozen=True, slots=True)
class ExistingTable:
    """A table that the workspace has, as far as an import must fit it."""

    kind: TableKind
    columns: tuple[Column, ...]
    parts: Mapping[Part, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns in the file's order, the parts they play, and what of it was guessed."""

    columns: tuple[Column, ...]
    parts: Mapping[Part, str]
    guessed_parts: frozenset[Part]
    guessed_types: frozenset[str]

    def place(self, part: Part) -> int | None:
        """Return the position of the column that plays the part."""
        name = self.parts.get(part)
        names = [column.name for column in self.columns]
        return None if name is None else names.index(name)

    def as_text(self, names: frozenset[str]) -> "Layout":
        """Return the same with some guessed columns as text, because too few values fit."""
        columns = tuple(
            replace(column, type=ColumnType.TEXT) if column.name in names else column
            for column in self.columns
        )
        kept = {p: c for p, c in self.parts.items() if p in _TEXT_PARTS or c not in names}
        return replace(self, columns=columns, parts=kept, guessed_types=self.guessed_types - names)

    def written(self) -> dict[str, Any]:
        """Return it as an import's result says it."""
        parts = {
            part.value: {"column": name, "guessed": part in self.guessed_parts}
            for part, name in self.parts.items()
        }
        columns = [c.written() | {"guessed": c.name in self.guessed_types} for c in self.columns]
        return {"columns": columns, "parts": parts}


def decide_layout(
    request: ImportRequest,
    names: Sequence[str],
    sample: Sample,
    *,
    existing: ExistingTable | None,
    delimiter: str | None,
    stored_types: Mapping[str, ColumnType] | None = None,
) -> Layout:
    """Decide; `stored_types` are those that the file itself states (Parquet).

    Raises:
        ColumnMissing: a declared column, or one for the customer, is not in the file.
        TableDiffers: rows are added to a table with other columns, types or of another kind.
        InvalidValue: a declared type contradicts the part that the column plays.
    """
    kept = existing if existing and request.mode is not ImportMode.REPLACE else None
    if existing is not None and existing.kind is not request.kind:
        problem = f"The table holds {existing.kind.value}, not {request.kind.value}."
        raise TableDiffers(request.table, problem)
    if kept is not None:
        _check_same_columns(request.table, kept, names)
    parts = _parts(request, names, sample, kept, delimiter)
    _check_declared_types(request, names, parts, delimiter)
    columns = _columns(request, names, sample, parts, kept, stored_types or {})
    guessed_parts = frozenset(
        part for part in parts if request.declared(part) is None and kept is None
    )
    guessed_types = frozenset(
        name
        for name in names
        if kept is None and name not in request.types and name not in (stored_types or {})
    )
    certain = {parts[part] for part in parts if part not in guessed_parts}
    return Layout(columns, parts, guessed_parts, guessed_types - certain)


def _parts(
    request: ImportRequest,
    names: Sequence[str],
    sample: Sample,
    kept: ExistingTable | None,
    delimiter: str | None,
) -> dict[Part, str]:
    parts: dict[Part, str] = {}
    for part in _parts_of(request.kind):
        declared = request.declared(part)
        if declared is not None and declared not in names:
            raise ColumnMissing(declared, part.value, list(names), delimiter)
        free = [name for name in names if name not in parts.values()]
        known = kept.parts.get(part) if kept else guess_part(part, free, sample)
        if kept and declared and declared != known:
            problem = f"Its {part.value} column is “{known}”, not “{declared}”."
            raise TableDiffers(request.table, problem)
        name = declared or known
        if name and (declared or kept or _can_play(part, name, sample)):
            parts[part] = name
    if Part.CUSTOMER not in parts:
        raise ColumnMissing("", "the customer's key", list(names), delimiter)
    return parts


def _parts_of(kind: TableKind) -> tuple[Part, ...]:
    if kind is TableKind.CUSTOMERS:
        return (Part.CUSTOMER, Part.MOBILE)
    return (Part.CUSTOMER, Part.TIME, Part.AMOUNT)


def _can_play(part: Part, name: str, sample: Sample) -> bool:
    """A guessed time or amount column must hold times or numbers; a declared one will."""
    if part in _TEXT_PARTS:
        return True
    return guess_type(name, sample.get(name, ())).type is _TYPE_OF_PART[part]


def _columns(
    request: ImportRequest,
    names: Sequence[str],
    sample: Sample,
    parts: Mapping[Part, str],
    kept: ExistingTable | None,
    stored_types: Mapping[str, ColumnType],
) -> tuple[Column, ...]:
    if kept is not None:
        by_name = {column.name: column for column in kept.columns}
        return tuple(by_name[name] for name in names)
    of_part = {name: _TYPE_OF_PART.get(part, ColumnType.TEXT) for part, name in parts.items()}
    columns: list[Column] = []
    for name in names:
        known = of_part.get(name) or request.types.get(name) or stored_types.get(name)
        if known is None:
            column = guess_type(name, sample.get(name, ()))
        elif known is ColumnType.MULTI_VALUE:
            column = Column(name, known, guess_separator(sample.get(name, ())))
        else:
            column = Column(name, known)
        if column.type is ColumnType.MULTI_VALUE and request.separator is not None:
            column = replace(column, separator=request.separator)
        columns.append(column)
    return tuple(columns)


def _check_declared_types(
    request: ImportRequest,
    names: Sequence[str],
    parts: Mapping[Part, str],
    delimiter: str | None,
) -> None:
    for name, declared in request.types.items():
        if name not in names:
            raise ColumnMissing(name, f"type {declared.value}", list(names), delimiter)
    for part, name in parts.items():
        needed = _TYPE_OF_PART.get(part, ColumnType.TEXT)
        if request.types.get(name, needed) is not needed:
            problem = f"“{name}” is the {part.value} column, so its type is {needed.value}."
            raise InvalidValue("types", problem)


def _check_same_columns(table: str, kept: ExistingTable, names: Sequence[str]) -> None:
    expected = {column.name for column in kept.columns}
    missing, unknown = sorted(expected - set(names)), sorted(set(names) - expected)
    if missing:
        raise TableDiffers(table, f"The file lacks the columns {', '.join(missing)}.")
    if unknown:
        raise TableDiffers(table, f"The file has other columns: {', '.join(unknown)}.")
