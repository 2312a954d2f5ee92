from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.audiences.uses import (
    AudienceNamesItself,
    Uses,
    check_not_circular,
    depending,
    in_order,
    renamed,
)

NAMES = "abcdef"
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3), max_size=6
)


def known(**used: str) -> dict[str, Uses]:
    """Audiences by name; each letter is an audience that it is computed from."""
    return {
        name: Uses(name, "customers", audiences=frozenset(letters))
        for name, letters in used.items()
    }


def circle(name: str, uses: dict[str, Uses]) -> list[str]:
    """The chain with which an audience is refused; [] for one that is not."""
    try:
        check_not_circular(name, uses)
    except AudienceNamesItself as refusal:
        return refusal.chain
    return []


def test_the_chain_back_to_the_audience_is_spelled_out() -> None:
    with pytest.raises(AudienceNamesItself, match="“a” → “b” → “c” → “a”"):
        check_not_circular("a", known(a="b", b="cd", c="a", d=""))


def test_an_audience_that_names_itself_is_refused() -> None:
    with pytest.raises(AudienceNamesItself, match="“a” → “a”"):
        check_not_circular("a", known(a="a"))


def test_two_ways_to_the_same_audience_are_no_circle() -> None:
    check_not_circular("a", known(a="bc", b="d", c="d", d=""))


@given(GRAPHS)
def test_a_circle_is_refused_exactly_when_a_way_leads_back(graph: dict[str, set[str]]) -> None:
    uses = {n: Uses(n, "t", audiences=frozenset(used)) for n, used in graph.items()}
    for name, used in graph.items():
        reached, step = set[str](), used
        while not step <= reached:
            reached |= step
            step = {later for one in step for later in graph.get(one, set())}
        chain = circle(name, uses)
        assert (chain != []) == (name in reached)
        assert all(later in graph[one] for one, later in pairwise(chain))
        assert not chain or chain[0] == chain[-1] == name


def test_each_comes_after_those_that_it_is_computed_from() -> None:
    order = in_order({"a", "c", "d"}, known(a="b", b="c", c="", d="a"))

    assert order == ["c", "a", "d"]


def test_an_import_concerns_what_is_computed_from_its_table_over_others_too() -> None:
    uses = known(a="", b="a", c="", d="b")
    uses["a"] = Uses("a", "customers", tables=frozenset({"orders"}))
    uses["e"] = Uses("e", "customers", models=frozenset({"value"}))

    assert depending(uses, table="orders", models=()) == {"a", "b", "d"}
    assert depending(uses, table="orders", models=["value"]) == {"a", "b", "d", "e"}
    assert depending(uses, table="customers", models=()) == set(uses)


def test_a_rule_names_the_audience_by_its_new_name_and_keeps_the_rest() -> None:
    named = {"kind": "audience", "audience": "old"}
    value = {"kind": "attribute", "column": "old", "operator": "is", "value": "old"}
    rule = {"kind": "all", "of": [value, {"kind": "not", "of": named}]}

    assert renamed(rule, "old", "new") == {
        "kind": "all",
        "of": [value, {"kind": "not", "of": {"kind": "audience", "audience": "new"}}],
    }
