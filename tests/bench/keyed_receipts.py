"""How many receipts a second are merged that name their message by request key and number.

N messages in requests of 1,000, receipts 500 a body as Alibaba Cloud pushes them, about in the
order of sending and wholly shuffled. The baseline is the merge of the same receipts by message id.
"""

import json
import random
import time
from collections.abc import Iterable, Sequence
from typing import Final

import psycopg

from tests.bench.measurement import Measurement, Place
from tests.bench.receipts import MONTH, merge_alone, merge_until, payloads, send_campaign
from textwave.kit.ids import first_message_id

DEFAULT_MESSAGES: Final = 100_000
REQUEST: Final = 1_000
BODY: Final = 500
NEAR: Final = 20_000
"""Receipts come in no order among so many neighbours, in the order of sending beyond."""


def measure(place: Place, rows: int | None) -> Measurement:
    """Merge receipts by key for so many messages; more is better."""
    count = rows or DEFAULT_MESSAGES
    owner = place.urls.owner
    send_campaign(owner, count)
    _write_requests(owner, count)
    _store(owner, list(payloads(count)), "thirdparty")
    merge_until(owner, -(-count * 21 // 20 // BODY))
    by_id = count * 1.05 / merge_alone(owner)
    near, shuffled = (_merge(owner, indexes) for indexes in _orders(count))
    detail: dict[str, float] = {"shuffled_per_second": round(shuffled)}
    return Measurement(
        "receipts-by-key", round(near), "receipts/s", round(by_id), near / by_id, count, detail
    )


def _orders(count: int) -> list[list[int]]:
    chance = random.Random(1)
    near: list[int] = []
    for start in range(0, count, NEAR):
        block = list(range(start, min(start + NEAR, count)))
        chance.shuffle(block)
        near += block
    return [near, chance.sample(range(count), count)]


def _merge(owner_url: str, indexes: Sequence[int]) -> float:
    """Return how many receipts a second are merged in this order."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("DELETE FROM callback_inbox")
    _store(owner_url, list(_bodies(indexes)), "aliyun")
    return len(indexes) / merge_alone(owner_url)


def _bodies(indexes: Sequence[int]) -> Iterable[bytes]:
    said = time.strftime("%Y-%m-%d %H:%M:%S")
    for start in range(0, len(indexes), BODY):
        yield json.dumps(
            [
                {
                    "phone_number": str(15400000000 + index),
                    "send_time": said,
                    "report_time": said,
                    "success": index % 20 != 0,
                    "err_code": "DELIVERED" if index % 20 else "MOBILE_NOT_ON_SERVICE",
                    "err_msg": "用户接收成功",
                    "sms_size": "1",
                    "biz_id": str(900_000_000 + index // REQUEST),
                    "out_id": f"bench-1-{index // REQUEST}-0",
                }
                for index in indexes[start : start + BODY]
            ]
        ).encode()


def _store(owner_url: str, bodies: Sequence[bytes], form: str) -> None:
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "SELECT store_callback(1, 'receipts', %s, %s)", [(body, form) for body in bodies]
        )


def _write_requests(owner_url: str, count: int) -> None:
    first = first_message_id(MONTH.date())
    with psycopg.connect(owner_url) as connection:
        connection.execute("INSERT INTO installation (name) VALUES ('bench')")
        connection.execute(
            "INSERT INTO request (campaign_id, number, workspace_id, batch_number, first_id,"
            " last_id, size, state, answered_at) SELECT 1, n, 1, 0, %(first)s + n * %(size)s,"
            " %(first)s + n * %(size)s + %(size)s - 1, %(size)s, 'accepted', now()"
            " FROM generate_series(0, %(last)s) AS n",
            {"first": first, "size": REQUEST, "last": (count - 1) // REQUEST},
        )
