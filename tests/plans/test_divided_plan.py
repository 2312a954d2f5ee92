"""Exclusions, control groups and variants in plans, against a row-at-a-time oracle."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stage import SHANGHAI, Person
from textwave.campaigns.draft import read_sources
from textwave.campaigns.shares import division
from textwave.content.rendering import fill, render
from textwave.content.variables import TemplateText, parse
from textwave.kit.text import Counting, count
from textwave.plans.draw import LOTS, Held, draw_for, lots_for
from textwave.plans.parts import DearestMeasure, Measure, PartsMeasure
from textwave.plans.plan import (
    OPTED_OUT,
    Recipients,
    blocks,
    drawn_first,
    recipients,
)

SHORT = parse("Dear ${name}: http://d.cn/abc123/${sp_x}")
LONG = parse("Level ${level}, dear ${name}, " + "see you soon " * 5)
PLAIN = parse("See you soon")
SOURCES = {
    "name": {"column": "first_name", "missing": "drop"},
    "level": {"column": "level", "missing": "drop"},
}
FIELDS = {
    "customer_id": "string",
    "textwave_mobile": "int64",
    "textwave_bad_mobile": "boolean",
    "first_name": "string",
    "level": "float64",
}
persons = st.lists(
    st.builds(
        Person,
        customer=st.uuids().map(str),
        mobile=st.none() | st.integers(SHANGHAI, SHANGHAI + 12),
        first_name=st.none() | st.sampled_from(["Li", "王小明", "x" * 60]),
        level=st.none() | st.sampled_from([1.0, 2.5]),
    ),
    max_size=40,
    unique_by=lambda person: person.customer,
)


@dataclass
class Case:
    """A plan to be made both ways."""

    persons: Sequence[Person]
    opted_out: set[int]
    excluded: set[str]
    seed: int
    texts: Sequence[TemplateText]
    shares: Sequence[int]
    test_share: int | None
    control_milli: int
    control_size: int
    dropped: dict[str, str] = field(default_factory=dict[str, str])
    planned: dict[int, tuple[int, list[str], int]] = field(
        default_factory=dict[int, tuple[int, list[str], int]]
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    given_persons = draw(persons)
    texts = draw(st.permutations([SHORT, LONG, PLAIN]))[: draw(st.integers(2, 3))]
    first = draw(st.integers(1, 900))
    shares = [first, 1000 - first] if len(texts) == 2 else [100, first, 900 - first]
    by_size = draw(st.booleans())
    return Case(
        given_persons,
        draw(st.sets(st.integers(SHANGHAI, SHANGHAI + 12), max_size=3)),
        {p.customer for p in given_persons if draw(st.integers(0, 9)) == 0},
        draw(st.integers(0, 2**53 - 1)),
        texts,
        [max(share, 1) for share in shares],
        draw(st.none() | st.integers(10, 900)),
        0 if by_size else draw(st.sampled_from([0, 100, 500])),
        draw(st.integers(1, 5)) if by_size else 0,
    )


def by_oracle(case: Case) -> None:
    """Decide one person at a time."""
    numbers = {p.mobile for p in case.persons if p.customer in case.excluded and p.mobile}
    eligible: dict[int, tuple[str, int, list[str], int]] = {}
    for person in sorted(case.persons, key=lambda p: (p.mobile or 0, p.customer)):
        if person.customer in case.excluded:
            case.dropped[person.customer] = "excluded"
        elif person.mobile is None:
            case.dropped[person.customer] = "no number"
        elif person.mobile in numbers:
            case.dropped[person.customer] = "excluded"
        elif person.mobile in case.opted_out:
            case.dropped[person.customer] = "opted out"
        elif (text := _text_for(case, person, person.mobile)) is None:
            case.dropped[person.customer] = "missing variable"
        elif person.mobile in eligible:
            case.dropped[person.customer] = "duplicate number"
        else:
            eligible[person.mobile] = (person.customer, *text)
    held = _held(case, list(eligible))
    for mobile, (customer, place, values, parts) in eligible.items():
        if mobile in held:
            case.dropped[customer] = "control group"
        else:
            case.planned[mobile] = (place, values, parts)


def _text_for(case: Case, person: Person, mobile: int) -> tuple[int, list[str], int] | None:
    """Return place, values and parts of a person's text; None when a value is missing."""
    tested = 1000 if case.test_share is None else case.test_share
    shares = [sum(case.shares[: place + 1]) for place in range(len(case.texts))]
    lot = draw_for(case.seed, "variant").of(mobile)
    limits = [LOTS * share * tested // 1_000_000 for share in shares]
    place = next((n for n, limit in enumerate(limits) if lot < limit), len(limits))
    texts = case.texts if place == len(limits) else [case.texts[place]]
    values = _values(person, texts)
    if values is None:
        return None
    rendered = [render(text, [values[name] for name in text.names], "0" * 8) for text in texts]
    parts = max(count(text, "Shop", Counting.MAINLAND).parts for text in rendered)
    return place, list(values.values()), parts


def _held(case: Case, mobiles: list[int]) -> set[int]:
    draw = draw_for(case.seed, "control")
    ordered = sorted(mobiles, key=lambda mobile: (draw.of(mobile), mobile))
    by_share = {m for m in ordered if draw.of(m) < lots_for(case.control_milli)}
    return by_share | set(ordered[: case.control_size])


def _values(person: Person, texts: Sequence[TemplateText]) -> dict[str, str] | None:
    """Return the values of all the texts' variables; None when one is missing."""
    found: dict[str, str] = {}
    level = person.level
    shown = None if level is None else str(int(level) if level == int(level) else level)
    given_values = {"name": person.first_name, "level": shown}
    missing = {name: source.missing for name, source in read_sources(SOURCES).items()}
    for text in texts:
        filled = fill(text, [given_values[name] for name in text.names], missing)
        if filled is None:
            return None
        found |= dict(zip(text.names, filled, strict=True))
    return found


def planned(case: Case, rows_a_batch: int) -> tuple[dict[int, Any], dict[str, str], list[int]]:
    """Plan in sets: mobile → (place, values, parts), customer → reason, and mobiles in order."""
    backend = ibis.duckdb.from_connection(duckdb.connect())
    table = backend.create_table("customers", schema=ibis.schema(FIELDS), temp=True)
    rows = [(p.customer, p.mobile, p.bad_mobile, p.first_name, p.level) for p in case.persons]
    if rows:
        backend.insert(
            "customers",
            ibis.memtable(
                [dict(zip(FIELDS, row, strict=True)) for row in rows], schema=ibis.schema(FIELDS)
            ),
        )
    excluded = _column("customer", "string", sorted(case.excluded))
    numbers = sorted({p.mobile for p in case.persons if p.customer in case.excluded and p.mobile})
    names = [text.names for text in case.texts]
    asked = Recipients(
        members=table.select(customer=table.customer_id),
        customers=table,
        customer_column="customer_id",
        template=case.texts[0],
        sources=read_sources(SOURCES),
        blocked=[
            ("excluded", _column("mobile", "int64", numbers)),
            (OPTED_OUT, _column("mobile", "int64", sorted(case.opted_out))),
        ],
        excluded=excluded,
        division=division(case.seed, names, case.shares, case.test_share),
    )
    counted = [PartsMeasure(text, "Shop", Counting.MAINLAND) for text in case.texts]
    measures: list[Measure] = [*counted]
    if case.test_share is not None:
        measures.append(DearestMeasure(counted))
    control = draw_for(case.seed, "control")
    held = Held(control, lots_for(case.control_milli))
    if case.control_size:
        first = drawn_first(asked, control, case.control_size)
        drawn = backend.to_pyarrow(first).to_pylist()
        last = drawn[-1] if drawn else {"lot": 0, "mobile": -1}
        held = Held(control, last["lot"], last["mobile"])
    messages: dict[int, Any] = {}
    drops: dict[str, str] = {}
    order: list[int] = []
    stream = backend.to_pyarrow_batches(recipients(asked), chunk_size=rows_a_batch)
    for block in blocks(stream, measures, held):
        for row in block.messages.to_pylist():
            messages[row["mobile"]] = (block.place, row["variables"], row["parts"])
            order.append(block.place * 10**15 + row["mobile"])
        drops.update({row["customer"]: row["reason"] for row in block.drops.to_pylist()})
    return messages, drops, order


def _column(name: str, kind: str, values: Sequence[Any]) -> ir.Table:
    return ibis.memtable({name: values}, schema=ibis.schema({name: kind}))


@given(cases(), st.integers(1, 9))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_everybody_gets_one_text_or_one_reason_and_the_control_group_is_exact(
    case: Case, rows_a_batch: int
) -> None:
    by_oracle(case)
    messages, drops, order = planned(case, rows_a_batch)
    assert messages == case.planned
    assert drops == case.dropped
    assert order == sorted(order)
    assert len(messages) + len(drops) == len(case.persons)
    if case.control_size and messages:
        assert Counter(drops.values())["control group"] == case.control_size


@pytest.mark.parametrize("purpose", ["control", "variant"])
def test_a_share_is_drawn_evenly_from_neighbouring_numbers(purpose: str) -> None:
    mobiles = np.arange(SHANGHAI, SHANGHAI + 200_000)
    lots = draw_for(20261122, purpose).of(mobiles)
    shares, _ = np.histogram(lots, bins=10, range=(0, LOTS))
    assert abs(shares - 20_000).max() < 700  # five standard deviations
    taken = lots < lots_for(500)
    assert abs((taken[1:] == taken[:-1]).mean() - 0.5) < 0.01
