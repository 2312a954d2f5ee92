"""A column compared with what a rule says, as an Ibis condition.

Every operator is true or not true; a missing value meets none but the complements. SQL's third
value counts as “not true”, which only a complement has to settle.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.rule import Attribute, Operator, Period, Value
from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType

COMPLEMENTS: Final[Mapping[Operator, Operator]] = {
    Operator.IS_NOT: Operator.IS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_STARTS_WITH: Operator.STARTS_WITH,
    Operator.NOT_ENDS_WITH: Operator.ENDS_WITH,
    Operator.NOT_BETWEEN: Operator.BETWEEN,
    Operator.NOT_IN_LAST_DAYS: Operator.IN_LAST_DAYS,
    Operator.NONE_OF: Operator.ANY_OF,
    Operator.EMPTY: Operator.NOT_EMPTY,
}
"""Operators that are exactly the complement of another, missing values included."""


def attribute_holds(
    node: Attribute, rows: ir.Table, table: CustomerTable, calendar: Calendar
) -> ir.BooleanValue:
    """Return the condition that a row's column compares as said."""
    condition = attribute_holds_positively(node, rows, table, calendar)
    return negation(condition) if node.operator in COMPLEMENTS else condition


def attribute_holds_positively(
    node: Attribute, rows: ir.Table, table: CustomerTable, calendar: Calendar
) -> ir.BooleanValue:
    """Return the condition whose complement a negated operator asks for, else the condition."""
    declared = cast("Column", table.column(node.column))
    column: Any = rows[node.column]
    if declared.type is ColumnType.MULTI_VALUE:
        column = _values(column, declared)
    return _positive(column, declared.type, node.operator, node.value, calendar)


def compared(
    column: Any, kind: ColumnType, operator: Operator, value: Value | None, calendar: Calendar
) -> ir.BooleanValue:
    """Return the condition that a measured column compares as said."""
    condition = _positive(column, kind, operator, value, calendar)
    return negation(condition) if operator in COMPLEMENTS else condition


def negation(condition: Any) -> ir.BooleanValue:
    """Return the exact complement of a condition."""
    negated: ir.BooleanValue = ~condition.fill_null(False)
    return negated


def joined(conditions: Sequence[ir.BooleanValue], *, every: bool) -> ir.BooleanValue:
    """Join as a balanced tree: a long chain would be too deep for whoever walks it."""
    level = list(conditions)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        left_over = level[len(level) // 2 * 2 :]
        level = [a & b if every else a | b for a, b in pairs] + left_over
    return level[0] if level else cast("ir.BooleanValue", ibis.literal(every))


def within_bounds(column: Any, bounds: Any) -> ir.BooleanValue:
    """Return the condition that a time lies from the first bound until before the second."""
    condition: ir.BooleanValue = (column >= bounds[0]) & (column < bounds[1])
    return condition


def _positive(
    column: Any, kind: ColumnType, operator: Operator, value: Value | None, calendar: Calendar
) -> ir.BooleanValue:
    positive = COMPLEMENTS.get(operator, operator)
    if kind is ColumnType.TIME:
        return _time_holds(column, positive, value, calendar)
    condition: ir.BooleanValue = _CONDITIONS[kind][positive](column, value)
    return condition


def _any_of(compare: Callable[[Any, str], Any], column: Any, value: Any) -> ir.BooleanValue:
    pieces = (value,) if isinstance(value, str) else value
    return joined([compare(column, piece) for piece in pieces], every=False)


_Compare = Callable[[Any, Any], Any]
_TEXT: Final[Mapping[Operator, _Compare]] = {
    Operator.IS: lambda column, value: column == value,
    Operator.IN: lambda column, values: column.isin(values),
    Operator.CONTAINS: partial(_any_of, lambda column, value: column.contains(value)),
    Operator.STARTS_WITH: partial(_any_of, lambda column, value: column.startswith(value)),
    Operator.ENDS_WITH: partial(_any_of, lambda column, value: column.endswith(value)),
    Operator.NOT_EMPTY: lambda column, _: column.notnull(),
}
_NUMBER: Final[Mapping[Operator, _Compare]] = {
    Operator.IS: lambda column, value: column == value,
    Operator.IN: lambda column, values: column.isin(values),
    Operator.LESS_THAN: lambda column, value: column < value,
    Operator.AT_MOST: lambda column, value: column <= value,
    Operator.MORE_THAN: lambda column, value: column > value,
    Operator.AT_LEAST: lambda column, value: column >= value,
    Operator.BETWEEN: lambda column, pair: (column >= pair[0]) & (column <= pair[1]),
    Operator.NOT_EMPTY: lambda column, _: column.notnull(),
}
_MULTI_VALUE: Final[Mapping[Operator, _Compare]] = {
    Operator.ANY_OF: lambda column, values: column.intersect(values).length() > 0,
    Operator.ALL_OF: lambda column, values: _held(column, values) == len(set(values)),
    Operator.NOT_EMPTY: lambda column, _: column.length() > 0,
}
_CONDITIONS: Final[Mapping[ColumnType, Mapping[Operator, _Compare]]] = {
    ColumnType.TEXT: _TEXT,
    ColumnType.NUMBER: _NUMBER,
    ColumnType.MULTI_VALUE: _MULTI_VALUE,
}


def _time_holds(column: Any, operator: Operator, value: Any, calendar: Calendar) -> ir.BooleanValue:
    condition: ir.BooleanValue
    match operator:
        case Operator.NOT_EMPTY:
            condition = column.notnull()
        case Operator.BEFORE:
            condition = column < calendar.moment(value)
        case Operator.ON_OR_AFTER:
            condition = column >= calendar.moment(value)
        case Operator.ANNIVERSARY_IN_NEXT_DAYS:
            condition = _anniversary(column, value, calendar)
        case _:
            condition = within_bounds(column, _BOUNDS[operator](calendar, value))
    return condition


_BOUNDS: Final[Mapping[Operator, Callable[[Calendar, Any], Any]]] = {
    Operator.BETWEEN: lambda calendar, pair: tuple(calendar.moment(bound) for bound in pair),
    Operator.IN_LAST_DAYS: lambda calendar, days: calendar.last_days(days),
    Operator.IN_NEXT_DAYS: lambda calendar, days: calendar.next_days(days),
    Operator.IN_CURRENT: lambda calendar, period: calendar.current(Period(period)),
    Operator.IN_PREVIOUS: lambda calendar, period: calendar.previous(Period(period)),
}


def _anniversary(column: Any, days: int, calendar: Calendar) -> ir.BooleanValue:
    """Compare with the bounds of each year's days; few rows get so far, thanks to their month."""
    anniversaries = calendar.anniversaries(days)
    years = joined([within_bounds(column, pair) for pair in anniversaries.bounds], every=False)
    if anniversaries.month_days is None:
        return years
    month_day: Any = column.month().cast("int32") * 100 + column.day().cast("int32")
    return cast("ir.BooleanValue", month_day.isin(anniversaries.month_days) & years)


def _held(column: Any, values: Sequence[str]) -> Any:
    """Return how many of the values, each counted once, the column holds."""
    wanted: Any = ibis.array(sorted(set(values)))
    return wanted.filter(lambda value: column.contains(value)).length()  # noqa: PLW0108 - by name


def _values(column: Any, declared: Column) -> Any:
    """Return the values of a multi-value column, which the lake may keep as text."""
    if column.type().is_array():
        return column
    stripped = column.split(declared.separator).map(lambda piece: piece.strip())
    return stripped.filter(lambda piece: piece.length() > 0)
