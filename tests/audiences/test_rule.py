"""Reading and writing rules, and what is refused as no rule."""

import json
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.audiences.rule import (
    MAX_DEPTH,
    RuleMalformed,
    RuleTooLarge,
    read_rule,
    write_rule,
)

LEAF: dict[str, Any] = {
    "kind": "attribute",
    "column": "city",
    "operator": "in",
    "value": ["上海", "杭州"],
}
WHOLE: dict[str, Any] = {
    "kind": "any",
    "of": [
        {"kind": "not", "of": LEAF},
        {
            "kind": "orders",
            "table": "orders",
            "did": False,
            "where": [{"kind": "attribute", "column": "channel", "operator": "empty"}],
            "within": {"from": "2026-01-01", "until": "2026-02-01T12:00:00+08:00"},
            "measure": "sum",
            "column": "amount",
            "operator": "between",
            "value": [1, 2.5],
        },
        {
            "kind": "behaviours",
            "table": "visits",
            "did": True,
            "where": [],
            "within": {"last_days": 30},
            "measure": "count",
        },
        {"kind": "all", "of": []},
        {"kind": "minus", "of": [LEAF, {"kind": "audience", "audience": "regulars"}]},
        {
            "kind": "orders",
            "table": "orders",
            "did": True,
            "where": [],
            "measure": "count",
            "again_within_days": 30,
        },
        {
            "kind": "metrics",
            "table": "points",
            "did": True,
            "where": [],
            "measure": "sum",
            "operator": "more_than",
            "value": 5,
        },
        {"kind": "rfm", "model": "value", "types": ["HHH"], "recency": [3, 5]},
        {"kind": "aipl", "model": "path", "stages": ["loyal"], "day": "2026-11-22"},
        {
            "kind": "aipl_flow",
            "model": "path",
            "from": "2026-10-01",
            "until": "2026-11-01",
            "was": ["aware"],
            "became": ["loyal", "none"],
        },
        {"kind": "campaign", "campaign": "Spring", "outcome": "failed", "reasons": ["blocked"]},
        {"kind": "list", "list": "vip"},
    ],
}


def nested(levels: int) -> dict[str, Any]:
    return reduce(lambda rule, _: {"kind": "not", "of": rule}, range(levels - 1), LEAF)


def test_a_rule_is_written_as_it_was_read() -> None:
    assert write_rule(read_rule(WHOLE)) == WHOLE


def test_a_rule_survives_json_text() -> None:
    rule = read_rule(WHOLE)
    assert read_rule(json.loads(json.dumps(write_rule(rule)))) == rule


def test_a_rule_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_rule(LEAF).kind = "all"  # pyright: ignore[reportAttributeAccessIssue] - the point


@pytest.mark.parametrize(
    ("written", "place", "problem"),
    [
        ("all", "$", "an object with a “kind”"),
        ({"of": []}, "$", "an object with a “kind”"),
        ({"kind": "some", "of": []}, "$", "this kind is not known"),
        ({"kind": "any", "of": []}, "$.of", "at least 1"),
        ({"kind": "not"}, "$.of", "missing"),
        ({"kind": "all", "of": [LEAF, {**LEAF, "operator": "like"}]}, "$.of[1].operator", "'is'"),
        ({**LEAF, "note": 1}, "$.note", "no such field"),
        ({**LEAF, "value": True}, "$.value", "a text, a number, or a list"),
        ({**LEAF, "value": {"a": 1}}, "$.value", "a text, a number, or a list"),
        ({**LEAF, "value": "a\0b"}, "$.value", "U+0000"),
        ({**LEAF, "value": 1e16}, "$.value", "numbers lie between"),
        ({**LEAF, "value": float("nan")}, "$.value", "numbers lie between"),
        ({**LEAF, "value": "x" * 1_001}, "$.value", "1000 characters"),
        ({"kind": "minus", "of": [LEAF]}, "$.of", "at least 2"),
        ({"kind": "audience"}, "$.audience", "missing"),
        ({"kind": "not", "of": {"kind": "list", "list": 1}}, "$.of.list", "string"),
        ({"kind": "rfm", "model": "m", "types": ["HH"]}, "$.types[0]", "three letters H or L"),
        ({"kind": "rfm", "model": "m", "recency": [1]}, "$.recency[1]", "missing"),
        ({"kind": "aipl", "model": "m", "stages": ["none"]}, "$.stages[0]", "'loyal'"),
        ({"kind": "campaign", "campaign": "c", "outcome": "lost"}, "$.outcome", "'sent'"),
        ({"kind": "metrics", "table": "m", "again_within_days": 3}, "$.again_within_days", "field"),
        (
            {"kind": "orders", "table": "orders", "within": {"last_days": 0}},
            "$.within.last_days",
            "greater than or equal to 1",
        ),
        (
            {"kind": "orders", "table": "orders", "where": [nested(2)]},
            "$.where[0].kind",
            "'attribute'",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(
    written: object, place: str, problem: str
) -> None:
    with pytest.raises(RuleMalformed) as refusal:
        read_rule(written)
    assert refusal.value.place == place
    assert problem in refusal.value.sentence


def test_a_rule_may_be_as_deep_as_is_named_and_no_deeper() -> None:
    read_rule(nested(MAX_DEPTH))
    with pytest.raises(RuleTooLarge) as refusal:
        read_rule(nested(MAX_DEPTH + 1))
    assert refusal.value.place == "$" + ".of" * MAX_DEPTH


def test_a_rule_nested_without_end_is_refused_before_it_is_walked() -> None:
    with pytest.raises(RuleTooLarge):
        read_rule(nested(50_000))


def test_a_rule_of_more_than_500_nodes_is_refused() -> None:
    read_rule({"kind": "all", "of": [LEAF] * 499})
    with pytest.raises(RuleTooLarge, match="500 nodes"):
        read_rule({"kind": "all", "of": [LEAF] * 500})


def test_a_rule_of_more_than_20000_values_is_refused() -> None:
    many = {**LEAF, "value": ["a"] * 2_000}
    with pytest.raises(RuleTooLarge, match="20000 values"):
        read_rule({"kind": "all", "of": [many] * 11})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "of", "column", "operator", "value", "table", "within"])
            | st.text(max_size=3),
            inner | st.sampled_from(["all", "any", "not", "attribute", "orders", "is", "in"]),
            max_size=5,
        )
    ),
    max_leaves=10,
)


@given(json_values)
def test_any_json_is_a_rule_or_refused(written: object) -> None:
    try:
        rule = read_rule(written)
    except (RuleMalformed, RuleTooLarge):
        return
    assert read_rule(write_rule(rule)) == rule
