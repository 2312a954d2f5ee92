"""What else a rule names: tables, audiences, models, lists, campaigns.

What changes in one of them changes whom the rule selects, so refreshes follow these names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from textwave.audiences.rule import (
    Aipl,
    AiplFlow,
    Attribute,
    Behaviours,
    InAudience,
    InCampaign,
    InList,
    Joined,
    Metrics,
    Not,
    Orders,
    Rfm,
    Rule,
)


@dataclass(frozen=True, slots=True)
class References:
    """The names in a rule, by what they name; the audience's own table is not among them."""

    tables: frozenset[str]
    audiences: frozenset[str]
    models: frozenset[str]
    lists: frozenset[str]
    campaigns: frozenset[str]


def references(rule: Rule) -> References:
    """Return all that a rule names, whether it exists or not."""
    nodes = [node for node, _ in walk(rule)]
    return References(
        tables=frozenset(
            node.table
            for node in nodes
            if isinstance(node, Attribute | Orders | Behaviours | Metrics)
            if node.table is not None
        ),
        audiences=frozenset(node.audience for node in nodes if isinstance(node, InAudience)),
        models=frozenset(node.model for node in nodes if isinstance(node, Rfm | Aipl | AiplFlow)),
        lists=frozenset(node.list for node in nodes if isinstance(node, InList)),
        campaigns=frozenset(node.campaign for node in nodes if isinstance(node, InCampaign)),
    )


def walk(rule: Rule, place: str = "$") -> Iterator[tuple[Rule, str]]:
    """Give each node of the tree with its place; conditions inside occurrences are not nodes."""
    yield rule, place
    if isinstance(rule, Not):
        yield from walk(rule.of, f"{place}.of")
    elif isinstance(rule, Joined):
        for i, inner in enumerate(rule.of):
            yield from walk(inner, f"{place}.of[{i}]")
