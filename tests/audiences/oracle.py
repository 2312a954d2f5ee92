"""The rules of audiences, one row at a time and in plain Python: what the compiled ones must equal.

Written for clarity and independence of the compiler: times are compared as local days and instants,
measures are taken over lists.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from textwave.audiences.rule import (
    All,
    AnyOf,
    Attribute,
    LastDays,
    Measure,
    Not,
    Occurrences,
    Operator,
    Rule,
)
from textwave.audiences.tables import CustomerTable
from textwave.customers.columns import ColumnType

Row = Mapping[str, Any]


class Oracle:
    """Evaluate rules over tables held as lists of rows."""

    def __init__(
        self,
        tables: Mapping[str, CustomerTable],
        rows: Mapping[str, Sequence[Row]],
        now: datetime,
        zone: ZoneInfo,
    ) -> None:
        self.tables, self.rows, self.now, self.zone = tables, rows, now, zone

    def selects(self, rule: Rule, table: str, customer: Row) -> bool:
        match rule:
            case All():
                return all(self.selects(inner, table, customer) for inner in rule.of)
            case AnyOf():
                return any(self.selects(inner, table, customer) for inner in rule.of)
            case Not():
                return not self.selects(rule.of, table, customer)
            case Attribute():
                return self._holds(rule, self.tables[table], customer)
            case _:
                key = customer[self.tables[table].customer_column]
                return self._did(rule, key) == rule.did

    def _did(self, node: Occurrences, key: str) -> bool:
        table = self.tables[node.table]
        matching = [
            row
            for row in self.rows[node.table]
            if row[table.customer_column] == key
            and all(self._holds(condition, table, row) for condition in node.where)
            and self._within(node, row[table.time_column] if table.time_column else None)
        ]
        if not matching:
            return False
        if node.operator is None:
            return True
        column = node.column or table.amount_column or ""
        return compare(measured(node.measure, matching, column), node.operator, node.value)

    def _within(self, node: Occurrences, moment: datetime | None) -> bool:
        if node.within is None:
            return True
        if moment is None:
            return False
        if isinstance(node.within, LastDays):
            return self._in_last_days(moment, node.within.last_days)
        start, end = node.within.from_, node.within.until
        return (start is None or self._instant(start) <= aware(moment)) and (
            end is None or aware(moment) < self._instant(end)
        )

    def _holds(self, node: Attribute, table: CustomerTable, row: Row) -> bool:
        column = table.column(node.column)
        assert column is not None
        value = row[node.column]
        if column.type is ColumnType.TIME:
            return self._time(value, node.operator, node.value)
        if column.type is ColumnType.MULTI_VALUE:
            return multi_value(set(value or ()), node.operator, node.value)
        return compare(value, node.operator, node.value)

    def _time(self, moment: datetime | None, operator: Operator, value: Any) -> bool:
        match operator:
            case Operator.EMPTY:
                return moment is None
            case Operator.NOT_IN_LAST_DAYS:
                return moment is None or not self._in_last_days(moment, value)
            case _:
                return moment is not None and self._present_time(moment, operator, value)

    def _present_time(self, moment: datetime, operator: Operator, value: Any) -> bool:
        match operator:
            case Operator.NOT_EMPTY:
                return True
            case Operator.IN_LAST_DAYS:
                return self._in_last_days(moment, value)
            case Operator.BEFORE:
                return aware(moment) < self._instant(value)
            case Operator.ON_OR_AFTER:
                return aware(moment) >= self._instant(value)
            case _:
                low, high = value
                return self._instant(low) <= aware(moment) < self._instant(high)

    def _in_last_days(self, moment: datetime, days: int) -> bool:
        day = aware(moment).astimezone(self.zone).date()
        today = self.now.astimezone(self.zone).date()
        return today - timedelta(days=days) <= day <= today

    def _instant(self, text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)


def aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def multi_value(held: set[str], operator: Operator, values: Any) -> bool:
    match operator:
        case Operator.EMPTY:
            return not held
        case Operator.NOT_EMPTY:
            return bool(held)
        case Operator.ANY_OF:
            return bool(held & set(values))
        case Operator.NONE_OF:
            return not held & set(values)
        case _:
            return set(values) <= held


def measured(measure: Measure, rows: Sequence[Row], column: str) -> float | None:
    if measure is Measure.COUNT:
        return len(rows)
    values = [row[column] for row in rows if row[column] is not None]
    if measure is Measure.DISTINCT:
        return len(set(values))
    if not values:
        return None
    functions = {
        Measure.SUM: sum,
        Measure.AVERAGE: fmean,
        Measure.MINIMUM: min,
        Measure.MAXIMUM: max,
    }
    return functions[measure](values)


def compare(given: Any, operator: Operator, value: Any) -> bool:
    match operator:
        case Operator.EMPTY:
            return given is None
        case Operator.IS_NOT:
            return given != value
        case Operator.NOT_IN:
            return given not in value
        case Operator.NOT_CONTAINS:
            return given is None or value not in given
        case _:
            return given is not None and _compare_present(given, operator, value)


def _compare_present(given: Any, operator: Operator, value: Any) -> bool:
    outcomes = {
        Operator.NOT_EMPTY: lambda: True,
        Operator.IS: lambda: given == value,
        Operator.IN: lambda: given in value,
        Operator.CONTAINS: lambda: value in given,
        Operator.STARTS_WITH: lambda: given.startswith(value),
        Operator.ENDS_WITH: lambda: given.endswith(value),
        Operator.LESS_THAN: lambda: given < value,
        Operator.AT_MOST: lambda: given <= value,
        Operator.MORE_THAN: lambda: given > value,
        Operator.AT_LEAST: lambda: given >= value,
        Operator.BETWEEN: lambda: value[0] <= given <= value[1],
    }
    return outcomes[operator]()
