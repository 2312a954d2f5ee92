"""What customers did, and metrics of them: the customers whose rows compare as a rule says.

One pass over the table: filter, then group only where more than one row has to be seen.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.conditions import attribute_holds, compared, within_bounds
from textwave.audiences.identity import ID, People, row_id
from textwave.audiences.operators import measured_column
from textwave.audiences.rule import LastDays, Measure, Metrics, Occurrences, Operator
from textwave.audiences.tables import CustomerTable
from textwave.customers.columns import ColumnType

_MEASURED: Final = "textwave_measured"
_NEXT: Final = "textwave_next"


def who_did(
    node: Occurrences,
    *,
    table: CustomerTable,
    rows: ir.Table,
    people: People,
    calendar: Calendar,
) -> tuple[ir.Column, str]:
    """Return the ids, and their type, of those whose matching rows compare as said."""
    conditions = [attribute_holds(inner, rows, table, calendar) for inner in node.where]
    conditions += _within(node, rows, table, calendar)
    matching = rows.filter(row_id(table, rows).notnull(), *conditions)
    matching = matching.mutate(**{ID: row_id(table, matching)})
    owned, id_type = people.owned(matching, table.customer_id_type)
    if not isinstance(node, Metrics) and node.again_within_days is not None:
        owned = _followed(owned, cast("str", table.time_column), node.again_within_days)
    if node.operator is None or _is_at_least_one(node):
        return owned[ID], id_type
    measured = owned.group_by(ID).aggregate(**{_MEASURED: _measure(node, owned, table)})
    kind = _type_of(node.measure)
    holds = compared(measured[_MEASURED], kind, node.operator, node.value, calendar)
    return measured.filter(holds)[ID], id_type


def not_later(rows: ir.Table, time_column: str | None, calendar: Calendar) -> ir.Table:
    """Leave out what happened after the calendar's end, if it has one."""
    if time_column is None or calendar.end is None:
        return rows
    time: Any = rows[time_column]
    return rows.filter(time.isnull() | (time < calendar.end))


def _within(
    node: Occurrences, rows: ir.Table, table: CustomerTable, calendar: Calendar
) -> list[ir.BooleanValue]:
    if node.within is None or table.time_column is None:
        return []
    time: Any = rows[table.time_column]
    if isinstance(node.within, LastDays):
        return [within_bounds(time, calendar.last_days(node.within.last_days))]
    conditions: list[ir.BooleanValue] = []
    if node.within.from_ is not None:
        conditions.append(time >= calendar.moment(node.within.from_))
    if node.within.until is not None:
        conditions.append(time < calendar.moment(node.within.until))
    return conditions


def _followed(rows: ir.Table, time_column: str, days: int) -> ir.Table:
    """Keep the rows that are followed by another of the same customer soon enough."""
    timed = rows.filter(rows[time_column].notnull())
    time: Any = timed[time_column]
    in_order = ibis.window(group_by=ID, order_by=time_column)
    following = timed.mutate(**{_NEXT: time.lead().over(in_order)})
    latest: Any = following[time_column]
    return following.filter(following[_NEXT] <= latest + ibis.interval(days=days))


def _is_at_least_one(node: Occurrences) -> bool:
    return node.measure is Measure.COUNT and node.operator is Operator.AT_LEAST and node.value == 1


def _type_of(measure: Measure) -> ColumnType:
    is_time = measure in {Measure.FIRST, Measure.LAST}
    return ColumnType.TIME if is_time else ColumnType.NUMBER


def _measure(node: Occurrences, rows: ir.Table, table: CustomerTable) -> Any:
    if node.measure is Measure.COUNT:
        return rows.count()
    column: Any = rows[cast("str", measured_column(node, table))]
    return getattr(column, _AGGREGATES[node.measure])()


_AGGREGATES: Final[Mapping[Measure, str]] = {
    Measure.SUM: "sum",
    Measure.AVERAGE: "mean",
    Measure.MINIMUM: "min",
    Measure.MAXIMUM: "max",
    Measure.DISTINCT: "nunique",
    Measure.FIRST: "min",
    Measure.LAST: "max",
}
