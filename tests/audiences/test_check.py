"""Rules that do not fit the tables are refused with the place and what would be right."""

from typing import Any

import pytest
from shop import KNOWN

from textwave.audiences.check import check_rule
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
from textwave.audiences.rule import read_rule
from textwave.kit.refusal import Refusal


def attribute(column: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"kind": "attribute", "column": column, "operator": operator, "value": value}


def orders(**fields: object) -> dict[str, Any]:
    return {"kind": "orders", "table": "orders", **fields}


def visits(**fields: object) -> dict[str, Any]:
    return {"kind": "behaviours", "table": "visits", **fields}


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
        (attribute("city", "contains", ["a"] * 201), ValueUnfit, "$.value", "one to 200 texts"),
        (attribute("city", "not_starts_with", [1]), ValueUnfit, "$.value[0]", "a text"),
        (attribute("city", "is", 1) | {"table": "orders"}, TableUnknown, "$.table", "profiles"),
        (attribute("city", "is", "a") | {"table": "profiles"}, ColumnUnknown, "$.column", "hobby"),
        (attribute("level", "not_between", [2, 1]), ValueUnfit, "$.value", "lower one first"),
        (attribute("joined", "in_next_days", 0), ValueUnfit, "$.value", "days from 1"),
        (attribute("joined", "in_current", "hour"), ValueUnfit, "$.value", "day, week, month"),
        (attribute("joined", "in_previous", 1), ValueUnfit, "$.value", "day, week, month"),
        (attribute("joined", "anniversary_in_next_days", 366), ValueUnfit, "$.value", "0 (today)"),
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
            orders(where=[attribute("channel", "empty") | {"table": "profiles"}]),
            ValueUnfit,
            "$.where[0].table",
            "rows of “orders”",
        ),
        (
            orders(again_within_days=3, measure="sum", operator="is", value=1),
            ValueUnfit,
            "$.measure",
            "count",
        ),
        (orders(measure="last", operator="is", value=1), OperatorUnfit, "$.operator", "in_last"),
        (orders(measure="last", operator="before", value=1), ValueUnfit, "$.value", "2026-01-31"),
        (
            orders(measure="first", column="amount", operator="before", value="2026-01-01"),
            ColumnUnknown,
            "$.column",
            "paid_at",
        ),
        (visits(again_within_days=3), ColumnMissing, "$.again_within_days", "time column"),
        (
            visits(measure="first", operator="before", value="2026-01-01"),
            ColumnMissing,
            "$.column",
            "time column",
        ),
        (
            orders(measure="sum", column="channel", operator="at_least", value=1),
            ColumnUnknown,
            "$.column",
            "number column",
        ),
        (visits(within={"last_days": 3}), ColumnMissing, "$.within", "time column"),
        (
            visits(measure="sum", operator="at_least", value=1),
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


def rfm(model: str = "value", **fields: object) -> dict[str, Any]:
    return {"kind": "rfm", "model": model, **fields}


def aipl(model: str = "path", **fields: object) -> dict[str, Any]:
    return {"kind": "aipl", "model": model, "stages": ["loyal"], **fields}


def flow(start: str, end: str, model: str = "path") -> dict[str, Any]:
    stages = {"was": ["aware"], "became": ["none"]}
    return {"kind": "aipl_flow", "model": model, "from": start, "until": end, **stages}


@pytest.mark.parametrize(
    ("written", "refusal", "place", "said"),
    [
        ({"kind": "audience", "audience": "x"}, ReferenceUnknown, "$.audience", "new, regulars"),
        ({"kind": "audience", "audience": "new"}, NotComputed, "$.audience", "Refresh it first"),
        ({"kind": "list", "list": "x"}, ReferenceUnknown, "$.list", "addresses, keys, numbers"),
        (
            {"kind": "campaign", "campaign": "Fall", "outcome": "sent"},
            ReferenceUnknown,
            "$.campaign",
            "There are: Spring",
        ),
        (
            {"kind": "campaign", "campaign": "Spring", "outcome": "sent", "reasons": ["x"]},
            ValueUnfit,
            "$.reasons",
            "failed or dropped",
        ),
        (rfm("path", types=["HHH"]), ReferenceUnknown, "$.model", "new, value"),
        (rfm("new", types=["HHH"]), NotComputed, "$.model", "RFM model “new”"),
        (rfm(), ValueUnfit, "$", "at least one"),
        (rfm(frequency=[5, 1]), ValueUnfit, "$.frequency", "the range from 5 to 1"),
        (aipl("value"), ReferenceUnknown, "$.model", "new, path"),
        (aipl("new"), NotComputed, "$.model", "AIPL model “new”"),
        (aipl(day="1 March"), ValueUnfit, "$.day", "a day such as"),
        (aipl(day="2026-03-01T00:00"), ValueUnfit, "$.day", "a day such as"),
        (aipl(day="2026-03-02"), DayNotLabelled, "$.day", "There are: 2026-03-08, 2026-03-01"),
        (flow("2026-03-02", "2026-03-08"), DayNotLabelled, "$.from", "2026-03-02"),
        (flow("2026-03-08", "2026-03-01"), ValueUnfit, "$.until", "a day after 2026-03-08"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(
    written: dict[str, Any], refusal: type[Refusal], place: str, said: str
) -> None:
    with pytest.raises(refusal) as caught:
        check(written)
    assert caught.value.fields["place"] == place
    assert said in caught.value.sentence


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"kind": "behaviours", "table": "calls"}, "$.table"),
        ({"kind": "metrics", "table": "points", "operator": "is", "value": 1}, "$.table"),
        ({"kind": "list", "list": "numbers"}, "$.list"),
    ],
)
def test_ids_of_a_type_that_the_customers_do_not_have_are_refused(
    written: dict[str, Any], place: str
) -> None:
    with pytest.raises(IdTypeMissing, match="There are: customer, email") as caught:
        check(written, table="profiles")
    assert caught.value.place == place
