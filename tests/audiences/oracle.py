"""The rules of audiences, one row at a time and in plain Python: what the compiled ones must equal.

Written for clarity and independence of the compiler: times are compared as local days and instants,
measures are taken over lists, ids are sets of texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from textwave.audiences.rule import (
    Aipl,
    AiplFlow,
    All,
    AnyOf,
    Attribute,
    Behaviours,
    InAudience,
    InCampaign,
    InList,
    LastDays,
    Measure,
    Metrics,
    Minus,
    Not,
    Occurrences,
    Operator,
    Orders,
    Outcome,
    Rfm,
    Rule,
)
from textwave.audiences.tables import CustomerTable, Surroundings
from textwave.customers.columns import ColumnType

CONCLUDED = {"no receipt", "in doubt", "not sent"}
Row = Mapping[str, Any]
STAGES = ("aware", "interested", "purchased", "loyal")


@dataclass
class Oracle:
    """Evaluate rules over tables held as lists of rows."""

    known: Surroundings
    rows: Mapping[str, Sequence[Row]]
    now: datetime
    zone: ZoneInfo
    until: datetime | None = None
    table: str = "customers"

    def chosen(self, rule: Rule) -> set[str]:
        key = self.known.tables[self.table].customer_column
        return {row[key] for row in self.rows[self.table] if self.selects(rule, row)}

    def selects(self, rule: Rule, customer: Row) -> bool:
        match rule:
            case All() | AnyOf() | Minus():
                first, *others = [self.selects(inner, customer) for inner in rule.of] or [True]
                return {
                    "all": first and all(others),
                    "any": first or any(others),
                    "minus": first and not any(others),
                }[rule.kind]
            case Not():
                return not self.selects(rule.of, customer)
            case Attribute():
                return self._has_attribute(rule, customer)
            case Orders() | Behaviours() | Metrics():
                return self._did(rule, customer) == rule.did
            case _:
                return self._is_member(rule, customer)

    def _has_attribute(self, rule: Attribute, customer: Row) -> bool:
        if rule.table is None:
            return self._holds(rule, self.known.tables[self.table], customer)
        table = self.known.tables[rule.table]
        rows = list(self._own_rows(table, customer))
        positive = POSITIVE.get(rule.operator)
        if positive is None:
            return any(self._holds(rule, table, row) for row in rows)
        twin = rule.model_copy(update={"operator": positive})
        return not any(self._holds(twin, table, row) for row in rows)

    def _own_rows(self, table: CustomerTable, customer: Row) -> Iterator[Row]:
        ids = self._ids(table.customer_id_type, customer)
        for row in self.rows[table.name]:
            mobile = table.customer_id_type == "mobile"
            given = row["textwave_mobile" if mobile else table.customer_column]
            if given is not None and plain(given, table.customer_id_type) in ids:
                yield row

    def _ids(self, id_type: str, customer: Row) -> set[Any]:
        table = self.known.tables[self.table]
        if id_type == "customer":
            return {customer[table.customer_column]}
        if id_type == "mobile":
            several = customer.get("textwave_mobiles", [customer["textwave_mobile"]])
            return {number for number in several or [] if number is not None}
        column = next(column.column for column in table.ids if column.type == id_type)
        return set() if customer[column] is None else {plain(customer[column], id_type)}

    def _is_member(self, rule: Rule, customer: Row) -> bool:
        key = customer[self.known.tables[self.table].customer_column]
        match rule:
            case InAudience():
                snapshot = self.known.audiences[rule.audience]
                members = self.rows["audience_member"]
                return any(m["customer"] == key and m["snapshot_id"] == snapshot for m in members)
            case Rfm():
                return self._is_scored(rule, key)
            case Aipl():
                runs = self.known.aipl_models[rule.model].runs
                day = max(runs) if rule.day is None else date.fromisoformat(rule.day)
                return self._stage(runs[day], key) in set(rule.stages)
            case AiplFlow():
                runs = self.known.aipl_models[rule.model].runs
                was = self._stage(runs[date.fromisoformat(rule.from_)], key)
                became = self._stage(runs[date.fromisoformat(rule.until)], key)
                return was in set(rule.was) and became in set(rule.became)
            case InList():
                uploaded = self.known.lists[rule.list]
                ids = {str(one) for one in self._ids(uploaded.id_type, customer)}
                rows = self.rows["list_id"]
                return any(r["list_id"] == uploaded.id and r["value"] in ids for r in rows)
            case InCampaign():
                return self._was_reached(rule, key)
            case _:
                raise AssertionError(rule)

    def _is_scored(self, rule: Rfm, key: str) -> bool:
        run = self.known.rfm_models[rule.model].run_id
        for row in self.rows["rfm_score"]:
            if row["customer"] == key and row["run_id"] == run:
                ranges = ((rule.recency, "r"), (rule.frequency, "f"), (rule.monetary, "m"))
                fits = all(b is None or b[0] <= row[name] <= b[1] for b, name in ranges)
                return fits and (rule.types is None or row["type"] in rule.types)
        return False

    def _stage(self, run: int, key: str) -> str:
        for row in self.rows["aipl_label"]:
            if row["customer"] == key and row["run_id"] == run:
                return STAGES[row["stage"] - 1]
        return "none"

    def _was_reached(self, rule: InCampaign, key: str) -> bool:
        events = [
            (row["type"], row["result"])
            for row in self.rows["message_event"]
            if row["customer"] == key
            and row["campaign_id"] == self.known.campaigns[rule.campaign]
            and self._counts(row["happened_at"])
        ]
        had = {kind for kind, _ in events}
        of_this = [result for kind, result in events if kind == rule.outcome]
        because = [r for r in of_this if rule.reasons is None or r in rule.reasons]
        match rule.outcome:
            case Outcome.WAITING:
                return "sent" in had and not had & {"delivered", "failed"}
            case Outcome.FAILED:
                if set(of_this) - {*CONCLUDED, None}:  # a late receipt told the cause
                    because = [result for result in because if result not in CONCLUDED]
                return bool(because) and "delivered" not in had
            case Outcome.CLICKED:
                return "human" in of_this
            case _:
                return bool(because)

    def _did(self, node: Occurrences, customer: Row) -> bool:
        table = self.known.tables[node.table]
        matching = [
            row
            for row in self._own_rows(table, customer)
            if all(self._holds(condition, table, row) for condition in node.where)
            and self._within(node, row[table.time_column] if table.time_column else None)
        ]
        if not isinstance(node, Metrics) and node.again_within_days is not None:
            matching = followed(matching, table.time_column or "", node.again_within_days)
        if not matching:
            return False
        if node.operator is None:
            return True
        if node.measure in {Measure.FIRST, Measure.LAST}:
            times = [row[node.column or table.time_column or ""] for row in matching]
            present = [time for time in times if time is not None]
            chosen = min if node.measure is Measure.FIRST else max
            return self._time(chosen(present, default=None), node.operator, node.value)
        column = node.column or table.amount_column or ""
        return compare(measured(node.measure, matching, column), node.operator, node.value)

    def _counts(self, moment: datetime | None) -> bool:
        return moment is None or self.until is None or aware(moment) < self.until

    def _within(self, node: Occurrences, moment: datetime | None) -> bool:
        if not self._counts(moment):
            return False
        if node.within is None:
            return True
        if moment is None:
            return False
        if isinstance(node.within, LastDays):
            return self._in_days(moment, -node.within.last_days, 0)
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
            case Operator.NOT_IN_LAST_DAYS | Operator.NOT_BETWEEN:
                return not self._time(moment, POSITIVE[operator], value)
            case _:
                return moment is not None and self._present_time(moment, operator, value)

    def _present_time(self, moment: datetime, operator: Operator, value: Any) -> bool:
        day, today = self._day(moment), self._day(self.now)
        outcomes = {
            Operator.NOT_EMPTY: lambda: True,
            Operator.IN_LAST_DAYS: lambda: self._in_days(moment, -value, 0),
            Operator.IN_NEXT_DAYS: lambda: self._in_days(moment, 0, value),
            Operator.IN_CURRENT: lambda: period_of(day, value) == period_of(today, value),
            Operator.IN_PREVIOUS: lambda: follows(day, today, value),
            Operator.ANNIVERSARY_IN_NEXT_DAYS: lambda: any(
                is_anniversary(day, today + timedelta(days=ahead)) for ahead in range(value + 1)
            ),
            Operator.BEFORE: lambda: aware(moment) < self._instant(value),
            Operator.ON_OR_AFTER: lambda: aware(moment) >= self._instant(value),
            Operator.BETWEEN: lambda: (
                self._instant(value[0]) <= aware(moment) < self._instant(value[1])
            ),
        }
        return outcomes[operator]()

    def _day(self, moment: datetime) -> date:
        return aware(moment).astimezone(self.zone).date()

    def _in_days(self, moment: datetime, first: int, last: int) -> bool:
        return first <= (self._day(moment) - self._day(self.now)).days <= last

    def _instant(self, text: str) -> datetime:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)


POSITIVE = {
    Operator.IS_NOT: Operator.IS,
    Operator.EMPTY: Operator.NOT_EMPTY,
    Operator.NONE_OF: Operator.ANY_OF,
    **{
        operator: Operator(operator.removeprefix("not_"))
        for operator in Operator
        if operator.startswith("not_") and operator is not Operator.NOT_EMPTY
    },
}


def plain(given: Any, id_type: str) -> Any:
    if id_type in {"customer", "mobile"}:
        return given
    return given.strip().lower() if id_type == "email" else given.strip()


def aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def period_of(day: date, period: str) -> tuple[int, ...]:
    numbers = {
        "day": (day.toordinal(),),
        "week": (day.toordinal() - day.weekday(),),
        "month": (day.year * 12 + day.month,),
        "year": (day.year,),
    }
    return numbers[period]


def follows(day: date, today: date, period: str) -> bool:
    """Whether `today` is in the period after that of `day`."""
    step = 7 if period == "week" else 1
    return period_of(day, period)[0] + step == period_of(today, period)[0]


def is_anniversary(birthday: date, day: date) -> bool:
    if day < birthday:
        return False
    try:
        celebrated = birthday.replace(year=day.year)
    except ValueError:
        celebrated = date(day.year, 2, 28)
    return celebrated == day


def followed(rows: Sequence[Row], column: str, days: int) -> list[Row]:
    in_order = sorted((r for r in rows if r[column] is not None), key=lambda row: row[column])
    soon = timedelta(days=days)
    return [row for row, after in pairwise(in_order) if after[column] - row[column] <= soon]


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
    if operator in POSITIVE:
        return not compare(given, POSITIVE[operator], value)
    return given is not None and _compare_present(given, operator, value)


def _compare_present(given: Any, operator: Operator, value: Any) -> bool:
    pieces = (value,) if isinstance(value, str) else value
    outcomes = {
        Operator.NOT_EMPTY: lambda: True,
        Operator.IS: lambda: given == value,
        Operator.IN: lambda: given in value,
        Operator.CONTAINS: lambda: any(piece in given for piece in pieces),
        Operator.STARTS_WITH: lambda: given.startswith(tuple(pieces)),
        Operator.ENDS_WITH: lambda: given.endswith(tuple(pieces)),
        Operator.LESS_THAN: lambda: given < value,
        Operator.AT_MOST: lambda: given <= value,
        Operator.MORE_THAN: lambda: given > value,
        Operator.AT_LEAST: lambda: given >= value,
        Operator.BETWEEN: lambda: value[0] <= given <= value[1],
    }
    return outcomes[operator]()
