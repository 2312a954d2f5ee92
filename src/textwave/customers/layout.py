"""How a file becomes a table: its columns, their types and parts, and what of it was guessed.

Decided once, before any row is moved: from what was declared, from the table that exists and from
the sample, in this order. Refused: declared columns that the file lacks, types that cannot be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from textwave.customers.request import MOBILE_ID, OWN_KEY, ImportMode, ImportRequest
from textwave.kit.refusal import InvalidValue, Refusal

_TEXT_PARTS = frozenset({Part.CUSTOMER, Part.MOBILE})
_TYPE_OF_PART = {
    Part.TIME: ColumnType.TIME,
    Part.AMOUNT: ColumnType.NUMBER,
    Part.COUNT: ColumnType.NUMBER,
}
_PARTS_OF = {
    TableKind.CUSTOMERS: (Part.CUSTOMER, Part.MOBILE),
    TableKind.BEHAVIOURS: (Part.CUSTOMER, Part.TIME, Part.AMOUNT, Part.MOBILE),
    TableKind.ORDERS: (Part.CUSTOMER, Part.TIME, Part.AMOUNT, Part.MOBILE),
    TableKind.ORDER_SUMMARY: (Part.CUSTOMER, Part.TIME, Part.COUNT, Part.AMOUNT, Part.MOBILE),
    TableKind.METRICS: (Part.CUSTOMER, Part.TIME, Part.MOBILE),
}


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
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    customer_id_type: str = OWN_KEY
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns in the file's order, the parts they play, and what of it was guessed."""

    columns: tuple[Column, ...]
    parts: Mapping[Part, str]
    guessed_parts: frozenset[Part]
    guessed_types: frozenset[str]
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    customer_id_type: str = OWN_KEY
    partition: str | None = None
    encrypted: bool = False

    @property
    def number_place(self) -> int | None:
        """Return the position of the column of mobile numbers, which may be the customer's."""
        return self.place(Part.CUSTOMER if self.customer_id_type == MOBILE_ID else Part.MOBILE)

    @property
    def partition_place(self) -> int | None:
        """Return the position of the column by whose values rows are replaced."""
        names = [column.name for column in self.columns]
        return None if self.partition is None else names.index(self.partition)

    @property
    def several_numbers(self) -> str | None:
        """Return what stands between the numbers of one customer, if there may be several."""
        place = self.number_place
        return None if place is None else self.columns[place].separator

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
        return {
            "columns": columns,
            "parts": parts,
            "ids": dict(self.ids),
            "customer_id_type": self.customer_id_type,
            "partition": self.partition,
        }


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
        ColumnMissing: a declared column, or one that the kind needs, is not in the file.
        TableDiffers: rows are added that lack columns of the table, or play other parts.
        InvalidValue: a declared type contradicts the part that the column plays.
    """
    kept = existing if existing and request.mode is not ImportMode.REPLACE else None
    if existing is not None and existing.kind is not request.kind:
        problem = f"The table holds {existing.kind.value}, not {request.kind.value}."
        raise TableDiffers(request.table, problem)
    if kept is not None:
        _check_fits(request, kept, names)
    ids = _ids(request, names, existing, delimiter)
    id_type = request.customer_id_type or (existing.customer_id_type if existing else OWN_KEY)
    parts = _parts(request, names, sample, kept, id_type, delimiter)
    _check_declared_types(request, names, parts, ids, delimiter)
    known = {column.name: column for column in kept.columns} if kept else {}
    columns = _columns(request, names, sample, parts, ids, known, stored_types or {})
    guessed_parts = frozenset(
        part for part in parts if request.declared(part) is None and kept is None
    )
    guessed_types = frozenset(
        name
        for name in names
        if name not in known and name not in request.types and name not in (stored_types or {})
    )
    certain = {parts[part] for part in parts if part not in guessed_parts} | set(ids.values())
    layout = Layout(
        columns,
        parts,
        guessed_parts,
        guessed_types - certain,
        ids,
        id_type,
        _partition(request, names, existing, delimiter),
    )
    check_layout(layout, request.kind, delimiter)
    return layout


def check_layout(layout: Layout, kind: TableKind, delimiter: str | None) -> None:
    """Refuse what a table of the kind cannot be.

    Raises:
        ColumnMissing: a table of metrics has no number.
        InvalidValue: rows would be replaced by a column of several values.
    """
    types = {column.name: column.type for column in layout.columns}
    if kind is TableKind.METRICS and ColumnType.NUMBER not in types.values():
        raise ColumnMissing("", "a metric: a number", list(types), delimiter)
    if layout.partition and types[layout.partition] is ColumnType.MULTI_VALUE:
        raise InvalidValue("partition", f"“{layout.partition}” has several values in one field.")


def _ids(
    request: ImportRequest,
    names: Sequence[str],
    existing: ExistingTable | None,
    delimiter: str | None,
) -> Mapping[str, str]:
    """Return the declared id columns, else those of the table that the file has."""
    if request.ids is None:
        known = existing.ids.items() if existing else ()
        return {id_type: column for id_type, column in known if column in names}
    for id_type, column in request.ids.items():
        if column not in names:
            raise ColumnMissing(column, f"ids of the type {id_type}", list(names), delimiter)
    return request.ids


def _partition(
    request: ImportRequest,
    names: Sequence[str],
    existing: ExistingTable | None,
    delimiter: str | None,
) -> str | None:
    declared = request.partition_column
    if declared is not None and declared not in names:
        raise ColumnMissing(declared, "the partition", list(names), delimiter)
    known = existing.partition if existing else None
    return declared or (known if known in names else None)


def _parts(
    request: ImportRequest,
    names: Sequence[str],
    sample: Sample,
    kept: ExistingTable | None,
    id_type: str,
    delimiter: str | None,
) -> dict[Part, str]:
    parts: dict[Part, str] = {}
    for part in _PARTS_OF[request.kind]:
        declared = request.declared(part)
        if declared is not None and declared not in names:
            raise ColumnMissing(declared, part.value, list(names), delimiter)
        free = [name for name in names if name not in parts.values()]
        if part is Part.TIME:
            free = [name for name in free if request.types.get(name) in (None, ColumnType.TIME)]
        known = kept.parts.get(part) if kept else _guess(part, request.kind, id_type, free, sample)
        is_new = kept and declared and known is None and _is_new(declared, kept)
        if kept and declared and declared != known and not is_new:
            problem = f"Its {part.value} column is “{known}”, not “{declared}”."
            raise TableDiffers(request.table, problem)
        name = declared or known
        if name and (declared or kept or _can_play(part, name, sample)):
            parts[part] = name
    if Part.CUSTOMER not in parts:
        raise ColumnMissing("", "the customer's key", list(names), delimiter)
    return parts


def _guess(
    part: Part, kind: TableKind, id_type: str, free: Sequence[str], sample: Sample
) -> str | None:
    """Guess a part; a customer column of another id type is known by what it holds."""
    if part is Part.MOBILE and kind is not TableKind.CUSTOMERS:
        return None
    if part is not Part.CUSTOMER or id_type == OWN_KEY:
        return guess_part(part, free, sample)
    if id_type == MOBILE_ID:
        return guess_part(Part.MOBILE, free, sample)
    named = next((name for name in free if name.lower() == id_type), None)
    return named or guess_part(part, free, sample)


def _is_new(name: str, kept: ExistingTable) -> bool:
    return all(column.name != name for column in kept.columns)


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
    ids: Mapping[str, str],
    known: Mapping[str, Column],
    stored_types: Mapping[str, ColumnType],
) -> tuple[Column, ...]:
    """Return the columns in the file's order; those that the table has are as it has them."""
    certain = {name: _types_of(part)[0] for part, name in parts.items()}
    certain |= dict.fromkeys(ids.values(), ColumnType.TEXT)
    mobile = parts.get(Part.MOBILE)
    if mobile and request.types.get(mobile) is ColumnType.MULTI_VALUE:
        certain[mobile] = ColumnType.MULTI_VALUE
    columns: list[Column] = []
    for name in names:
        kind = certain.get(name) or request.types.get(name) or stored_types.get(name)
        column = known.get(name) or _column(name, kind, sample.get(name, ()), request.separator)
        columns.append(column)
    return tuple(columns)


