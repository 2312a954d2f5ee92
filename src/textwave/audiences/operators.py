"""Which operators a column or a measure takes, and what each takes as its value."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from textwave.audiences.calendar import read_time
from textwave.audiences.refusals import ValueUnfit, shown
from textwave.audiences.rule import (
    MAX_DAYS,
    MAX_VALUES,
    Measure,
    Occurrences,
    Operator,
    Period,
    Scalar,
    Value,
)
from textwave.audiences.tables import CustomerTable
from textwave.customers.columns import ColumnType

MAX_PIECES: Final = 200
MAX_ANNIVERSARY_DAYS: Final = 365


class Operand(StrEnum):
    """What an operator takes as its value."""

    NOTHING = "no value"
    ONE = "one value"
    PAIR = "a list of two values, the lower one first"
    MANY = "a list of one to 2,000 values"
    PIECES = "a text, or a list of one to 200 texts"
    DAYS = "a whole number of days from 1 to 3,660"
    ANNIVERSARY = "a whole number of days from 0 (today) to 365"
    PERIOD = "one of day, week, month, year"


_EMPTINESS: Final = {Operator.EMPTY: Operand.NOTHING, Operator.NOT_EMPTY: Operand.NOTHING}
NUMBER_COMPARISONS: Final[Mapping[Operator, Operand]] = {
    Operator.IS: Operand.ONE,
    Operator.IS_NOT: Operand.ONE,
    Operator.LESS_THAN: Operand.ONE,
    Operator.AT_MOST: Operand.ONE,
    Operator.MORE_THAN: Operand.ONE,
    Operator.AT_LEAST: Operand.ONE,
    Operator.BETWEEN: Operand.PAIR,
    Operator.NOT_BETWEEN: Operand.PAIR,
}
TIME_COMPARISONS: Final[Mapping[Operator, Operand]] = {
    Operator.BEFORE: Operand.ONE,
    Operator.ON_OR_AFTER: Operand.ONE,
    Operator.BETWEEN: Operand.PAIR,
    Operator.NOT_BETWEEN: Operand.PAIR,
    Operator.IN_LAST_DAYS: Operand.DAYS,
    Operator.NOT_IN_LAST_DAYS: Operand.DAYS,
    Operator.IN_NEXT_DAYS: Operand.DAYS,
    Operator.IN_CURRENT: Operand.PERIOD,
    Operator.IN_PREVIOUS: Operand.PERIOD,
    Operator.ANNIVERSARY_IN_NEXT_DAYS: Operand.ANNIVERSARY,
}
OPERATORS: Final[Mapping[ColumnType, Mapping[Operator, Operand]]] = {
    ColumnType.TEXT: {
        Operator.IS: Operand.ONE,
        Operator.IS_NOT: Operand.ONE,
        Operator.IN: Operand.MANY,
        Operator.NOT_IN: Operand.MANY,
        Operator.CONTAINS: Operand.PIECES,
        Operator.NOT_CONTAINS: Operand.PIECES,
        Operator.STARTS_WITH: Operand.PIECES,
        Operator.NOT_STARTS_WITH: Operand.PIECES,
        Operator.ENDS_WITH: Operand.PIECES,
        Operator.NOT_ENDS_WITH: Operand.PIECES,
        **_EMPTINESS,
    },
    ColumnType.NUMBER: {
        **NUMBER_COMPARISONS,
        Operator.IN: Operand.MANY,
        Operator.NOT_IN: Operand.MANY,
        **_EMPTINESS,
    },
    ColumnType.TIME: {**TIME_COMPARISONS, **_EMPTINESS},
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


def comparisons_of(measure: Measure) -> Mapping[Operator, Operand]:
    """Return the operators that a measure takes: those of numbers, or of times."""
    is_time = measure in {Measure.FIRST, Measure.LAST}
    return TIME_COMPARISONS if is_time else NUMBER_COMPARISONS


def measured_column(node: Occurrences, table: CustomerTable) -> str | None:
    """Return the column that a measure is over: the named one, else the time or the amount."""
    is_time = node.measure in {Measure.FIRST, Measure.LAST}
    return node.column or (table.time_column if is_time else table.amount_column)


def check_value(value: Value | None, place: str, operand: Operand, kind: ColumnType) -> None:
    """Refuse a value that the operator does not take.

    Raises:
        ValueUnfit: with the place, what was given and what is needed.
    """
    match operand:
        case Operand.NOTHING | Operand.DAYS | Operand.ANNIVERSARY | Operand.PERIOD:
            if not _FITS[operand](value):
                raise ValueUnfit(place, shown(value), operand)
        case Operand.ONE:
            if value is None or isinstance(value, tuple):
                raise ValueUnfit(place, shown(value), _VALUE_WORDS[kind])
            check_scalar(value, place, kind)
        case Operand.PIECES if isinstance(value, str):
            return
        case Operand.PAIR | Operand.MANY | Operand.PIECES:
            _check_list(value, place, operand, kind)


_FITS: Final[Mapping[Operand, Callable[[Value | None], bool]]] = {
    Operand.NOTHING: lambda value: value is None,
    Operand.DAYS: lambda value: isinstance(value, int) and 1 <= value <= MAX_DAYS,
    Operand.ANNIVERSARY: lambda value: (
        isinstance(value, int) and 0 <= value <= MAX_ANNIVERSARY_DAYS
    ),
    Operand.PERIOD: lambda value: value in tuple(Period),
}
_SIZES: Final[Mapping[Operand, range]] = {
    Operand.PAIR: range(2, 3),
    Operand.MANY: range(1, MAX_VALUES + 1),
    Operand.PIECES: range(1, MAX_PIECES + 1),
}


def _check_list(value: Value | None, place: str, operand: Operand, kind: ColumnType) -> None:
    if not isinstance(value, tuple) or len(value) not in _SIZES[operand]:
        raise ValueUnfit(place, shown(value), operand)
    for i, item in enumerate(value):
        check_scalar(item, f"{place}[{i}]", kind)
    # Times are put in order by the calendar: only there their offsets are known.
    if operand is Operand.PAIR and kind is ColumnType.NUMBER and value[0] > value[1]:  # pyright: ignore[reportOperatorIssue] - both are numbers here
        raise ValueUnfit(place, shown(value), operand)


def check_scalar(value: Scalar, place: str, kind: ColumnType) -> None:
    """Refuse a single value that is not of the column's type.

    Raises:
        ValueUnfit: with the place, what was given and what is needed.
    """
    fits = {
        ColumnType.TEXT: isinstance(value, str),
        ColumnType.MULTI_VALUE: isinstance(value, str),
        ColumnType.NUMBER: not isinstance(value, str),
        ColumnType.TIME: isinstance(value, str) and read_time(value) is not None,
    }
    if not fits[kind]:
        raise ValueUnfit(place, shown(value), _VALUE_WORDS[kind])
