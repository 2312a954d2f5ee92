from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from textwave.demo.shop import ShopFiles, write_shop

TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ShopFiles:
    folder = tmp_path_factory.mktemp("shop")
    return write_shop(folder, customers=20_000, seed=1, today=TODAY)


def ask(shop: ShopFiles, question: str) -> tuple[float, ...]:
    with duckdb.connect() as connection:
        for name, path in (("c", shop.customers_csv), ("o", shop.orders_csv)):
            connection.execute(
                f"CREATE TABLE {name} AS FROM read_csv('{path}', types={{'mobile': 'VARCHAR'}})"
                if name == "c"
                else f"CREATE TABLE {name} AS FROM '{path}'"
            )
        row = connection.execute(question).fetchone()
    assert row is not None
    return tuple(float(value) for value in row)


def test_a_seed_always_makes_the_same_shop(tmp_path: Path) -> None:
    def written(folder: str, seed: int) -> bytes:
        files = write_shop(tmp_path / folder, customers=500, seed=seed, today=TODAY)
        return files.customers_csv.read_bytes() + files.orders_csv.read_bytes()

    assert written("a", 7) == written("b", 7) != written("c", 8)


def test_a_shop_is_written_once_a_day(tmp_path: Path) -> None:
    def written(today: date) -> ShopFiles:
        return write_shop(tmp_path, customers=100, seed=1, today=today)

    first = written(TODAY)
    marked = first.customers_csv.read_bytes() + b"a mark\n"
    first.customers_csv.write_bytes(marked)
    first.orders_csv.unlink()  # as when the writing was cut off
    assert written(TODAY) == first
    assert first.customers_csv.read_bytes() == marked
    next_day = written(TODAY + timedelta(days=1))
    assert next_day != first
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for files in (first, next_day) for path in (files.customers_csv, files.orders_csv)
    }


def test_customers_have_keys_of_their_own(shop: ShopFiles) -> None:
    assert ask(shop, "SELECT count(*), count(DISTINCT customer_id) FROM c") == (20_000, 20_000)


def test_the_demo_audience_is_a_few_percent(shop: ShopFiles) -> None:
    [share] = ask(
        shop,
        "SELECT count(*) / 20000 FROM c WHERE gender = 'female' AND level >= 3 "
        "AND city IN ('Shanghai', 'Hangzhou') AND (SELECT count(*) FROM o WHERE "
        "o.customer_id = c.customer_id AND ordered_at >= DATE '2026-03-01' - 90) >= 2",
    )
    assert 0.05 <= share <= 0.08


def test_orders_are_skewed_and_end_yesterday(shop: ShopFiles) -> None:
    average, most, first_day, last_day = ask(
        shop,
        "SELECT (SELECT count(*) FROM o) / 20000, (SELECT max(n) FROM (SELECT count(*) n FROM o "
        "GROUP BY customer_id)), DATE '2026-03-01' - min(ordered_at)::DATE, "
        "DATE '2026-03-01' - max(ordered_at)::DATE FROM o",
    )
    assert 4.5 <= average <= 5.5
    assert most > 40
    assert (first_day, last_day) == (730, 1)


def test_some_numbers_are_missing_bad_doubled_and_foreign(shop: ShopFiles) -> None:
    missing, foreign, bad, doubled = ask(
        shop,
        "SELECT count(*) FILTER (mobile IS NULL), count(*) FILTER (starts_with(mobile, '+44')), "
        "count(*) FILTER (length(mobile) < 11), count(mobile) - count(DISTINCT mobile) FROM c",
    )
    assert all(100 < count < 1_000 for count in (missing, foreign, bad, doubled))
