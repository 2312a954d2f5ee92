"""Whether a rule fits the tables that exist: columns, operators, values; refused with the place.

A refusal names what was given and what would be right: the tables, columns or operators there are.
A rule that passes compiles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from textwave.audiences.calendar import read_time
from textwave.audiences.references import walk
from textwave.audiences.rule import (
    MAX_DAYS,
    MAX_VALUES,
    Attribute,
    Measure,
    Occurrences,
    Operator,
    Rule,
    Scalar,
    Span,
    Value,
)
from textwave.audiences.tables import Column, CustomerTable, Surroundings
from textwave.customers.columns import ColumnType, TableKind
from textwave.kit.refusal import Refusal

_MOST_SHOWN: Final = 60


class Operand(StrEnum):
    """What an operator takes as its value."""

    NOTHING = "no value"
    ONE = "one value"
    PAIR = "a list of two values, the lower one first"
    MANY = "a list of one to 2,000 values"
    DAYS = "a whole number of days from 1 to 3,660"


_EMPTINESS: Final = {Operator.EMPTY: Operand.NOTHING, Operator.NOT_EMPTY: Operand.NOTHING}
COMPARISONS: Final[Mapping[Operator, Operand]] = {
    Operator.IS: Operand.ONE,
    Operator.IS_NOT: Operand.ONE,
    Operator.LESS_THAN: Operand.ONE,
    Operator.AT_MOST: Operand.ONE,
    Operator.MORE_THAN: Operand.ONE,
    Operator.AT_LEAST: Operand.ONE,
    Operator.BETWEEN: Operand.PAIR,
}
OPERATORS: Final[Mapping[ColumnType, Mapping[Operator, Operand]]] = {
    ColumnType.TEXT: {
        Operator.IS: Operand.ONE,
        Operator.IS_NOT: Operand.ONE,
        Operator.IN: Operand.MANY,
        Operator.NOT_IN: Operand.MANY,
        Operator.CONTAINS: Operand.ONE,
        Operator.NOT_CONTAINS: Operand.ONE,
        Operator.STARTS_WITH: Operand.ONE,
        Operator.ENDS_WITH: Operand.ONE,
        **_EMPTINESS,
    },
    ColumnType.NUMBER: {**COMPARISONS, Operator.IN: Operand.MANY, **_EMPTINESS},
    ColumnType.TIME: {
        Operator.BEFORE: Operand.ONE,
        Operator.ON_OR_AFTER: Operand.ONE,
        Operator.BETWEEN: Operand.PAIR,
        Operator.IN_LAST_DAYS: Operand.DAYS,
        Operator.NOT_IN_LAST_DAYS: Operand.DAYS,
        **_EMPTINESS,
    },
    ColumnType.MULTI_VALUE: {
        Operator.ANY_OF: Operand.MANY,
        Operator.ALL_OF: Operand.MANY,
        Operator.NONE_OF: Operand.MANY,
        **_EMPTINESS,
    },
}
"""Which operators a column of each type takes, and what each takes as its value."""

_VALUE_WORDS: Final[Mapping[ColumnType, str]] = {
    ColumnType.TEXT: "a text",
    ColumnType.NUMBER: "a number",
    ColumnType.TIME: "a date or time such as 2026-01-31 or 2026-01-31T18:00 (years 1900 to 2200)",
    ColumnType.MULTI_VALUE: "a text",
}


@dataclass(eq=False)
class TableUnknown(Refusal):
    """The rule names a table that the workspace does not have as that kind."""

    code: ClassVar[str] = "rule_table_unknown"
    place: str
    table: str
    kind: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.table}” is no table of {self.kind} in this workspace. "
            f"{_choice(self.known, 'Import one first.')}"
        )


@dataclass(eq=False)
class ColumnUnknown(Refusal):
    """The rule names a column that the table does not have, or not of the type that is needed."""

    code: ClassVar[str] = "rule_column_unknown"
    place: str
    table: str
    column: str
    needed: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.column}” is no {self.needed} of the table “{self.table}”. "
            f"{_choice(self.known, 'The table has none; import it with one.')}"
        )


@dataclass(eq=False)
class ColumnMissing(Refusal):
    """The rule needs a column that is neither named nor declared for the table."""

    code: ClassVar[str] = "rule_column_missing"
    place: str
    table: str
    needed: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: this needs a {self.needed} of the table “{self.table}”, and none is "
            f"named or declared. {_choice(self.known, 'The table has none; import it with one.')}"
        )


@dataclass(eq=False)
class OperatorUnfit(Refusal):
    """The operator is not one that this column or measure takes."""

    code: ClassVar[str] = "rule_operator_unfit"
    place: str
    operator: str
    subject: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.operator}” cannot be asked of {self.subject}. "
            f"{_choice(self.known, '')}"
        )


@dataclass(eq=False)
class ValueUnfit(Refusal):
    """The value is not what the operator needs here."""

    code: ClassVar[str] = "rule_value_unfit"
    place: str
    given: str
    needed: str

    @property
    def sentence(self) -> str:
        return f"{self.place}: {self.given} was given; needed is {self.needed}."


def check_rule(rule: Rule, *, table: str, known: Surroundings) -> None:
    """Refuse a rule that does not fit the customer table `table` and all else that is known.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: as named.
    """
    customers = _table_of_kind(table, "$table", TableKind.CUSTOMERS, known.tables)
    for node, place in walk(rule):
        if isinstance(node, Attribute):
            _check_attribute(node, place, customers)
        elif isinstance(node, Occurrences):
            _check_occurrences(node, place, known.tables)


def _table_of_kind(
    name: str, place: str, kind: TableKind, tables: Mapping[str, CustomerTable]
) -> CustomerTable:
    table = tables.get(name)
    if table is None or table.kind != kind:
        known = sorted(other.name for other in tables.values() if other.kind == kind)
        raise TableUnknown(place, name, kind, tuple(known))
    return table


def _check_attribute(attribute: Attribute, place: str, table: CustomerTable) -> None:
    column = table.column(attribute.column)
    if column is None:
        raise ColumnUnknown(
            f"{place}.column", table.name, attribute.column, "column", _names(table.columns)
        )
    operand = OPERATORS[column.type].get(attribute.operator)
    if operand is None:
        subject = f"“{column.name}”, a column of type {column.type}"
        known = tuple(OPERATORS[column.type])
        raise OperatorUnfit(f"{place}.operator", attribute.operator, subject, known)
    _check_value(attribute.value, f"{place}.value", operand, column.type)


def _check_occurrences(node: Occurrences, place: str, tables: Mapping[str, CustomerTable]) -> None:
    table = _table_of_kind(node.table, f"{place}.table", TableKind(node.kind), tables)
    for i, condition in enumerate(node.where):
        _check_attribute(condition, f"{place}.where[{i}]", table)
    if node.within is not None and table.time_column is None:
        times = _names(table.columns, ColumnType.TIME)
        raise ColumnMissing(f"{place}.within", table.name, "time column", times)
    if isinstance(node.within, Span):
        _check_span(node.within, f"{place}.within")
    _check_measure(node, place, table)
    if node.measure is not Measure.COUNT or node.operator is not None or node.value is not None:
        _check_comparison(node, place)


def _check_span(span: Span, place: str) -> None:
    if span.from_ is None and span.until is None:
        raise ValueUnfit(place, "neither from nor until", "at least one of them")
    for bound, where in ((span.from_, "from"), (span.until, "until")):
        if bound is not None:
            _check_scalar(bound, f"{place}.{where}", ColumnType.TIME)


def _check_measure(node: Occurrences, place: str, table: CustomerTable) -> None:
    if node.measure is Measure.COUNT:
        if node.column is not None:
            given = f"the column “{node.column}”"
            raise ValueUnfit(f"{place}.column", given, "none, because a count counts rows")
        return
    name = measured_column(node, table)
    countable = None if node.measure is Measure.DISTINCT else ColumnType.NUMBER
    fitting = [
        column
        for column in table.columns
        if column.type == countable
        or (countable is None and column.type is not ColumnType.MULTI_VALUE)
    ]
    needed = "number column" if countable else "text, number or time column"
    if name is None:
        raise ColumnMissing(f"{place}.column", table.name, needed, _names(fitting))
    if name not in _names(fitting):
        raise ColumnUnknown(f"{place}.column", table.name, name, needed, _names(fitting))


def measured_column(node: Occurrences, table: CustomerTable) -> str | None:
    """Return the column that a measure is over: the named one, else the amount."""
    return node.column or table.amount_column


def _check_comparison(node: Occurrences, place: str) -> None:
    operand = None if node.operator is None else COMPARISONS.get(node.operator)
    if operand is None:
        given = node.operator or "no operator"
        raise OperatorUnfit(
            f"{place}.operator", given, f"a measure ({node.measure})", tuple(COMPARISONS)
        )
    _check_value(node.value, f"{place}.value", operand, ColumnType.NUMBER)


def _check_value(value: Value | None, place: str, operand: Operand, kind: ColumnType) -> None:
    match operand:
        case Operand.NOTHING:
            if value is not None:
                raise ValueUnfit(place, _shown(value), operand)
        case Operand.DAYS:
            if not isinstance(value, int) or not 1 <= value <= MAX_DAYS:
                raise ValueUnfit(place, _shown(value), operand)
        case Operand.ONE:
            if value is None or isinstance(value, tuple):
                raise ValueUnfit(place, _shown(value), _VALUE_WORDS[kind])
            _check_scalar(value, place, kind)
        case Operand.PAIR | Operand.MANY:
            _check_list(value, place, operand, kind)


def _check_list(value: Value | None, place: str, operand: Operand, kind: ColumnType) -> None:
    sizes = range(2, 3) if operand is Operand.PAIR else range(1, MAX_VALUES + 1)
    if not isinstance(value, tuple) or len(value) not in sizes:
        raise ValueUnfit(place, _shown(value), operand)
    for i, item in enumerate(value):
        _check_scalar(item, f"{place}[{i}]", kind)
    # Times are put in order by the calendar: only there their offsets are known.
    if operand is Operand.PAIR and kind is ColumnType.NUMBER and value[0] > value[1]:  # pyright: ignore[reportOperatorIssue] - both are numbers here
        raise ValueUnfit(place, _shown(value), operand)


def _check_scalar(value: Scalar, place: str, kind: ColumnType) -> None:
    fits = {
        ColumnType.TEXT: isinstance(value, str),
        ColumnType.MULTI_VALUE: isinstance(value, str),
        ColumnType.NUMBER: not isinstance(value, str),
        ColumnType.TIME: isinstance(value, str) and read_time(value) is not None,
    }
    if not fits[kind]:
        raise ValueUnfit(place, _shown(value), _VALUE_WORDS[kind])


def _names(columns: Iterable[Column], kind: ColumnType | None = None) -> tuple[str, ...]:
    return tuple(column.name for column in columns if kind is None or column.type == kind)


def _choice(known: tuple[str, ...], otherwise: str) -> str:
    if not known:
        return otherwise
    more = f" and {len(known) - _MOST_SHOWN} more" if len(known) > _MOST_SHOWN else ""
    return f"There are: {', '.join(known[:_MOST_SHOWN])}{more}."


def _shown(value: Value | None) -> str:
    if value is None:
        return "no value"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the text “{value[:_MOST_SHOWN]}”"
    return f"the number {value:g}"
