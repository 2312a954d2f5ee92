"""Whether a rule fits what the workspace has: tables, columns, operators, values, references.

A refusal names the place, what was given and what would be right. A rule that passes compiles.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from textwave.audiences.calendar import read_day
from textwave.audiences.identity import MOBILE, id_types
from textwave.audiences.operators import (
    OPERATORS,
    check_scalar,
    check_value,
    comparisons_of,
    measured_column,
)
from textwave.audiences.references import walk
from textwave.audiences.refusals import (
    ColumnMissing,
    ColumnUnknown,
    DayNotLabelled,
    IdTypeMissing,
    NotComputed,
    OperatorUnfit,
    ReferenceUnknown,
    TableUnknown,
    ValueUnfit,
)
from textwave.audiences.rule import (
    Aipl,
    AiplFlow,
    Attribute,
    Behaviours,
    InAudience,
    InCampaign,
    InList,
    Measure,
    Metrics,
    Occurrences,
    Orders,
    Outcome,
    Rfm,
    Rule,
    Span,
)
from textwave.audiences.tables import AiplModel, Column, CustomerTable, Surroundings
from textwave.customers.columns import ColumnType, TableKind

Known = TypeVar("Known")

_HAVING_REASONS: Final = (Outcome.FAILED, Outcome.DROPPED)
_ONE_ROW_A_CUSTOMER: Final = (TableKind.CUSTOMERS, TableKind.ORDER_SUMMARY)


def check_rule(rule: Rule, *, table: str, known: Surroundings) -> None:
    """Refuse a rule that does not fit the customer table `table` and all else that is known.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit, ReferenceUnknown,
        NotComputed, DayNotLabelled, IdTypeMissing: as named.
    """
    root = _table_of_kind(table, "$table", (TableKind.CUSTOMERS,), known)
    for node, place in walk(rule):
        match node:
            case Attribute():
                _check_attribute(node, place, _holding(node, place, root, known))
            case Orders() | Behaviours() | Metrics():
                _check_occurrences(node, place, root, known)
            case InAudience():
                snapshot = _named(known.audiences, node.audience, "audience", f"{place}.audience")
                _computed(snapshot, "audience", node.audience, f"{place}.audience")
            case Rfm():
                _check_rfm(node, place, known)
                subject = f"the model “{node.model}”"
                id_type = known.rfm_models[node.model].id_type
                _check_id_type(id_type, f"{place}.model", subject, root)
            case Aipl():
                _check_aipl(node, place, known)
            case AiplFlow():
                _check_flow(node, place, known)
            case InCampaign():
                _check_campaign(node, place, known)
            case InList():
                uploaded = _named(known.lists, node.list, "list", f"{place}.list")
                subject = f"the list “{node.list}”"
                _check_id_type(uploaded.id_type, f"{place}.list", subject, root)
            case _:
                pass


def _table_of_kind(
    name: str, place: str, kinds: tuple[TableKind, ...], known: Surroundings
) -> CustomerTable:
    table = known.tables.get(name)
    if table is None or table.kind not in kinds:
        fitting = sorted(other.name for other in known.tables.values() if other.kind in kinds)
        raise TableUnknown(place, name, " or ".join(kinds), tuple(fitting))
    return table


def _holding(
    attribute: Attribute, place: str, root: CustomerTable, known: Surroundings
) -> CustomerTable:
    """Return the table that has the attribute's column."""
    if attribute.table is None:
        return root
    table = _table_of_kind(attribute.table, f"{place}.table", _ONE_ROW_A_CUSTOMER, known)
    _check_id_type(table.customer_id_type, f"{place}.table", f"“{table.name}”", root)
    return table


def _check_id_type(id_type: str, place: str, subject: str, root: CustomerTable) -> None:
    if id_type not in id_types(root):
        encrypted = root.numbers_encrypted and id_type == MOBILE
        raise IdTypeMissing(place, subject, id_type, root.name, id_types(root), encrypted)


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
    check_value(attribute.value, f"{place}.value", operand, column.type)


def _check_occurrences(
    node: Occurrences, place: str, root: CustomerTable, known: Surroundings
) -> None:
    table = _table_of_kind(node.table, f"{place}.table", (TableKind(node.kind),), known)
    _check_id_type(table.customer_id_type, f"{place}.table", f"“{table.name}”", root)
    for i, condition in enumerate(node.where):
        if condition.table is not None:
            given = f"the table “{condition.table}”"
            needed = f"none, because conditions here are about rows of “{table.name}”"
            raise ValueUnfit(f"{place}.where[{i}].table", given, needed)
        _check_attribute(condition, f"{place}.where[{i}]", table)
    if node.within is not None:
        _check_timed(table, f"{place}.within")
    if isinstance(node.within, Span):
        _check_span(node.within, f"{place}.within")
    _check_measure(node, place, table)
    _check_again(node, place, table)
    if node.measure is not Measure.COUNT or node.operator is not None or node.value is not None:
        _check_comparison(node, place)


def _check_timed(table: CustomerTable, place: str) -> None:
    if table.time_column is None:
        times = _names(table.columns, ColumnType.TIME)
        raise ColumnMissing(place, table.name, "time column", times)


def _check_span(span: Span, place: str) -> None:
    if span.from_ is None and span.until is None:
        raise ValueUnfit(place, "neither from nor until", "at least one of them")
    for bound, where in ((span.from_, "from"), (span.until, "until")):
        if bound is not None:
            check_scalar(bound, f"{place}.{where}", ColumnType.TIME)


