"""A made-up shop as two CSV files: its customers and two years of orders, the same for a seed.

Nothing in it is anybody's: mobile numbers have prefixes that no carrier was given. About one in
twenty of the numbers is missing, bad, doubled or foreign, as in real lists.
"""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

_CITIES: Final = (
    *("Shanghai",) * 13, *("Hangzhou",) * 10, *("Beijing",) * 5, *("Shenzhen",) * 4,
    *("Guangzhou",) * 4, *("Chengdu",) * 3, *("Nanjing",) * 3, *("Wuhan",) * 2,
    *("Suzhou",) * 2, *("Chongqing",) * 2, "Xian", "Qingdao",
)  # fmt: skip
_FEMALE_NAMES: Final = ("Fang", "Min", "Jing", "Li", "Yan", "Xiu", "Na", "Mei", "Ying", "Xue")
_MALE_NAMES: Final = ("Wei", "Jun", "Lei", "Qiang", "Yong", "Tao", "Ming", "Chao", "Bo", "Hao")
_PREFIXES: Final = ("154", "164", "169", "179", "194")
_LEVELS: Final = (1, 1, 2, 3, 3, 3, 4, 4, 4, 5)
_TAGS: Final = ("vip", "newsletter", "coupons", "gifts", "kids", "pets", "sports", "outdoor")
_PRODUCTS: Final = (
    "Green tea", "Umbrella", "Thermos", "Notebook", "Scarf",
    "Face cream", "Running shoes", "Rice cooker", "Headphones", "Winter coat",
)  # fmt: skip
_PRICES: Final = (48, 79, 129, 25, 159, 238, 469, 599, 899, 1299)
_STATUSES: Final = (*("finished",) * 17, "paid", "refunded", "cancelled")


@dataclass(frozen=True, slots=True)
class ShopFiles:
    """Where the shop was written to."""

    customers_csv: Path
    orders_csv: Path


def write_shop(folder: Path, *, customers: int, seed: int, today: date) -> ShopFiles:
    """Write the customers and their orders as CSV into the folder; the last order is of yesterday.

    About 7 % of the customers are women in Shanghai or Hangzhou of level 3 or more with two
    orders or more in the last 90 days; a customer has about five orders, a few have very many.
    Size, seed and day are in the files' names: a file that is there already is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = f"{customers}-{seed}-{today.isoformat()}.csv"
    files = ShopFiles(folder / f"customers-{suffix}", folder / f"orders-{suffix}")
    wanted = ((_CUSTOMERS, files.customers_csv), (_ORDERS, files.orders_csv))
    missing = [(query, path) for query, path in wanted if not path.exists()]
    if not missing:
        return files
    with duckdb.connect() as connection:
        for statement in _macros(seed, today):
            connection.execute(statement)
        for query, path in missing:
            _write(connection, query.replace("$customers", str(customers)), path)
    return files


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write under another name first, so that a file of that name is a whole one."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    target = str(unfinished).replace("'", "''")
    try:
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT csv, HEADER)")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _macros(seed: int, today: date) -> tuple[str, ...]:
    """Return the draws: each from a hash of seed, row and draw, so the order of work is free."""
    options = {
        "cities": _CITIES,
        "female_names": _FEMALE_NAMES,
        "male_names": _MALE_NAMES,
        "prefixes": _PREFIXES,
        "levels": _LEVELS,
        "tags": _TAGS,
        "products": _PRODUCTS,
        "prices": _PRICES,
        "statuses": _STATUSES,
    }
    return (
        f"CREATE MACRO today() AS TIMESTAMP '{today.isoformat()}'",
        f"CREATE MACRO seed() AS {int(seed)}::BIGINT",
        "CREATE MACRO share(i, draw) AS (hash(i::BIGINT, draw, seed()) >> 11) / pow(2::DOUBLE, 53)",
        "CREATE MACRO below(n, i, draw) AS floor(share(i, draw) * n)::BIGINT",
        *(f"CREATE MACRO {name}() AS {list(values)!r}" for name, values in options.items()),
        "CREATE MACRO pick(options, i, draw) AS options[1 + below(len(options), i, draw)]",
        "CREATE MACRO digits(i) AS (i * 48271 + seed() % 10000019) % 100000000",
        "CREATE MACRO number_of(i) AS prefixes()[1 + i % 5] || lpad(digits(i)::VARCHAR, 8, '0')",
        "CREATE MACRO key_of(i) AS 'C' || lpad(i::VARCHAR, 8, '0')",
    )


_CUSTOMERS: Final = """
SELECT key_of(i) AS customer_id,
    CASE WHEN kind < 0.010 THEN ''
         WHEN kind < 0.020 THEN number_of(i)[:4 + below(6, i, 'cut')]
         WHEN kind < 0.030 THEN '+447700900' || lpad(below(1000, i, 'abroad')::VARCHAR, 3, '0')
         WHEN kind < 0.045 THEN number_of(below(i, i, 'twin'))
         WHEN kind < 0.065 THEN '+86 ' || number_of(i)
         ELSE number_of(i) END AS mobile,
    pick(CASE WHEN female THEN female_names() ELSE male_names() END, i, 'name') AS first_name,
    CASE WHEN female THEN 'female' ELSE 'male' END AS gender,
    pick(cities(), i, 'city') AS city,
    pick(levels(), i, 'level') AS level,
    CASE WHEN share(i, 'no birthday') < 0.95
         THEN DATE '1950-01-01' + below(20000, i, 'birthday')::INTEGER END AS birthday,
    today() - to_seconds(1 + below(1500 * 86400, i, 'registered')) AS registered_at,
    array_to_string(tags()[1 + below(8, i, 'tag'):below(8, i, 'tag') + below(4, i, 'tags')], ';')
        AS tags
FROM (SELECT range AS i, share(range, 'number') AS kind, share(range, 'gender') < 0.55 AS female
      FROM range($customers))
"""

_ORDERS: Final = """
SELECT 'N' || lpad(i::VARCHAR, 8, '0') || '-' || k AS order_no,
    key_of(i) AS customer_id,
    today() - to_days(1 + floor(730 * pow(share(o, 'day'), 2))::INTEGER)
        + to_seconds(25200 + below(57600, o, 'second')) AS ordered_at,
    prices()[1 + product] * (1 + below(3, o, 'pieces')) AS amount,
    products()[1 + product] AS product,
    pick(statuses(), o, 'status') AS status
FROM (SELECT i, k, i * 1000 + k AS o, below(10, i * 1000 + k, 'product') AS product
      FROM (SELECT i, unnest(range(least(999, floor(-average * ln(1 - share(i, 'orders')))
                ::BIGINT))) AS k
            FROM (SELECT range AS i,
                      CASE WHEN share(range, 'fan') < 0.02 THEN 20.0 ELSE 5.2 END AS average
                  FROM range($customers))))
"""
