"""Rules that do not fit the tables are refused with the place and what would be right."""

from typing import Any

import pytest
from shop import KNOWN

from textwave.audiences.check import check_rule
from textwave.audiences.refusals import (
    ColumnMissing,
    ColumnUnknown,
    OperatorUnfit,
    TableUnknown,
    ValueUnfit,
)
from textwave.audiences.rule import read_rule
from textwave.kit.refusal import Refusal


def attribute(column: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"kind": "attribute", "column": column, "operator": operator, "value": value}


def orders(**fields: object) -> dict[str, Any]:
    return {"kind": "orders", "table": "orders", **fields}


def check(written: object, table: str = "customers") -> None:
    check_rule(read_rule(written), table=table, known=KNOWN)


@pytest.mark.parametrize(
    ("written", "refusal", "place", "said"),
    [
        (attribute("town", "is", "a"), ColumnUnknown, "$.column", "city"),
        (attribute("city", "less_than", 1), OperatorUnfit, "$.operator", "starts_with"),
        (attribute("level", "contains", "a"), OperatorUnfit, "$.operator", "at_least"),
        (attribute("tags", "is", "a"), OperatorUnfit, "$.operator", "any_of"),
        (attribute("joined", "is", "2026-01-01"), OperatorUnfit, "$.operator", "before"),
        (attribute("city", "is", 3), ValueUnfit, "$.value", "the number 3"),
        (attribute("city", "is"), ValueUnfit, "$.value", "no value was given"),
        (attribute("city", "is", ["a"]), ValueUnfit, "$.value", "a text"),
        (attribute("city", "in", "a"), ValueUnfit, "$.value", "a list of one to 2,000"),
        (attribute("city", "in", []), ValueUnfit, "$.value", "a list of one to 2,000"),
        (attribute("city", "in", ["a"] * 2_001), ValueUnfit, "$.value", "a list of 2001"),
        (attribute("city", "in", ["a", 1]), ValueUnfit, "$.value[1]", "a text"),
        (attribute("city", "empty", "a"), ValueUnfit, "$.value", "no value"),
        (attribute("level", "between", [2, 1]), ValueUnfit, "$.value", "lower one first"),
        (attribute("level", "between", [1]), ValueUnfit, "$.value", "two values"),
        (attribute("level", "is", "3"), ValueUnfit, "$.value", "a number"),
        (attribute("joined", "before", "tomorrow"), ValueUnfit, "$.value", "2026-01-31"),
        (attribute("joined", "before", "2026-02-30"), ValueUnfit, "$.value", "2026-01-31"),
        (attribute("joined", "before", "0001-01-01"), ValueUnfit, "$.value", "1900"),
        (attribute("joined", "in_last_days", 0), ValueUnfit, "$.value", "days from 1"),
        (attribute("joined", "in_last_days", 2.5), ValueUnfit, "$.value", "days from 1"),
        (orders(table="visits"), TableUnknown, "$.table", "There are: orders"),
        (orders(where=[attribute("city", "empty")]), ColumnUnknown, "$.where[0].column", "channel"),
        (orders(within={}), ValueUnfit, "$.within", "at least one"),
        (orders(within={"from": "x"}), ValueUnfit, "$.within.from", "2026-01-31"),
        (orders(measure="sum"), OperatorUnfit, "$.operator", "at_least"),
        (orders(operator="contains", value=1), OperatorUnfit, "$.operator", "at_least"),
        (orders(value=1), OperatorUnfit, "$.operator", "at_least"),
        (orders(operator="at_least"), ValueUnfit, "$.value", "a number"),
        (orders(column="amount"), ValueUnfit, "$.column", "counts rows"),
        (
            orders(measure="sum", column="channel", operator="at_least", value=1),
            ColumnUnknown,
            "$.column",
            "number column",
        ),
        (
            {"kind": "behaviours", "table": "visits", "within": {"last_days": 3}},
            ColumnMissing,
            "$.within",
            "time column",
        ),
        (
            {
                "kind": "behaviours",
                "table": "visits",
                "measure": "sum",
                "operator": "at_least",
                "value": 1,
            },
            ColumnMissing,
            "$.column",
            "number column",
        ),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(
    written: dict[str, Any], refusal: type[Refusal], place: str, said: str
) -> None:
    with pytest.raises(refusal) as caught:
        check(written)
    assert caught.value.fields["place"] == place
    assert said in caught.value.sentence


def test_the_place_leads_through_the_tree() -> None:
    inner = {"kind": "not", "of": {"kind": "any", "of": [attribute("city", "is", 3)]}}
    with pytest.raises(ValueUnfit) as caught:
        check({"kind": "all", "of": [attribute("city", "empty"), inner]})
    assert caught.value.place == "$.of[1].of.of[0].value"


def test_an_audience_is_of_a_table_of_customers() -> None:
    with pytest.raises(TableUnknown, match="There are: customers"):
        check({"kind": "all", "of": []}, table="orders")
