"""RFM as Ibis expressions: customers, their scores and their cells, the same in every engine.

A purchase counts when its customer and time are known, it is not after the day of the analysis, and
all conditions hold. The score of a quantile begins one above it, as the R package `rfm` has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.compile import select_rows
from textwave.audiences.identity import row_id
from textwave.audiences.rule import All
from textwave.audiences.tables import OWN_KEY, Source, Surroundings
from textwave.models.days import days_until, midnight
from textwave.models.definition import Purchases, RfmDefinition, as_root
from textwave.models.scoring import MEASURES, Band, Bands, Quantiles

SCORES: Final = ("r", "f", "m")
DECIMALS: Final = 6
"""Amounts are summed and rounded to so many decimals: sums of doubles differ with their order."""
EDGE_DECIMALS: Final = 9
Edges = tuple[tuple[float, ...], ...]
"""For R, F and M: from which value on (included) the next score begins."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A definition over the purchases of a workspace, on a day of its calendar."""

    definition: RfmDefinition
    purchases: Purchases
    day: date
    calendar: Calendar

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin."""
        return self.calendar.zone


def customers(analysis: Analysis, source: Source) -> ir.Table:
    """Return one row a customer: customer, recency_days, frequency, monetary."""
    parts = analysis.purchases
    rows = _rows(analysis, source)
    amount: Any = rows[parts.amount]
    times: Any = rows[parts.time]
    counted: Any = rows.count() if parts.count is None else _column(rows, parts.count).sum()
    summed = rows.group_by(customer=_customer(parts, rows)).aggregate(
        last=times.max(), frequency=counted, monetary=amount.sum()
    )
    return summed.select(
        "customer",
        recency_days=days_until(summed["last"], analysis.day, analysis.zone),
        frequency=_column(summed, "frequency").fill_null(0).cast("int64"),
        monetary=_column(summed, "monetary").fill_null(0).cast("float64").round(DECIMALS),
    )


def _customer(parts: Purchases, rows: ir.Table) -> Any:
    """Return whose a purchase is: an id of the table's type, normalised, as text."""
    if parts.id_type == OWN_KEY:
        return rows[parts.customer]
    return row_id(parts.table, rows).cast("string")


def _rows(analysis: Analysis, source: Source) -> ir.Table:
    parts, definition = analysis.purchases, analysis.definition
    rows = source(parts.table.name)
    if definition.where:
        rows = select_rows(
            All(of=definition.where),
            table=parts.table.name,
            known=Surroundings({parts.table.name: as_root(parts.table)}),
            source=source,
            calendar=analysis.calendar,
        )
    times: Any = rows[parts.time]
    conditions = [
        _customer(parts, rows).notnull(),
        times < midnight(analysis.day + timedelta(days=1), analysis.zone),
    ]
    if definition.last_days is not None:
        first = analysis.day - timedelta(days=definition.last_days)
        conditions.append(times >= midnight(first, analysis.zone))
    return rows.filter(*conditions)


def quantile_edges(measured: ir.Table, quantiles: Quantiles) -> Edges:
    """Compute the edges: R type 7 quantiles of each measure, plus one; none without customers."""
    shares = [i / quantiles.count for i in range(1, quantiles.count)]
    row = (
        measured.aggregate(**{name: _column(measured, name).quantile(shares) for name in MEASURES})
        .to_pyarrow()
        .to_pylist()[0]
    )
    return tuple(
        tuple(round(float(value) + 1, EDGE_DECIMALS) for value in row[name] or ())
        for name in MEASURES
    )


def with_band_scores(measured: ir.Table, bands: Bands) -> ir.Table:
    """Add the scores r, f and m by bands."""
    pairs = zip(SCORES, MEASURES, bands.of_dimensions, strict=True)
    return measured.mutate(
        **{score: _banded(_column(measured, name), of) for score, name, of in pairs}
    )


def with_edge_scores(measured: ir.Table, edges: Edges, quantiles: Quantiles) -> ir.Table:
    """Add the scores r, f and m by the edges of quantiles; fewer days since are a higher score."""
    count = quantiles.count
    recency, frequency, monetary = (
        _passed(_column(measured, name), of) for name, of in zip(MEASURES, edges, strict=True)
    )
    return measured.mutate(r=count - recency, f=1 + frequency, m=1 + monetary)


def cells(scored: ir.Table) -> ir.Table:
    """Sum up by the three scores: r, f, m, users, orders, amount."""
    return scored.group_by(list(SCORES)).aggregate(
        users=scored.count(),
        orders=_column(scored, "frequency").sum(),
        amount=_column(scored, "monetary").sum(),
    )


def with_type(scored: ir.Table, least_high: Sequence[int]) -> ir.Table:
    """Add the type: a letter for R, F and M, H from the least high score on."""
    letters = [
        (_column(scored, score) >= least).ifelse("H", "L")
        for score, least in zip(SCORES, least_high, strict=True)
    ]
    return scored.mutate(type=letters[0] + letters[1] + letters[2])


def _banded(column: Any, bands: tuple[Band, ...]) -> Any:
    scores = [ibis.literal(band.score, "int64") for band in bands]
    branches = [
        (column <= band.until, score) for band, score in zip(bands[:-1], scores[:-1], strict=True)
    ]
    return ibis.cases(*branches, else_=scores[-1]) if branches else scores[-1]


def _passed(column: Any, edges: tuple[float, ...]) -> Any:
    """Count the edges that a value has reached; they rise, so the highest one says it."""
    branches = [(column >= edge, ibis.literal(i, "int64")) for i, edge in _from_the_top(edges)]
    zero = ibis.literal(0, "int64")
    return ibis.cases(*branches, else_=zero) if branches else zero


def _from_the_top(edges: tuple[float, ...]) -> list[tuple[int, float]]:
    return list(enumerate(edges, start=1))[::-1]


def _column(table: ir.Table, name: str) -> Any:
    return cast("Any", table[name])
