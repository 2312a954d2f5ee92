"""A checked rule as one Ibis expression that selects customers; never SQL text.

Every condition is true or not true: where a value is missing, a condition is not true and its
negation is. SQL's third value counts as “not true” below `and` and `or`, so only a negation has to
settle it, and plain comparisons stay plain enough for the engine to skip whole row groups.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.check import measured_column
from textwave.audiences.rule import (
    All,
    AnyOf,
    Attribute,
    Behaviours,
    LastDays,
    Measure,
    Metrics,
    Not,
    Occurrences,
    Operator,
    Orders,
    Rule,
    Value,
)
from textwave.audiences.tables import Column, CustomerTable, Source, Surroundings
from textwave.customers.columns import ColumnType

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the whole tree is compiled against."""

    table: CustomerTable
    known: Surroundings
    source: Source
    calendar: Calendar
    customers: ir.Table

    @property
    def key(self) -> ir.StringColumn:
        return cast("ir.StringColumn", self.customers[self.table.customer_column])


def select_rows(
    rule: Rule,
    *,
    table: str,
    known: Surroundings,
    source: Source,
    calendar: Calendar,
) -> ir.Table:
    """Return the rows of the customer table that a checked rule selects, with all columns."""
    scope = _Scope(known.tables[table], known, source, calendar, source(table))
    return scope.customers.filter(_condition(rule, scope))


def select_customers(
    rule: Rule,
    *,
    table: str,
    known: Surroundings,
    source: Source,
    calendar: Calendar,
) -> ir.Table:
    """Return the customers that a checked rule selects: one column `customer`, each once."""
    rows = select_rows(rule, table=table, known=known, source=source, calendar=calendar)
    return rows.select(**{CUSTOMER: rows[known.tables[table].customer_column]})


def _condition(rule: Rule, scope: _Scope) -> ir.BooleanValue:
    match rule:
        case All():
            return _joined([_condition(inner, scope) for inner in rule.of], every=True)
        case AnyOf():
            return _joined([_condition(inner, scope) for inner in rule.of], every=False)
        case Not():
            return _not(_condition(rule.of, scope))
        case Attribute():
            return _attribute(rule, scope.customers, scope.table, scope.calendar)
        case Orders() | Behaviours() | Metrics():
            chosen = scope.key.isin(_who(rule, scope))
            return chosen if rule.did else ~chosen
        case _:
            raise NotImplementedError(rule.kind)


def _not(condition: Any) -> ir.BooleanValue:
    negated: ir.BooleanValue = ~condition.fill_null(False)
    return negated


