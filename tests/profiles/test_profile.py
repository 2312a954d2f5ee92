"""Profiles against a look at one person after the other."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.audiences.tables import Column, CustomerTable, IdColumn
from textwave.customers.columns import ColumnType, TableKind
from textwave.profiles.profile import (
    ColumnNotProfiled,
    Sizes,
    Wanted,
    counted,
    deciles,
    described,
    difference,
    joined,
    profiled_columns,
    scales,
    survey,
)
from textwave.profiles.scale import time_scale

SHANGHAI = ZoneInfo("Asia/Shanghai")
CITY = Column("city", ColumnType.TEXT)
LEVEL = Column("level", ColumnType.NUMBER)
JOINED = Column("joined", ColumnType.TIME)
TAGS = Column("tags", ColumnType.MULTI_VALUE, "|")
TABLE = CustomerTable(
    "customers",
    TableKind.CUSTOMERS,
    (Column("id", ColumnType.TEXT), Column("phone", ColumnType.TEXT),
     Column("mail", ColumnType.TEXT), CITY, LEVEL, JOINED, TAGS),
    "id",
    mobile_column="phone",
    ids=(IdColumn("email", "mail"),),
)  # fmt: skip
SCHEMA = pa.schema(
    [("id", pa.string()), ("city", pa.string()), ("level", pa.float64()),
     ("joined", pa.timestamp("us")), ("tags", pa.string())]
)  # fmt: skip
Person = tuple[str | None, float | None, datetime | None, str | None, bool, bool]
"""City, level, joined, tags, in the audience, in the other one."""

PEOPLE = st.lists(
    st.tuples(
        st.sampled_from([None, "上海", "杭州", "Xi'an"]),
        st.one_of(st.none(), st.integers(0, 9).map(float)),
        st.one_of(
            st.none(),
            st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1)),  # noqa: DTZ001 - naive UTC
        ),
        st.sampled_from([None, "", "a", "a|b", " b | a|a", "|"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def profile(
    people: Sequence[Person], column: Column, *, against: bool = False, values: int = 50
) -> tuple[dict[str, Any], Sizes]:
    """Return the column's profile as the operation makes it."""
    rows = [(str(n), *person[:4]) for n, person in enumerate(people)]
    columns = [list(cells) for cells in zip(*rows, strict=True)]
    table = ibis.memtable(
        pa.Table.from_arrays(
            [pa.array(c, t) for c, t in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA
        )
    )
    members = [str(n) for n, person in enumerate(people) if person[4]]
    others = [str(n) for n, person in enumerate(people) if person[5]]
    wanted = Wanted((column,), values, SHANGHAI, "CN", against_everyone=not against)
    engine = ibis.duckdb.connect()
    both = joined(table, "id", _keys(members), _keys(others) if against else None)

    def one(row: Any) -> dict[str, Any]:
        return engine.to_pyarrow(row).to_pylist()[0]

    surveyed = one(survey(both, [column]))
    surveyed |= one(deciles(both, [column], surveyed))
    scale = scales([column], surveyed, SHANGHAI).get(column.name)
    found = engine.to_pyarrow(counted(both, column, scale, wanted)).to_pylist()
    engine.disconnect()
    sizes = Sizes(surveyed["size_in"] or 0, surveyed["size_of"] or 0)
    return described(found, column, scale, sizes, wanted), sizes


def _keys(keys: Sequence[str]) -> Any:
    return ibis.memtable(pa.table({"customer": pa.array(keys, pa.string())}))


def values_of(person: Person, column: Column) -> list[Any]:
    """Return the values that one person counts for."""
    city, level, moment, tags, *_ = person
    match column.type:
        case ColumnType.TEXT:
            return [city]
        case ColumnType.NUMBER:
            return [level]
        case ColumnType.MULTI_VALUE:
            held = {piece.strip() for piece in (tags or "").split("|")} - {""}
            return sorted(held) or [None]
        case ColumnType.TIME:
            return [moment]


def differs(people: Sequence[Person], column: Column, *, against: bool) -> float:
    """Return the corrected Cramér's V by its textbook formula."""
    a, b = Counter[Any](), Counter[Any]()
    for person in people:
        for value in values_of(person, column):
            a[value] += person[4]
            b[value] += person[5] if against else not person[4]
    cells = {value for value in (*a, *b) if a[value] + b[value]}
    if not against:
        cells = set(a) | set(b)
    total, sum_a, sum_b = a.total() + b.total(), a.total(), b.total()
    if len(cells) < 2 or not sum_a or not sum_b:
        return 0.0
    phi = -1.0
    for value in cells:
        both = a[value] + b[value]
        phi += a[value] ** 2 / (both * sum_a) + b[value] ** 2 / (both * sum_b)
    k = len(cells)
    phi = max(0.0, phi - (k - 1) / (total - 1))
    least = min(k - 1 - (k - 1) ** 2 / (total - 1), 1 - 1 / (total - 1))
    return min(1.0, (phi / least) ** 0.5) if least > 0 else 0.0


@settings(deadline=None, max_examples=40)
@given(people=PEOPLE, column=st.sampled_from([CITY, LEVEL, TAGS]), against=st.booleans())
def test_counts_are_those_of_a_look_at_each_person(
    *, people: list[Person], column: Column, against: bool
) -> None:
    found, sizes = profile(people, column, against=against)
    in_audience, everyone = Counter[Any](), Counter[Any]()
    for person in people:
        for value in values_of(person, column):
            in_audience[value] += person[4]
            everyone[value] += person[5] if against else 1
    told = {one["value"]: (one["audience"], one["everyone"]) for one in found["values"]}
    expected = {v: (in_audience[v], everyone[v]) for v in {*in_audience, *everyone}}
    assert told == {v: pair for v, pair in expected.items() if any(pair)}
    assert sizes.audience == sum(person[4] for person in people)
    assert found["difference"] == pytest.approx(differs(people, column, against=against), abs=1e-3)


@settings(deadline=None, max_examples=25)
@given(PEOPLE, st.sampled_from([CITY, LEVEL, JOINED]), st.integers(1, 5))
def test_shares_of_a_single_value_add_up_to_one(
    people: list[Person], column: Column, values: int
) -> None:
    found, sizes = profile(people, column, values=values)
    parts = [*found["values"], found["other"]]
    assert sum(one["share_everyone"] for one in parts) == pytest.approx(1)
    if sizes.audience:
        assert sum(one["share_audience"] for one in parts) == pytest.approx(1)


@settings(deadline=None, max_examples=25)
@given(PEOPLE)
def test_times_fall_into_the_calendar_of_the_workspace(people: list[Person]) -> None:
    found, _ = profile(people, JOINED)
    moments = [person[2] for person in people]
    known = [moment for moment in moments if moment is not None]
    expected: Counter[Any] = Counter({None: moments.count(None)})
    if known:
        scale = time_scale(min(known), max(known), SHANGHAI)
        expected.update(
            next(
                label
                for label in scale.labels
                if f"{moment + timedelta(hours=8):%Y-%m}".startswith(label)
            )
            for moment in known
        )
    assert {one["value"]: one["everyone"] for one in found["values"]} == +expected


def test_many_numbers_are_put_into_deciles_of_everyone() -> None:
    people: list[Person] = [(None, float(n), None, None, n >= 900, False) for n in range(1000)]
    found, _ = profile(people, LEVEL)
    assert [one["everyone"] for one in found["values"]] == [100] * 10
    assert [one["audience"] for one in found["values"]] == [0] * 9 + [100]
    assert found["values"][-1]["index"] == 1000
    assert found["values"][-1]["value"].startswith("≥ 899")


def test_a_column_that_tells_them_apart_differs_more_than_one_of_unique_values() -> None:
    people: list[Person] = [
        ("上海" if n < 20 else "杭州", None, None, f"t{n}", n < 20, False) for n in range(200)
    ]
    assert profile(people, CITY)[0]["difference"] == pytest.approx(1, abs=0.01)
    assert profile(people, TAGS)[0]["difference"] == 0
    assert profile(people, TAGS, values=15)[0]["other"]["values"] == 185


def test_an_audience_that_is_everyone_differs_in_nothing() -> None:
    assert (
        difference({"sum_a": 9, "sum_n": 9, "values": 3, "evenness": 9.0}, against_everyone=True)
        == 0
    )


def test_ids_and_numbers_are_not_profiled() -> None:
    assert profiled_columns(TABLE, None) == (CITY, LEVEL, JOINED, TAGS)
    for name in ("id", "phone", "mail", "nothing"):
        with pytest.raises(ColumnNotProfiled, match="Columns that can: “city”"):
            profiled_columns(TABLE, [name])


def test_a_number_in_another_column_is_masked() -> None:
    people: list[Person] = [("15412345678", None, None, None, True, False)]
    assert profile(people, CITY)[0]["values"][0]["value"] == "*******5678"


def test_a_hundred_years_have_at_most_fifty_ranges() -> None:
    scale = time_scale(datetime(1900, 5, 1), datetime(2026, 5, 1), SHANGHAI)  # noqa: DTZ001 - UTC
    assert scale.labels[0] == "1900 – 1902"
    assert len(scale.labels) == len(scale.bounds) + 1 <= 50
    assert scale.labels[scale.place_of(datetime(1999, 12, 31, 16))] == "1999 – 2001"  # noqa: DTZ001 - UTC