def _check_again(node: Occurrences, place: str, table: CustomerTable) -> None:
    if isinstance(node, Metrics) or node.again_within_days is None:
        return
    _check_timed(table, f"{place}.again_within_days")
    if node.measure is not Measure.COUNT:
        needed = "count, because rows that are followed by another are counted"
        raise ValueUnfit(f"{place}.measure", f"the measure {node.measure}", needed)


MEASURABLE: Final[Mapping[Measure, tuple[str, tuple[ColumnType, ...]]]] = {
    Measure.SUM: ("number column", (ColumnType.NUMBER,)),
    Measure.AVERAGE: ("number column", (ColumnType.NUMBER,)),
    Measure.MINIMUM: ("number column", (ColumnType.NUMBER,)),
    Measure.MAXIMUM: ("number column", (ColumnType.NUMBER,)),
    Measure.DISTINCT: (
        "text, number or time column",
        (ColumnType.TEXT, ColumnType.NUMBER, ColumnType.TIME),
    ),
    Measure.FIRST: ("time column", (ColumnType.TIME,)),
    Measure.LAST: ("time column", (ColumnType.TIME,)),
}
"""What each measure but the count is over: in words, and as types of columns."""


def _check_measure(node: Occurrences, place: str, table: CustomerTable) -> None:
    if node.measure is Measure.COUNT:
        if node.column is not None:
            given = f"the column “{node.column}”"
            raise ValueUnfit(f"{place}.column", given, "none, because a count counts rows")
        return
    needed, types = MEASURABLE[node.measure]
    fitting = tuple(column.name for column in table.columns if column.type in types)
    name = measured_column(node, table)
    if name is None:
        raise ColumnMissing(f"{place}.column", table.name, needed, fitting)
    if name not in fitting:
        raise ColumnUnknown(f"{place}.column", table.name, name, needed, fitting)


def _check_comparison(node: Occurrences, place: str) -> None:
    operators = comparisons_of(node.measure)
    operand = None if node.operator is None else operators.get(node.operator)
    if operand is None:
        given = node.operator or "no operator"
        subject = f"a measure ({node.measure})"
        raise OperatorUnfit(f"{place}.operator", given, subject, tuple(operators))
    is_time = node.measure in {Measure.FIRST, Measure.LAST}
    kind = ColumnType.TIME if is_time else ColumnType.NUMBER
    check_value(node.value, f"{place}.value", operand, kind)


def _check_rfm(node: Rfm, place: str, known: Surroundings) -> None:
    model = _named(known.rfm_models, node.model, "RFM model", f"{place}.model")
    _computed(model.run_id, "RFM model", node.model, f"{place}.model")
    ranges = {
        "recency": node.recency,
        "frequency": node.frequency,
        "monetary": node.monetary,
    }
    if node.types is None and not any(ranges.values()):
        raise ValueUnfit(place, "neither types nor a range of scores", "at least one of them")
    for name, bounds in ranges.items():
        if bounds is not None and bounds[0] > bounds[1]:
            given = f"the range from {bounds[0]} to {bounds[1]}"
            raise ValueUnfit(f"{place}.{name}", given, "two scores, the lower one first")


def _check_aipl(node: Aipl, place: str, known: Surroundings) -> None:
    model = _labelled(node.model, place, known)
    if node.day is not None:
        _check_day(node.day, f"{place}.day", node.model, model)


def _check_flow(node: AiplFlow, place: str, known: Surroundings) -> None:
    model = _labelled(node.model, place, known)
    _check_day(node.from_, f"{place}.from", node.model, model)
    _check_day(node.until, f"{place}.until", node.model, model)
    if node.from_ >= node.until:
        raise ValueUnfit(f"{place}.until", f"{node.until}", f"a day after {node.from_}")


def _labelled(name: str, place: str, known: Surroundings) -> AiplModel:
    model = _named(known.aipl_models, name, "AIPL model", f"{place}.model")
    _computed(model.runs or None, "AIPL model", name, f"{place}.model")
    return model


def _check_day(text: str, place: str, name: str, model: AiplModel) -> None:
    day = read_day(text)
    if day is None:
        raise ValueUnfit(place, f"the text “{text[:60]}”", "a day such as 2026-01-31")
    if day not in model.runs:
        newest_first = tuple(day.isoformat() for day in sorted(model.runs, reverse=True))
        raise DayNotLabelled(place, name, text, newest_first)


def _check_campaign(node: InCampaign, place: str, known: Surroundings) -> None:
    _named(known.campaigns, node.campaign, "campaign", f"{place}.campaign")
    if node.reasons is not None and node.outcome not in _HAVING_REASONS:
        given = f"reasons for {node.outcome}"
        raise ValueUnfit(f"{place}.reasons", given, f"none, or {' or '.join(_HAVING_REASONS)}")


def _named(among: Mapping[str, Known], name: str, what: str, place: str) -> Known:
    if name not in among:
        raise ReferenceUnknown(place, what, name, tuple(sorted(among)))
    return among[name]


def _computed(computed: object | None, what: str, name: str, place: str) -> None:
    if computed is None:
        raise NotComputed(place, what, name)


def _names(columns: Iterable[Column], kind: ColumnType | None = None) -> tuple[str, ...]:
    return tuple(column.name for column in columns if kind is None or column.type == kind)