def _column(
    name: str, kind: ColumnType | None, values: Sequence[str], separator: str | None
) -> Column:
    if kind is None:
        column = guess_type(name, values)
    elif kind is ColumnType.MULTI_VALUE:
        column = Column(name, kind, guess_separator(values))
    else:
        column = Column(name, kind)
    if column.type is ColumnType.MULTI_VALUE and separator is not None:
        return replace(column, separator=separator)
    return column


def _types_of(part: Part) -> tuple[ColumnType, ...]:
    """Return the types that the part's column may have, the usual one first."""
    if part is Part.MOBILE:
        return (ColumnType.TEXT, ColumnType.MULTI_VALUE)
    return (_TYPE_OF_PART.get(part, ColumnType.TEXT),)


def _check_declared_types(
    request: ImportRequest,
    names: Sequence[str],
    parts: Mapping[Part, str],
    ids: Mapping[str, str],
    delimiter: str | None,
) -> None:
    for name, declared in request.types.items():
        if name not in names:
            raise ColumnMissing(name, f"type {declared.value}", list(names), delimiter)
    for part, name in parts.items():
        fitting = _types_of(part)
        if request.types.get(name, fitting[0]) not in fitting:
            problem = f"“{name}” is the {part.value} column, so its type is {fitting[0].value}."
            raise InvalidValue("types", problem)
    for id_type, name in ids.items():
        if request.types.get(name, ColumnType.TEXT) is not ColumnType.TEXT:
            problem = f"“{name}” holds ids of the type {id_type}, so its type is text."
            raise InvalidValue("types", problem)


def _check_fits(request: ImportRequest, kept: ExistingTable, names: Sequence[str]) -> None:
    missing = sorted({column.name for column in kept.columns} - set(names))
    if missing:
        problem = f"The file lacks the columns {', '.join(missing)}."
        raise TableDiffers(request.table, problem)
    if request.customer_id_type not in (None, kept.customer_id_type):
        problem = f"Its customer column holds ids of the type {kept.customer_id_type}."
        raise TableDiffers(request.table, problem)
    if kept.partition and request.partition_column not in (None, kept.partition):
        problem = f"Its rows are replaced by “{kept.partition}”."
        raise TableDiffers(request.table, problem)
