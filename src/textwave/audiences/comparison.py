"""How audiences overlap, counted in one pass over their members.

Each customer falls into exactly one combination of audiences; every figure is a sum over the
combinations, of which five audiences have at most 31.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from textwave.kit.ids import SnapshotId

FEWEST, MOST = 2, 5
COMBINATION: Final = "combination"
CUSTOMERS: Final = "customers"
Combinations = Mapping[frozenset[int], int]
"""How many customers are in exactly these of the compared snapshots, named by their place."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the members between two snapshots of one audience."""

    joined: int
    left: int
    stayed: int


def count_combinations(members: ir.Table, snapshots: Sequence[SnapshotId]) -> ir.Table:
    """Count the customers of each combination, written as a number: bit i is the i-th snapshot.

    `members` has `snapshot_id` and `customer`, each pair once; the result has `combination` and
    `customers`.
    """
    bits = ibis.cases(
        *((members["snapshot_id"] == one, 1 << place) for place, one in enumerate(snapshots)),
        else_=0,
    )
    chosen = members.filter(members["snapshot_id"].isin([ibis.literal(one) for one in snapshots]))
    of_customer = chosen.mutate(bit=bits.cast("int64")).group_by("customer")
    combined = of_customer.aggregate(**{COMBINATION: ibis._["bit"].sum()})
    return combined.group_by(COMBINATION).aggregate(**{CUSTOMERS: combined.count()})


def read_combinations(rows: Sequence[Mapping[str, Any]]) -> dict[frozenset[int], int]:
    """Read what `count_combinations` gives."""
    return {
        frozenset(place for place in range(MOST) if int(row[COMBINATION]) >> place & 1): int(
            row[CUSTOMERS]
        )
        for row in rows
    }


def overlap(names: Sequence[str], counted: Combinations) -> dict[str, Any]:
    """Return the sizes of the audiences, of each pair's overlap, of all, of any, of each alone.

    The shares of a pair are of its first and of its second audience; none where that is empty.
    """
    places = range(len(names))
    return {
        "audiences": [
            {
                "audience": names[place],
                "size": _within(counted, {place}),
                "only_in": counted.get(frozenset({place}), 0),
            }
            for place in places
        ],
        "pairs": [_pair(names, counted, a, b) for a, b in combinations(places, 2)],
        "in_all": _within(counted, set(places)),
        "in_any": sum(counted.values()),
    }


def change(counted: Combinations) -> Change:
    """Return who joined, left and stayed from the first to the second snapshot."""
    return Change(
        joined=counted.get(frozenset({1}), 0),
        left=counted.get(frozenset({0}), 0),
        stayed=counted.get(frozenset({0, 1}), 0),
    )


def _pair(names: Sequence[str], counted: Combinations, a: int, b: int) -> dict[str, Any]:
    both = _within(counted, {a, b})
    sizes = [_within(counted, {place}) for place in (a, b)]
    return {
        "audiences": [names[a], names[b]],
        "size": both,
        "shares": [round(both / size, 4) if size else None for size in sizes],
    }


def _within(counted: Combinations, places: set[int]) -> int:
    """Return how many customers are in all of these, whatever else they are in."""
    return sum(count for combination, count in counted.items() if places <= combination)
