"""A shop's tables full of gaps, twins, empty texts and edges of days, always the same ones.

They come to the lake as they would in life: in several imports, with rows deleted and put again
in between, and with a column that came later.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from tests.audiences.shop import NOW, SCHEMAS
from textwave.storage.warehouse import Lake

CUSTOMERS: Final = 240
_MIDNIGHT: Final = NOW.replace(hour=0, minute=0, tzinfo=None)
_WORDS: Final = [None, "", " ", "a", "b", "ab", "ba", "上海", "%", "_", "é", "\U0001f600"]
_COUNTED_BY_MODELS: Final = frozenset({"rfm_score", "aipl_label", "audience_member"})


def fill(lake: Lake) -> None:
    """Write all tables of the shop that models and snapshots do not write."""
    chance = random.Random(7)
    for table, columns in SCHEMAS.items():
        if table not in _COUNTED_BY_MODELS:
            rows = _ROWS[table](chance)
            _write(lake, table, pa.schema(columns), rows)
    _give_flags(lake)


def _write(lake: Lake, table: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
    """Write in three pieces; the last column is added after the first, some rows come again."""
    name, third = lake.qualified(table), len(rows) // 3
    later = schema.names[-1]
    early = pa.Table.from_pylist(rows[:third], schema).drop_columns([later])
    lake.duckdb.register("early", early)
    lake.duckdb.execute(f"CREATE TABLE {name} AS FROM early")
    lake.duckdb.register("given", pa.Table.from_pylist(rows, schema))
    kind = lake.duckdb.sql(f'SELECT "{later}" FROM given').types[0]
    lake.duckdb.execute(f'ALTER TABLE {name} ADD COLUMN "{later}" {kind}')
    if table == "customers":  # an upsert: every fifth row of the first piece
        again = f"FROM given LIMIT {third} OFFSET 0"
        keys = f"SELECT id {again}"
        lake.duckdb.execute(f"DELETE FROM {name} WHERE id IN (SELECT id FROM ({keys}))")
        lake.duckdb.execute(f"INSERT INTO {name} BY NAME {again}")
    for piece in (1, 2):
        end = f"LIMIT {third if piece == 1 else len(rows)} OFFSET {piece * third}"
        lake.duckdb.execute(f"INSERT INTO {name} BY NAME FROM given {end}")
    lake.duckdb.execute(f"DELETE FROM {name} WHERE rowid % 17 = 3")
    lake.duckdb.execute(f"DELETE FROM {name} WHERE rowid % 17 = 4")
    lake.duckdb.unregister("given")
    lake.duckdb.unregister("early")


def _give_flags(lake: Lake) -> None:
    """Say which numbers are bad, as an import does."""
    name = lake.qualified("customers")
    lake.duckdb.execute(f"ALTER TABLE {name} ADD COLUMN textwave_bad_mobile BOOLEAN")
    lake.duckdb.execute(
        f"UPDATE {name} SET textwave_bad_mobile = textwave_mobile IS NULL AND id LIKE '%5'"
    )


def _moment(chance: random.Random) -> datetime:
    """Return a time around a midnight, of the workspace or of UTC, of this or another year."""
    day = _MIDNIGHT - timedelta(
        days=chance.choice([-6, -1, 0, 0, 1, 2, 7, 8, 30, 59, 60, 365, 366])
    )
    hour = timedelta(hours=chance.choice([0, 4, 15, 16, 17, 23]))
    return day + hour + timedelta(microseconds=chance.choice([-1, 0, 1]))


def _customer(chance: random.Random) -> str | None:
    return chance.choice([None, "", f"c{chance.randrange(CUSTOMERS + 20)}", "C1"])


def _known(chance: random.Random) -> str:
    return f"c{chance.randrange(CUSTOMERS)}"


def _number(chance: random.Random) -> int:
    return 8615400000000 + chance.randrange(CUSTOMERS)


def _amount(chance: random.Random) -> float | None:
    return chance.choice([None, 0.0, -5.0, 0.1, 0.2, 0.3, 99.99, 100.0, 100.01, 2.5, 1e5])


def _maybe(chance: random.Random, value: Any) -> Any:
    return None if chance.random() < 0.2 else value


def _customers(chance: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "id": "" if i == 0 else f"c{i}",
            "city": chance.choice(_WORDS),
            "level": chance.choice([None, 0.0, 1.0, 2.0, 2.5, 3.0, -1.0]),
            "joined": _maybe(chance, _moment(chance)),
            "tags": chance.choice([None, [], ["a"], ["a", "a", "b"], ["b", ""], [None, "上海"]]),
            "mail": chance.choice([None, "", f" U{i}@x", f"u{i % 9}@X "]),
            "open_id": chance.choice([None, f"o{i}", f" o{i % 7} "]),
            "textwave_mobile": (number := _maybe(chance, _number(chance))),
            "textwave_mobiles": [] if number is None else [number, number + 1],
        }
        for i in range(CUSTOMERS)
    ]


def _orders(chance: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "customer": _known(chance) if chance.random() < 0.9 else _customer(chance),
            "channel": chance.choice(_WORDS),
            "paid_at": _maybe(chance, _moment(chance)),
            "amount": _amount(chance),
        }
        for _ in range(900)
    ]


def _visits(chance: random.Random) -> list[dict[str, Any]]:
    return [{"who": _customer(chance), "page": chance.choice(_WORDS)} for _ in range(300)]


def _calls(chance: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "number": "written",
            "topic": chance.choice(_WORDS),
            "called_at": _maybe(chance, _moment(chance)),
            "textwave_mobile": _maybe(chance, _number(chance)),
        }
        for _ in range(200)
    ]


def _points(chance: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "holder": chance.choice([None, f"o{chance.randrange(60)}", f" o{chance.randrange(9)}"]),
            "day": _maybe(chance, _moment(chance)),
            "points": _amount(chance),
        }
        for _ in range(300)
    ]


def _profiles(chance: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "address": chance.choice([f"u{i}@x", f"U{i}@X "]),
            "hobby": chance.choice(_WORDS),
            "born": _maybe(chance, _moment(chance).replace(year=chance.choice([1988, 2000, 2001]))),
        }
        for i in range(60)
    ]


def _summaries(chance: random.Random) -> list[dict[str, Any]]:
    return [{"customer": f"c{i}", "spent": _amount(chance)} for i in range(0, CUSTOMERS, 2)]


def _messages(chance: random.Random) -> list[dict[str, Any]]:
    types = ("sent", "sent", "delivered", "failed", "clicked", "replied", "opted_out", "dropped")
    return [
        {
            "customer": _known(chance),
            "type": chance.choice(types),
            "result": chance.choice([None, "human", "bot", "no receipt", "opted out"]),
            "campaign_id": chance.choice([1, 1, 2]),
            "happened_at": _moment(chance),
        }
        for _ in range(400)
    ]


def _lists(chance: random.Random) -> list[dict[str, Any]]:
    keys = [{"list_id": 1, "value": _known(chance)} for _ in range(40)]
    numbers = [{"list_id": 2, "value": str(_number(chance))} for _ in range(40)]
    odd = [{"list_id": 2, "value": "no number"}]
    addresses = [{"list_id": 3, "value": f"u{i}@x"} for i in range(0, 40, 3)]
    return [*keys, *numbers, *odd, *addresses]


_ROWS: Final[dict[str, Callable[[random.Random], list[dict[str, Any]]]]] = {
    "customers": _customers,
    "orders": _orders,
    "visits": _visits,
    "calls": _calls,
    "points": _points,
    "profiles": _profiles,
    "summaries": _summaries,
    "message_event": _messages,
    "list_id": _lists,
}
