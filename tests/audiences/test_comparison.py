from itertools import combinations

import ibis
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.audiences.comparison import (
    change,
    count_combinations,
    overlap,
    read_combinations,
)
from textwave.kit.ids import SnapshotId

MEMBERS = st.lists(st.sets(st.integers(0, 12)), min_size=2, max_size=5)


def counted(sets: list[set[int]]) -> dict[frozenset[int], int]:
    """Count over a table that holds the members of another snapshot too."""
    rows = [(10 + place, f"c{one}") for place, members in enumerate(sets) for one in members]
    rows.append((99, "c0"))
    table = ibis.memtable(
        pa.table(
            {
                "snapshot_id": pa.array([row[0] for row in rows], pa.int64()),
                "customer": pa.array([row[1] for row in rows], pa.string()),
            }
        )
    )
    snapshots = [SnapshotId(10 + place) for place in range(len(sets))]
    return read_combinations(
        ibis.duckdb.connect().to_pyarrow(count_combinations(table, snapshots)).to_pylist()
    )


@settings(max_examples=30, deadline=None)
@given(MEMBERS)
def test_every_figure_is_that_of_the_sets(sets: list[set[int]]) -> None:
    names = [f"audience {place}" for place in range(len(sets))]

    found = overlap(names, counted(sets))

    assert [one["size"] for one in found["audiences"]] == [len(members) for members in sets]
    assert [one["only_in"] for one in found["audiences"]] == [
        len(members - set().union(*sets[:place], *sets[place + 1 :]))
        for place, members in enumerate(sets)
    ]
    assert [pair["size"] for pair in found["pairs"]] == [
        len(a & b) for a, b in combinations(sets, 2)
    ]
    assert found["in_all"] == len(set.intersection(*sets))
    assert found["in_any"] == len(set.union(*sets))


def test_shares_are_of_either_audience_and_none_of_an_empty_one() -> None:
    [pair, empty, _] = overlap(["a", "b", "c"], counted([{1, 2, 3, 4}, {4}, set()]))["pairs"]

    assert (pair["audiences"], pair["shares"]) == (["a", "b"], [0.25, 1.0])
    assert empty["shares"] == [0.0, None]


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_between_two_snapshots_people_join_leave_and_stay(a: set[int], b: set[int]) -> None:
    found = change(counted([a, b]))

    assert (found.joined, found.left, found.stayed) == (len(b - a), len(a - b), len(a & b))
