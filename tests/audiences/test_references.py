"""What a rule names is found wherever it stands in the tree."""

from textwave.audiences.references import References, references
from textwave.audiences.rule import read_rule


def test_all_names_in_a_rule_are_found() -> None:
    attribute = {"kind": "attribute", "column": "city", "operator": "empty"}
    flow = {"from": "2026-01-01", "until": "2026-01-02", "was": ["none"], "became": ["loyal"]}
    rule = read_rule(
        {
            "kind": "any",
            "of": [
                {"kind": "minus", "of": [attribute, {"kind": "audience", "audience": "a"}]},
                {"kind": "not", "of": {"kind": "list", "list": "l"}},
                {**attribute, "table": "profiles"},
                {"kind": "orders", "table": "orders", "where": [attribute]},
                {"kind": "rfm", "model": "value", "types": ["HHH"]},
                {"kind": "aipl_flow", "model": "path", **flow},
                {"kind": "campaign", "campaign": "c", "outcome": "sent"},
            ],
        }
    )
    assert references(rule) == References(
        tables=frozenset({"profiles", "orders"}),
        audiences=frozenset({"a"}),
        models=frozenset({"value", "path"}),
        lists=frozenset({"l"}),
        campaigns=frozenset({"c"}),
    )
