"""RFM in the engine against the row-at-a-time oracle, on random orders."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.purchases import (
    ORDERS,
    Order,
    add_up,
    backend_with,
    band_score,
    keep,
    quantile_scores,
    types_of,
)
from textwave.audiences.calendar import Calendar
from textwave.models.definition import RfmDefinition, purchases, read_definition
from textwave.models.distribution import TYPES, Cell, describe, means_of
from textwave.models.rfm import (
    Analysis,
    Edges,
    cells,
    customers,
    quantile_edges,
    with_band_scores,
    with_edge_scores,
    with_type,
)
from textwave.models.scoring import Band, Bands, Quantiles

ZONES = ("Asia/Shanghai", "America/New_York", "Africa/Cairo", "Pacific/Apia", "UTC")
LEAP_DAY = date(2024, 2, 29)
# Clock changes of the zones lie around these days, one is a leap day, and one never was in Apia.
DAYS = st.sampled_from(
    [date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 10), date(2024, 11, 3), date(2011, 12, 31)]
)
buyers = st.one_of(st.none(), st.sampled_from(["", "a", "b", "c", "d", "上海"]))
amounts = st.one_of(
    st.none(), st.sampled_from([0.0, -5.0, 0.1, 0.2, 0.3, 99.99, 100.0, 100.01, 1e9])
)


def orders_before(day: date) -> st.SearchStrategy[list[Order]]:
    """Orders around the midnights before and after the day, to the microsecond, and long ago."""
    noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 - naive UTC as in the lake
    hours = st.sampled_from([0, 4, 5, 8, 10, 12, 14, 16, 22, 23])
    moments = st.builds(
        lambda back, hour, nudge: (
            noon - timedelta(days=back, hours=12) + timedelta(hours=hour, microseconds=nudge)
        ),
        st.one_of(st.integers(-2, 8), st.integers(0, 15_000)),
        hours,
        st.integers(-1, 1),
    )
    times = st.one_of(st.none(), moments)
    return st.lists(st.tuples(buyers, times, amounts), max_size=30)


def bands_of(limits: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[Band, ...]]:
    rising = st.lists(limits, max_size=3, unique=True).map(sorted)
    return rising.flatmap(
        lambda bounds: st.tuples(
            *[st.builds(Band, st.just(bound), st.integers(1, 5)) for bound in [*bounds, None]]
        )
    )


bands = st.builds(
    Bands,
    bands_of(st.sampled_from([0, 1, 2, 30, 365.5])),
    bands_of(st.sampled_from([0, 1, 2, 3])),
    bands_of(st.sampled_from([-5, 0, 0.3, 100, 100.01, 200])),
)
baselines = st.one_of(st.none(), st.tuples(*[st.sampled_from([0.5, 1.0, 2.5, 3.0, 5.0, 6.0])] * 3))


@given(
    st.data(),
    DAYS,
    st.sampled_from(ZONES),
    bands,
    baselines,
    st.one_of(st.none(), st.integers(1, 9)),
)
@settings(max_examples=30, deadline=None)
def test_bands_score_each_customer_as_the_oracle_does(
    data: st.DataObject,
    day: date,
    zone: str,
    drawn: Bands,
    baseline: Any,
    last_days: int | None,
) -> None:
    orders = data.draw(orders_before(day))
    definition = RfmDefinition("orders", drawn, baseline, last_days=last_days)
    scored, _ = scored_in_engine(definition, orders, day, zone)

    expected = add_up(orders, day=day, zone=ZoneInfo(zone), last_days=last_days)
    scores = {
        name: [
            band_score(value, of)
            for value, of in zip(one.measures, drawn.of_dimensions, strict=True)
        ]
        for name, one in expected.items()
    }

    assert rows_of(scored) == {
        name: (*one.measures, *scores[name], types_of(scores, baseline)[name])
        for name, one in expected.items()
    }


@given(st.data(), st.sampled_from(ZONES), st.integers(2, 10))
@settings(max_examples=30, deadline=None)
def test_quantiles_score_each_customer_as_the_oracle_does(
    data: st.DataObject, zone: str, count: int
) -> None:
    orders = data.draw(orders_before(LEAP_DAY))
    definition = RfmDefinition("orders", Quantiles(count))
    scored, _ = scored_in_engine(definition, orders, LEAP_DAY, zone)

    expected = add_up(orders, day=LEAP_DAY, zone=ZoneInfo(zone))
    scores = quantile_scores(expected, count)
    assert rows_of(scored) == {
        name: (*one.measures, *scores[name], types_of(scores, None)[name])
        for name, one in expected.items()
    }


@given(st.data(), bands, baselines)
@settings(max_examples=20, deadline=None)
def test_the_eight_types_and_the_scores_each_share_out_all_customers(
    data: st.DataObject, drawn: Bands, baseline: Any
) -> None:
    orders = data.draw(orders_before(LEAP_DAY))
    definition = RfmDefinition("orders", drawn, baseline)
    _, found = scored_in_engine(definition, orders, LEAP_DAY, "Asia/Shanghai")
    told = describe(found, day=LEAP_DAY, scoring=drawn, baseline=baseline, edges=())

    everybody = add_up(orders, day=LEAP_DAY, zone=ZoneInfo("Asia/Shanghai")).values()
    assert list(told["types"]) == list(TYPES)
    for by in ("types", "scores"):
        shares = told[by].values()
        assert sum(share["users"] for share in shares) == len(everybody)
        assert sum(share["orders"] for share in shares) == sum(one.frequency for one in everybody)
        assert sum(share["amount"] for share in shares) == pytest.approx(
            sum(one.monetary for one in everybody)
        )


def test_only_orders_that_meet_the_conditions_count() -> None:
    moment = datetime(2024, 2, 28, 4)  # noqa: DTZ001 - naive UTC as in the lake
    orders: list[Order] = [("a", moment, 5.0), ("a", moment, 50.0), ("b", moment, 5.0)]
    definition = read_definition(
        {
            "table": "orders",
            "quantiles": 2,
            "where": [
                {"kind": "attribute", "column": "amount", "operator": "at_least", "value": 10}
            ],
        }
    )

    scored, _ = scored_in_engine(definition, orders, LEAP_DAY, "UTC")

    assert {name: row[:3] for name, row in rows_of(scored).items()} == {"a": (1, 1, 50.0)}


def scored_in_engine(
    definition: RfmDefinition, orders: Sequence[Order], day: date, zone: str
) -> tuple[ir.Table, list[Cell]]:
    """Return the typed customers and the cells."""
    engine = backend_with(orders)
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    analysis = Analysis(
        definition,
        purchases(definition, {"orders": ORDERS}),
        day,
        Calendar(now, ZoneInfo(zone)),
    )
    measured = keep(engine, customers(analysis, engine.table))
    edges: Edges = ()
    if isinstance(definition.scoring, Bands):
        scored = with_band_scores(measured, definition.scoring)
    else:
        edges = quantile_edges(measured, definition.scoring)
        scored = with_edge_scores(measured, edges, definition.scoring)
    found = [Cell(**row) for row in cells(scored).to_pyarrow().to_pylist()]
    return with_type(scored, means_of(found, definition.baseline).least_high), found


def rows_of(scored: ir.Table) -> dict[str, tuple[Any, ...]]:
    """Return each customer's row: measures, scores, type."""
    rows = scored.to_pyarrow().to_pylist()
    found = {row.pop("customer"): tuple(row.values()) for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_last_hour_of_a_long_day_still_belongs_to_it() -> None:
    last_hour = datetime(2017, 10, 29, 22, 30, tzinfo=UTC).replace(tzinfo=None)
    orders = [("in time", last_hour, 1.0), ("after", last_hour + timedelta(minutes=30), 1.0)]
    definition = RfmDefinition("orders", Quantiles(2))

    scored, _ = scored_in_engine(definition, orders, date(2017, 10, 30), "Europe/Berlin")

    recency = {name: row[0] for name, row in rows_of(scored).items()}
    assert recency == {"in time": 1, "after": 0}