def _joined(conditions: list[ir.BooleanValue], *, every: bool) -> ir.BooleanValue:
    """Join as a balanced tree: a long chain would be too deep for whoever walks it."""
    while len(conditions) > 1:
        pairs = zip(conditions[::2], conditions[1::2], strict=False)
        left_over = conditions[len(conditions) // 2 * 2 :]
        conditions = [a & b if every else a | b for a, b in pairs] + left_over
    return conditions[0] if conditions else cast("ir.BooleanValue", ibis.literal(every))


def _who(node: Occurrences, scope: _Scope) -> ir.Column:
    """Return the customers of the matching rows for whom the measure compares as said.

    One pass over the table: filter, and group only where more than one row has to be seen.
    """
    table = scope.known.tables[node.table]
    rows = scope.source(node.table)
    conditions = [_attribute(inner, rows, table, scope.calendar) for inner in node.where]
    conditions += _within(node, rows, table, scope.calendar)
    matching = rows.filter(rows[table.customer_column].notnull(), *conditions)
    if node.operator is None or _is_at_least_one(node):
        return matching[table.customer_column]
    measured = matching.group_by(table.customer_column).aggregate(
        measured=_measure(node, matching, table)
    )
    compared = _compared(measured["measured"], node.operator, node.value)
    return measured.filter(compared)[table.customer_column]


def _compared(measured: ir.Column, operator: Operator, value: Value | None) -> ir.BooleanValue:
    positive = _COMPLEMENTS.get(operator, operator)
    condition: ir.BooleanValue = _NUMBER[positive](measured, value)
    return condition if positive is operator else _not(condition)


def _is_at_least_one(node: Occurrences) -> bool:
    return node.measure is Measure.COUNT and node.operator is Operator.AT_LEAST and node.value == 1


def _within(
    node: Occurrences, rows: ir.Table, table: CustomerTable, calendar: Calendar
) -> list[ir.BooleanValue]:
    if node.within is None or table.time_column is None:
        return []
    time: Any = rows[table.time_column]
    if isinstance(node.within, LastDays):
        low, high = calendar.last_days(node.within.last_days)
        return [time >= low, time < high]
    conditions: list[ir.BooleanValue] = []
    if node.within.from_ is not None:
        conditions.append(time >= calendar.moment(node.within.from_))
    if node.within.until is not None:
        conditions.append(time < calendar.moment(node.within.until))
    return conditions


def _measure(node: Occurrences, rows: ir.Table, table: CustomerTable) -> Any:
    if node.measure is Measure.COUNT:
        return rows.count()
    column: Any = rows[cast("str", measured_column(node, table))]
    return getattr(column, _AGGREGATES[node.measure])()


_AGGREGATES: Mapping[Measure, str] = {
    Measure.SUM: "sum",
    Measure.AVERAGE: "mean",
    Measure.MINIMUM: "min",
    Measure.MAXIMUM: "max",
    Measure.DISTINCT: "nunique",
}


def _attribute(
    node: Attribute, rows: ir.Table, table: CustomerTable, calendar: Calendar
) -> ir.BooleanValue:
    declared = cast("Column", table.column(node.column))
    positive = _COMPLEMENTS.get(node.operator, node.operator)
    column: Any = rows[node.column]
    value: Any = node.value
    if declared.type is ColumnType.TIME:
        value = _bounds(positive, node.value, calendar)
    elif declared.type is ColumnType.MULTI_VALUE:
        column = _values(column, declared)
    condition: ir.BooleanValue = _CONDITIONS[declared.type][positive](column, value)
    return _not(condition) if positive is not node.operator else condition


_COMPLEMENTS: Mapping[Operator, Operator] = {
    Operator.IS_NOT: Operator.IS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_IN_LAST_DAYS: Operator.IN_LAST_DAYS,
    Operator.NONE_OF: Operator.ANY_OF,
    Operator.EMPTY: Operator.NOT_EMPTY,
}
"""Operators that are exactly the complement of another, missing values included."""

_Compare = Callable[[Any, Any], Any]
_TEXT: Mapping[Operator, _Compare] = {
    Operator.IS: lambda column, value: column == value,
    Operator.IN: lambda column, values: column.isin(values),
    Operator.CONTAINS: lambda column, value: column.contains(value),
    Operator.STARTS_WITH: lambda column, value: column.startswith(value),
    Operator.ENDS_WITH: lambda column, value: column.endswith(value),
    Operator.NOT_EMPTY: lambda column, _: column.notnull(),
}
_NUMBER: Mapping[Operator, _Compare] = {
    Operator.IS: lambda column, value: column == value,
    Operator.IN: lambda column, values: column.isin(values),
    Operator.LESS_THAN: lambda column, value: column < value,
    Operator.AT_MOST: lambda column, value: column <= value,
    Operator.MORE_THAN: lambda column, value: column > value,
    Operator.AT_LEAST: lambda column, value: column >= value,
    Operator.BETWEEN: lambda column, pair: (column >= pair[0]) & (column <= pair[1]),
    Operator.NOT_EMPTY: lambda column, _: column.notnull(),
}
_TIME: Mapping[Operator, _Compare] = {
    Operator.BEFORE: lambda column, bound: column < bound,
    Operator.ON_OR_AFTER: lambda column, bound: column >= bound,
    Operator.BETWEEN: lambda column, pair: (column >= pair[0]) & (column < pair[1]),
    Operator.IN_LAST_DAYS: lambda column, pair: (column >= pair[0]) & (column < pair[1]),
    Operator.NOT_EMPTY: lambda column, _: column.notnull(),
}
_MULTI_VALUE: Mapping[Operator, _Compare] = {
    Operator.ANY_OF: lambda column, values: column.intersect(values).length() > 0,
    Operator.ALL_OF: lambda column, values: _held(column, values) == len(set(values)),
    Operator.NOT_EMPTY: lambda column, _: column.length() > 0,
}
_CONDITIONS: Mapping[ColumnType, Mapping[Operator, _Compare]] = {
    ColumnType.TEXT: _TEXT,
    ColumnType.NUMBER: _NUMBER,
    ColumnType.TIME: _TIME,
    ColumnType.MULTI_VALUE: _MULTI_VALUE,
}


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


def _bounds(operator: Operator, value: Value | None, calendar: Calendar) -> object:
    """Return the moment or the pair of moments that a time is compared with."""
    if operator is Operator.IN_LAST_DAYS:
        return calendar.last_days(cast("int", value))
    if isinstance(value, tuple):
        return tuple(calendar.moment(cast("str", bound)) for bound in value)
    return None if value is None else calendar.moment(cast("str", value))
