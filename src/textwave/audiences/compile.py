"""A checked rule as one Ibis expression that selects customers; never SQL text.

Every condition is true or not true: where a value is missing, a condition is not true and its
negation is. SQL's third value counts as “not true” below `and` and `or`, so only a negation has to
settle it, and plain comparisons stay plain enough for the engine to skip whole row groups.
"""

from dataclasses import dataclass
from typing import cast

import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.conditions import (
    COMPLEMENTS,
    attribute_holds,
    attribute_holds_positively,
    joined,
    negation,
)
from textwave.audiences.identity import People, row_id
from textwave.audiences.membership import is_member
from textwave.audiences.occurrences import not_later, who_did
from textwave.audiences.people import people as people_of
from textwave.audiences.rule import (
    All,
    AnyOf,
    Attribute,
    Behaviours,
    Joined,
    Metrics,
    Minus,
    Not,
    Occurrences,
    Orders,
    Rule,
)
from textwave.audiences.tables import Source, Surroundings

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the whole tree is compiled against."""

    known: Surroundings
    source: Source
    calendar: Calendar
    people: People


def select_rows(
    rule: Rule, *, table: str, known: Surroundings, source: Source, calendar: Calendar
) -> ir.Table:
    """Return the rows of the customer table that a checked rule selects, with all columns."""
    root = known.tables[table]
    scope = _Scope(known, source, calendar, People(root, people_of(root, source)))
    return scope.people.rows.filter(_condition(rule, scope))


def select_customers(
    rule: Rule, *, table: str, known: Surroundings, source: Source, calendar: Calendar
) -> ir.Table:
    """Return the customers that a checked rule selects: one column `customer`, each once."""
    rows = select_rows(rule, table=table, known=known, source=source, calendar=calendar)
    return rows.select(**{CUSTOMER: rows[known.tables[table].customer_column]})


def _condition(rule: Rule, scope: _Scope) -> ir.BooleanValue:
    match rule:
        case All() | AnyOf() | Minus():
            return _combined(rule, scope)
        case Not():
            return negation(_condition(rule.of, scope))
        case Attribute():
            return _attribute(rule, scope)
        case Orders() | Behaviours() | Metrics():
            return _occurred(rule, scope)
        case _:
            return is_member(
                rule,
                people=scope.people,
                known=scope.known,
                source=scope.source,
                calendar=scope.calendar,
            )


def _combined(rule: Joined, scope: _Scope) -> ir.BooleanValue:
    if isinstance(rule, Minus):
        first, *others = rule.of
        return _condition(first, scope) & negation(_condition(AnyOf(of=tuple(others)), scope))
    conditions = [_condition(inner, scope) for inner in rule.of]
    return joined(conditions, every=isinstance(rule, All))


def _attribute(node: Attribute, scope: _Scope) -> ir.BooleanValue:
    root = scope.people.table
    if node.table is None:
        return attribute_holds(node, scope.people.rows, root, scope.calendar)
    table, rows = scope.known.tables[node.table], scope.source(node.table)
    holds = attribute_holds_positively(node, rows, table, scope.calendar)
    known = rows.filter(row_id(table, rows).notnull(), holds)
    condition = scope.people.have(row_id(table, known), table.customer_id_type)
    return negation(condition) if node.operator in COMPLEMENTS else condition


def _occurred(node: Occurrences, scope: _Scope) -> ir.BooleanValue:
    table = scope.known.tables[node.table]
    ids, id_type = who_did(
        node,
        table=table,
        rows=not_later(scope.source(node.table), table.time_column, scope.calendar),
        people=scope.people,
        calendar=scope.calendar,
    )
    did = cast("ir.BooleanValue", scope.people.id(id_type).isin(ids))
    return did if node.did else negation(did)
