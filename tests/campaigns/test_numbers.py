"""Which of a customer's numbers get the text, against one customer at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stage import SHANGHAI
from textwave.campaigns.numbers import (
    NumberChoice,
    chosen_numbers,
    decrypted_numbers,
    numbers_elsewhere,
    own_numbers,
    read_choice,
)
from textwave.kit.refusal import InvalidValue

DAY = datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None)
NAMES = ("ann", "bo", "cy")
numbers = st.integers(SHANGHAI, SHANGHAI + 4)


@dataclass(frozen=True)
class Own:
    customer: str
    mobiles: list[int] | None
    mobile: int | None


@dataclass(frozen=True)
class Mention:
    customer: str
    mobile: int | None
    day: int | None


owns = st.lists(
    st.builds(
        Own, st.sampled_from(NAMES), st.none() | st.lists(numbers, max_size=3), st.none() | numbers
    ),
    max_size=3,
    unique_by=lambda own: own.customer,
)
mentions = st.lists(
    st.builds(Mention, st.sampled_from(NAMES), st.none() | numbers, st.none() | st.integers(0, 3)),
    max_size=8,
)


def oracle(
    own: list[Own], elsewhere: list[Mention], members: set[str], choice: NumberChoice
) -> set[tuple[str, int]]:
    """Choose one customer at a time."""
    chosen: set[tuple[str, int]] = set()
    for customer in members:
        known: list[int] = []
        for row in own:
            if row.customer == customer:
                cell = [row.mobile] if row.mobiles is None else row.mobiles
                known += [number for number in cell if number is not None]
        named = [one for one in elsewhere if one.customer == customer and one.mobile is not None]
        named.sort(key=lambda one: (-1 if one.day is None else one.day, one.mobile))
        known += [one.mobile for one in named if one.mobile is not None]
        if choice is NumberChoice.ALL:
            chosen |= {(customer, number) for number in known}
        elif known:
            chosen.add((customer, known[0 if choice is NumberChoice.FIRST else -1]))
    return chosen


def time_of(day: int | None) -> datetime | None:
    return None if day is None else DAY + timedelta(days=day)


@given(owns, mentions, mentions, st.sets(st.sampled_from(NAMES)), st.sampled_from(NumberChoice))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_the_choice_follows_the_order_in_which_numbers_stand(
    own: list[Own],
    plain: list[Mention],
    encrypted: list[Mention],
    members: set[str],
    choice: NumberChoice,
) -> None:
    backend = ibis.duckdb.from_connection(duckdb.connect())
    connection = backend.con
    connection.execute(
        "CREATE TABLE customers (id VARCHAR, textwave_mobile BIGINT, textwave_mobiles BIGINT[])"
    )
    connection.execute("CREATE TABLE member (customer VARCHAR)")
    for table in ("orders", "decrypted"):
        connection.execute(
            f"CREATE TABLE {table} (customer VARCHAR, happened_at TIMESTAMP, mobile BIGINT)"
        )
    connection.execute("ALTER TABLE orders RENAME mobile TO textwave_mobile")
    for row in own:
        values = [row.customer, row.mobile, row.mobiles]
        connection.execute("INSERT INTO customers VALUES (?, ?, ?::BIGINT[])", values)
    for name in members:
        connection.execute("INSERT INTO member VALUES (?)", [name])
    found = [one for one in encrypted if one.mobile is not None]
    for table, rows in (("orders", plain), ("decrypted", found)):
        for one in rows:
            values = [one.customer, time_of(one.day), one.mobile]
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", values)
    expression = chosen_numbers(
        [
            own_numbers(backend.table("customers"), "id"),
            numbers_elsewhere(backend.table("orders"), "customer", "happened_at"),
            decrypted_numbers(backend.table("decrypted"), own=False),
        ],
        backend.table("member"),
        choice,
    )
    rows = [(row["customer"], row["mobile"]) for row in expression.to_pyarrow().to_pylist()]
    assert len(rows) == len(set(rows))
    assert set(rows) == oracle(own, [*plain, *found], members, choice)


def test_another_word_is_no_choice() -> None:
    with pytest.raises(InvalidValue, match="first, latest, all"):
        read_choice("every")
