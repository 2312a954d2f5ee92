"""AIPL in the engine against row-at-a-time oracles: labels of days that have passed, and flows."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.purchases import ORDERS, SCHEMA
from textwave.audiences.rule import RuleMalformed
from textwave.audiences.tables import Column, CustomerTable, Surroundings
from textwave.customers.columns import ColumnType, TableKind
from textwave.kit.refusal import InvalidValue
from textwave.models.aipl import (
    STAGES,
    calendar_of,
    describe_flow,
    labels,
    moves,
    read_aipl,
    write_aipl,
)

DAY = date(2024, 3, 10)
"""The clocks of New York go forward on this day, eleven days after a leap day."""
ZONES = ("Asia/Shanghai", "America/New_York", "UTC")
CUSTOMERS = CustomerTable(
    name="customers",
    kind=TableKind.CUSTOMERS,
    columns=(Column("id", ColumnType.TEXT), Column("city", ColumnType.TEXT)),
    customer_column="id",
)
KNOWN = Surroundings({"customers": CUSTOMERS, "orders": ORDERS})
IDS = ["", "a", "b", "c", "上海"]

cities = st.one_of(st.none(), st.sampled_from(["", "上海", "杭州"]))
moments = st.builds(
    lambda back, hour, nudge: (
        datetime(2024, 3, 10)  # noqa: DTZ001 - naive UTC as in the lake
        - timedelta(days=back)
        + timedelta(hours=hour, microseconds=nudge)
    ),
    st.integers(-2, 14),
    st.sampled_from([0, 4, 5, 16]),
    st.integers(-1, 1),
)
orders_of = st.lists(
    st.tuples(st.sampled_from([*IDS, None, "nobody"]), st.one_of(st.none(), moments), st.just(1.0)),
    max_size=15,
)


@given(
    st.fixed_dictionaries(dict.fromkeys(IDS, cities)),
    orders_of,
    st.sampled_from(ZONES),
    st.integers(1, 12),
    st.integers(1, 3),
    st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_each_customer_is_in_the_highest_stage_that_held_on_the_day(
    customers: dict[str, str | None],
    orders: list[tuple[str | None, datetime | None, float]],
    zone: str,
    days: int,
    often: int,
    back: int,
) -> None:
    definition = read_aipl(
        {
            "table": "customers",
            "stages": {
                "aware": {"kind": "attribute", "column": "city", "operator": "not_empty"},
                "interested": {
                    "kind": "attribute",
                    "column": "city",
                    "operator": "is",
                    "value": "杭州",
                },
                "purchased": {
                    "kind": "orders",
                    "table": "orders",
                    "within": {"last_days": days},
                },
                "loyal": {
                    "kind": "orders",
                    "table": "orders",
                    "within": {"last_days": 3_660},
                    "operator": "at_least",
                    "value": often,
                },
            },
        }
    )
    day = DAY - timedelta(days=back)
    connection = duckdb.connect()
    for name, rows in {
        "customers": pa.table(
            {"id": list(customers), "city": pa.array(list(customers.values()), pa.string())}
        ),
        "orders": pa.Table.from_pylist(
            [dict(zip(SCHEMA.names, order, strict=True)) for order in orders], schema=SCHEMA
        ),
    }.items():
        connection.register(f"{name}_given", rows)
        connection.execute(f"CREATE TABLE {name} AS FROM {name}_given")
    engine = ibis.duckdb.from_connection(connection)

    found = labels(
        definition,
        known=KNOWN,
        source=engine.table,
        calendar=calendar_of(day, ZoneInfo(zone)),
    )

    rows = found.to_pyarrow().to_pylist()
    labelled = {row["customer"]: row["stage"] for row in rows}
    assert len(rows) == len(labelled)
    expected = {
        name: stage_of(name, city, orders, day, ZoneInfo(zone), days, often)
        for name, city in customers.items()
    }
    assert labelled == {name: stage for name, stage in expected.items() if stage}


def stage_of(
    name: str,
    city: str | None,
    orders: list[tuple[str | None, datetime | None, float]],
    day: date,
    zone: ZoneInfo,
    days: int,
    often: int,
) -> int:
    ages = [
        (day - paid_at.replace(tzinfo=UTC).astimezone(zone).date()).days
        for buyer, paid_at, _ in orders
        if buyer == name and paid_at is not None
    ]
    past = [age for age in ages if age >= 0]
    if len(past) >= often:
        return 4
    if any(age <= days for age in past):
        return 3
    if city == "杭州":
        return 2
    return 1 if city is not None else 0


pairs = st.dictionaries(
    st.integers(0, 40), st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30
)


@given(pairs)
@settings(max_examples=40, deadline=None)
def test_whoever_was_in_a_stage_stayed_converted_or_was_lost(
    stages: dict[int, tuple[int, int]],
) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE label (run_id BIGINT, customer VARCHAR, stage BIGINT)")
    for customer, (was, became) in stages.items():
        for run, stage in ((7, was), (8, became), (9, 1)):
            if stage:
                connection.execute("INSERT INTO label VALUES (?, ?, ?)", [run, customer, stage])
    rows = ibis.duckdb.from_connection(connection).table("label")

    counted = moves(rows, from_run=7, until_run=8).to_pyarrow().to_pylist()
    told = describe_flow({(row["was"], row["became"]): row["customers"] for row in counted})

    expected = Counter(stages.values())
    for i, stage in enumerate(STAGES, start=1):
        flow = told["stages"][stage]
        assert flow["start"] == sum(was == i for was, _ in stages.values())
        assert flow["end"] == sum(became == i for _, became in stages.values())
        assert flow["start"] == flow["stayed"] + flow["converted"] + flow["lost"]
        assert flow["stayed"] == expected[i, i]
        assert flow["lost"] == expected[i, 0] == told["matrix"][stage]["none"]
        assert flow["new"] == expected[0, i] == told["new"][stage]


EVERYBODY: dict[str, Any] = {"kind": "all", "of": []}
STAGES_OF_ALL = dict.fromkeys(STAGES, EVERYBODY)


def test_a_definition_is_read_as_it_was_written() -> None:
    definition = read_aipl({"table": "customers", "stages": STAGES_OF_ALL, "keep_days": 90})

    assert read_aipl(write_aipl(definition)) == definition


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"stages": {"aware": EVERYBODY}}, "stages"),
        ({"stages": STAGES_OF_ALL | {"lost": EVERYBODY}}, "stages"),
        ({"stages": [EVERYBODY] * 4}, "stages"),
        ({"stages": STAGES_OF_ALL, "keep_days": 0}, "keep_days"),
        ({"stages": STAGES_OF_ALL, "keep_days": True}, "keep_days"),
        ({"stages": STAGES_OF_ALL, "keep": 1}, "keep"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_place(given: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_aipl({"table": "customers", **given})

    assert refused.value.place == place


def test_a_malformed_rule_is_refused_with_its_stage_and_place() -> None:
    wrong = {"kind": "all", "of": [{"kind": "atribute"}]}

    with pytest.raises(RuleMalformed) as refused:
        read_aipl({"table": "customers", "stages": STAGES_OF_ALL | {"loyal": wrong}})

    assert refused.value.place.startswith("stages.loyal: $.of[0]")
