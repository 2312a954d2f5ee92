"""RFM row by row: the rules as they are told, without any engine."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType, TableKind
from textwave.models.scoring import Band

Order = tuple[str | None, datetime | None, float | None]

ORDERS = CustomerTable(
    name="orders",
    kind=TableKind.ORDERS,
    columns=(
        Column("buyer", ColumnType.TEXT),
        Column("paid_at", ColumnType.TIME),
        Column("amount", ColumnType.NUMBER),
    ),
    customer_column="buyer",
    time_column="paid_at",
    amount_column="amount",
)
SCHEMA = pa.schema(
    [("buyer", pa.string()), ("paid_at", pa.timestamp("us")), ("amount", pa.float64())]
)


@dataclass(frozen=True)
class Customer:
    """One customer's purchases, added up."""

    recency_days: int
    frequency: int
    monetary: float

    @property
    def measures(self) -> tuple[float, float, float]:
        return self.recency_days, self.frequency, self.monetary


def add_up(
    orders: Sequence[Order], *, day: date, zone: ZoneInfo, last_days: int | None = None
) -> dict[str, Customer]:
    """Add up each customer's purchases that count."""
    held: dict[str, list[tuple[int, float]]] = {}
    for buyer, paid_at, amount in orders:
        if buyer is None or paid_at is None:
            continue
        days = (day - paid_at.replace(tzinfo=UTC).astimezone(zone).date()).days
        if days >= 0 and (last_days is None or days <= last_days):
            held.setdefault(buyer, []).append((days, amount or 0.0))
    return {
        buyer: Customer(
            min(days for days, _ in found),
            len(found),
            round(math.fsum(amount for _, amount in found), 6),
        )
        for buyer, found in held.items()
    }


def band_score(value: float, bands: Sequence[Band]) -> int:
    """Find the first band that the value does not exceed."""
    return next(band.score for band in bands if band.until is None or value <= band.until)


def edges(values: Sequence[float], count: int) -> list[float]:
    """Compute where scores begin: quantile of R's type 7, plus one."""
    ranked = sorted(values)
    found: list[float] = []
    for i in range(1, count):
        place = (len(ranked) - 1) * i / count
        low = math.floor(place)
        high = min(low + 1, len(ranked) - 1)
        quantile = ranked[low] + (ranked[high] - ranked[low]) * (place - low)
        found.append(round(quantile + 1, 9))
    return found


def quantile_scores(customers: Mapping[str, Customer], count: int) -> dict[str, list[int]]:
    """Score each customer by quantiles of all; recency in reverse."""
    of_dimension = list(zip(*(one.measures for one in customers.values()), strict=True))
    limits = [edges(values, count) for values in of_dimension]
    scores: dict[str, list[int]] = {}
    for name, one in customers.items():
        reached = [bisect_right(of, v) for of, v in zip(limits, one.measures, strict=True)]
        scores[name] = [count - reached[0], 1 + reached[1], 1 + reached[2]]
    return scores


def types_of(
    scores: Mapping[str, Sequence[int]], baseline: Sequence[float] | None
) -> dict[str, str]:
    """Tell each customer's type: high is at least the baseline, else at least the mean."""
    columns = list(zip(*scores.values(), strict=True))
    limits = baseline or [sum(column) / len(column) for column in columns]
    return {
        name: "".join("H" if s >= limit else "L" for s, limit in zip(of, limits, strict=True))
        for name, of in scores.items()
    }


def backend_with(orders: Sequence[Order]) -> Backend:
    """Hold the orders in an engine of their own."""
    rows = [dict(zip(SCHEMA.names, order, strict=True)) for order in orders]
    connection = duckdb.connect()
    connection.register("given", pa.Table.from_pylist(rows, schema=SCHEMA))
    connection.execute("CREATE TABLE orders AS FROM given")
    return ibis.duckdb.from_connection(connection)


def keep(backend: Backend, rows: ir.Table) -> ir.Table:
    """Compute the rows once, as a lake keeps them for a piece of work."""
    backend.con.execute(f"CREATE TEMP TABLE kept AS {backend.compile(rows)}")
    return backend.table("kept", database=("temp", "main"))
