"""The results that the R package `rfm` publishes for its data set of 4,906 orders.

The data set is no part of the repository: where it lies beside the clone, its figures must come out
exactly; everywhere else the same rule is held against the oracle (`test_rfm`).
"""

import csv
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.models.purchases import Order
from tests.models.test_rfm import rows_of, scored_in_engine
from textwave.models.definition import RfmDefinition
from textwave.models.scoring import Quantiles

FILE = Path(__file__).parents[3] / "shared" / "data" / "orders.csv"
DAY = date(2006, 12, 31)
CUSTOMERS = {
    "Abbey O'Reilly": (205, 6, 472, 3, 4, 3),
    "Add Senger": (140, 3, 340, 4, 1, 2),
    "Aden Lesch": (194, 4, 405, 3, 2, 3),
    "Aden Murphy": (98, 7, 596, 5, 4, 4),
    "Admiral Senger": (132, 5, 448, 4, 3, 3),
    "Agness O'Keefe": (90, 9, 843, 5, 5, 5),
    "Aileen Barton": (84, 9, 763, 5, 5, 5),
    "Ailene Hermann": (281, 8, 699, 3, 5, 5),
    "Aiyanna Bruen": (246, 4, 157, 3, 2, 1),
    "Akeelah Walsh": (160, 7, 779, 4, 4, 5),
}
# Lowest and highest R, F and M; the first that fits wins.
SEGMENTS = {
    "Champions": (5, 5, 5, 5, 5, 5),
    "Potential Loyalist": (3, 5, 3, 5, 2, 5),
    "Loyal Customers": (2, 4, 2, 4, 2, 4),
    "Promising": (3, 4, 1, 3, 3, 5),
    "New Customers": (4, 5, 1, 3, 1, 5),
    "Can't Lose Them": (1, 2, 3, 4, 4, 5),
    "At Risk": (1, 2, 2, 5, 4, 5),
    "Need Attention": (1, 3, 3, 5, 3, 5),
    "About To Sleep": (2, 3, 1, 3, 1, 4),
    "Lost": (1, 1, 1, 5, 1, 5),
}
SEGMENT_TABLE = {
    "About To Sleep": (102, 283, 23_449),
    "At Risk": (28, 216, 22_227),
    "Can't Lose Them": (47, 274, 32_446),
    "Champions": (35, 316, 31_646),
    "Lost": (148, 393, 35_324),
    "Loyal Customers": (170, 799, 76_562),
    "Need Attention": (10, 57, 4_562),
    "New Customers": (104, 329, 28_837),
    "Potential Loyalist": (342, 2_211, 204_856),
    "Promising": (9, 28, 4_249),
}
Row = tuple[int, int, float, int, int, int]

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason=f"{FILE} is not there; the oracle tests hold the rule without it"
)


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    with FILE.open(encoding="utf-8") as file:
        orders: list[Order] = [
            (
                row["customer_id"],
                datetime.fromisoformat(row["order_date"]),
                float(row["revenue"]),
            )
            for row in csv.DictReader(file)
        ]
    scored, _ = scored_in_engine(RfmDefinition("orders", Quantiles(5)), orders, DAY, "UTC")
    return {name: row[:6] for name, row in rows_of(scored).items()}


def test_the_ten_published_customers_have_their_scores(rows: dict[str, Row]) -> None:
    assert {name: rows[name] for name in CUSTOMERS} == CUSTOMERS


def test_the_published_segments_have_their_customers_orders_and_revenue(
    rows: dict[str, Row],
) -> None:
    held: dict[str, list[Row]] = defaultdict(list)
    for row in rows.values():
        held[segment_of(*row[3:])].append(row)

    assert {name: summed(of) for name, of in held.items()} == SEGMENT_TABLE
    assert sum(orders for _, orders, _ in SEGMENT_TABLE.values()) == 4_906


def test_the_other_champions_are_158_customers(rows: dict[str, Row]) -> None:
    champions = [row for row in rows.values() if min(row[3:]) >= 4]

    assert summed(champions) == (158, 1_234, 120_178)


def test_the_heat_map_of_mean_amounts_sums_to_what_is_published(rows: dict[str, Row]) -> None:
    held: dict[tuple[int, int], list[float]] = defaultdict(list)
    for _, _, amount, r, f, _ in rows.values():
        held[r, f].append(amount)

    assert round(sum(sum(amounts) / len(amounts) for amounts in held.values())) == 12_634


def summed(rows: list[Row]) -> tuple[int, int, float]:
    return len(rows), sum(row[1] for row in rows), sum(row[2] for row in rows)


def segment_of(r: int, f: int, m: int) -> str:
    for name, (r_low, r_high, f_low, f_high, m_low, m_high) in SEGMENTS.items():
        if r_low <= r <= r_high and f_low <= f <= f_high and m_low <= m <= m_high:
            return name
    return "Others"
