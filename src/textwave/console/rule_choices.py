"""What the rule builder may offer: tables, columns, operators, names, all as one JSON document.

It is taken from what the rules themselves are checked by, so that a choice of the page always fits.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from textwave.audiences import store
from textwave.audiences.check import MEASURABLE
from textwave.audiences.identity import id_types
from textwave.audiences.operators import (
    NUMBER_COMPARISONS,
    OPERATORS,
    TIME_COMPARISONS,
    Operand,
)
from textwave.audiences.rule import MAX_DAYS, MAX_SCORE, MAX_VALUES, Measure, Operator, Outcome
from textwave.audiences.tables import CustomerTable, Surroundings
from textwave.console.rule_words import words
from textwave.console.visit import Visit
from textwave.customers import store as customers
from textwave.kit.refusal import NotFound

_MOST_CAMPAIGNS = 500


async def read_choices(visit: Visit) -> dict[str, Any]:
    """Read what a rule may name, as the visitor sees it, with the builder's words."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        known = await store.surroundings(connection, visit.workspace_id, visit.viewer)
    return {**choices(known), **_LANGUAGE, "words": words(visit.language)}


def choices(known: Surroundings) -> dict[str, Any]:
    """Return what the rules of a workspace may name."""
    newest_campaigns = sorted(known.campaigns.items(), key=lambda item: -item[1])
    return {
        "tables": {name: _table(table) for name, table in known.tables.items()},
        "audiences": {name: snapshot is not None for name, snapshot in known.audiences.items()},
        "rfm": {name: model.run_id is not None for name, model in known.rfm_models.items()},
        "aipl": {
            name: sorted((day.isoformat() for day in model.runs), reverse=True)
            for name, model in known.aipl_models.items()
        },
        "lists": {name: uploaded.id_type for name, uploaded in known.lists.items()},
        "campaigns": [name for name, _ in newest_campaigns[:_MOST_CAMPAIGNS]],
    }


async def frequent_values(visit: Visit, table: str, column: str) -> list[Any]:
    """Return the most frequent values of a column with their counts, where they are known.

    Raises:
        NotFound: the table has no such column.
    """
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await customers.table(connection, visit.workspace_id, table)
    if all(known["name"] != column for known in found.columns):
        raise NotFound("column", column)
    statistics = (found.statistics or {}).get(column, {})
    return list(statistics.get("top", ()))


def _table(table: CustomerTable) -> dict[str, Any]:
    return {
        "kind": table.kind.value,
        "columns": [{"name": one.name, "type": one.type.value} for one in table.columns],
        "ids": [table.customer_column, table.mobile_column, *(one.column for one in table.ids)],
        "time": table.time_column,
        "amount": table.amount_column,
        "id_type": table.customer_id_type,
        "id_types": id_types(table),
    }


def _operators(of: Mapping[Operator, Operand]) -> dict[str, str]:
    return {operator.value: operand.name.lower() for operator, operand in of.items()}


def _values(of: Iterable[Any]) -> list[str]:
    return [one.value for one in of]


_LANGUAGE: dict[str, Any] = {
    "operators": {kind.value: _operators(of) for kind, of in OPERATORS.items()},
    "number_comparisons": _operators(NUMBER_COMPARISONS),
    "time_comparisons": _operators(TIME_COMPARISONS),
    "measures": {
        measure.value: _values(MEASURABLE[measure][1]) if measure in MEASURABLE else []
        for measure in Measure
    },
    "outcomes": _values(Outcome),
    "most": {"values": MAX_VALUES, "days": MAX_DAYS, "score": MAX_SCORE},
}
"""The language of rules: what does not differ from workspace to workspace."""
