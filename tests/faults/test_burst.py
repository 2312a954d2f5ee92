"""Receipts and replies as platforms send them at their worst, to the real door over real HTTP.

Duplicated, in no order, of messages nobody knows, in one burst, and malformed among good ones: a
body is durable as a whole or refused as a whole. `make faults` pushes 100,000.
"""

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.faults.play import CALM, begin, report_of, templates, until
from tests.faults.theatre import Workers, sandbox, web
from tests.stage import KEY, SHANGHAI, Stage
from textwave.insights.store import recount
from textwave.platforms.signing import signature_headers
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import value

RECEIPTS = 100_000 if "KILLS" in os.environ else 3_000
MESSAGES = RECEIPTS // 2
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)
ITEMS = 500
UNKNOWN_ID = 7_000_000_000_000_000_000
MALFORMED: list[dict[str, Any]] = [
    {"messageId": "x"}, {"status": 7}, {"reportedAt": "the other day"}, {"parts": 999},
]  # fmt: skip

pytestmark = pytest.mark.slow


async def test_a_burst_is_taken_whole_and_what_is_malformed_is_refused_whole(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    silent = {"push": False, "delivered": 0.0, "failed": 0.0, "expired": 0.0} | {"no_receipt": 1.0}
    workers = Workers(tmp_path, urls)
    with (
        sandbox(tmp_path, templates_file=templates(tmp_path), **(CALM | silent)) as witness,
        web(tmp_path, urls) as url,
    ):
        campaign_id = await begin(stage, witness.url, MESSAGES)
        workers.start()

        async def sent() -> bool:
            return (await report_of(stage)).state == "completed"

        await until(sent, "the campaign", 120 + MESSAGES / 500)
        ids = await message_ids(stage)
        good = burst(ids, chance)
        bad = [spoilt(batch, chance) for batch in good[:4]]
        answers = await push_all(url, "receipts", [*good, *bad], chance)
        assert answers == {200: len(good), 400: len(bad)}, f"seed {SEED}"
        assert await durable(stage, "receipts") == len(good)

        async def merged() -> bool:
            return (await report_of(stage)).waiting == 0

        await until(merged, f"seed {SEED}: every receipt", 60 + RECEIPTS / 500)
        texts = [replies(chance, n) for n in range(4)]
        assert await push_all(url, "replies", texts * 2, chance) == {200: 8}

        async def read() -> bool:
            async with stage.ledger.transaction() as connection:
                return await value(connection, "SELECT count(*) FROM reply") == 40

        await until(read, "every reply, once")
        workers.kill()
    report = await report_of(stage)
    async with stage.ledger.transaction() as connection:
        counted = await recount(connection, campaign_id)
    failing = {id_ for id_ in ids if id_ % 10 == 0}
    assert (report.failed, report.delivered) == (len(failing), len(ids) - len(failing))
    assert (counted.delivered, counted.failed) == (report.delivered, report.failed)


async def message_ids(stage: Stage) -> list[int]:
    async with stage.ledger.transaction() as connection:
        cursor = await connection.execute("SELECT id FROM message ORDER BY id")
        return [row[0] for row in await cursor.fetchall()]


def burst(ids: list[int], chance: random.Random) -> list[list[dict[str, Any]]]:
    """Report each message at least once, many twice, and some that nobody knows; shuffled."""
    told = [receipt(id_) for id_ in ids]
    told += [receipt(chance.choice(ids)) for _ in range(RECEIPTS - len(told) - len(ids) // 10)]
    told += [receipt(UNKNOWN_ID + n) for n in range(len(ids) // 10)]
    chance.shuffle(told)
    return [told[n : n + ITEMS] for n in range(0, len(told), ITEMS)]


def receipt(message_id: int) -> dict[str, Any]:
    failed = message_id % 10 == 0
    return {
        "messageId": str(message_id),
        "status": "FAILED" if failed else "DELIVERED",
        "errorCode": "UNREACHABLE" if failed else "",
        "parts": 1,
        "reportedAt": "2026-11-22T10:00:00Z",
    }


def spoilt(batch: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """Return the batch with one item in it that is none."""
    place = chance.randrange(len(batch))
    return [*batch[:place], batch[place] | chance.choice(MALFORMED), *batch[place + 1 :]]


def replies(chance: random.Random, number: int) -> list[dict[str, Any]]:
    told = [
        {
            "replyId": f"r{number}-{n}",
            "phoneNumber": str(SHANGHAI + n * 7),
            "content": chance.choice(["T", "thank you", "退订", "🙃"]),
            "signName": "Textwave",
            "receivedAt": "2026-11-22T10:00:01Z",
        }
        for n in range(10)
    ]
    chance.shuffle(told)
    return told


async def push_all(
    url: str, kind: str, bodies: list[list[dict[str, Any]]], chance: random.Random
) -> Counter[int]:
    """Push everything at once over 16 connections; return how often each status came."""
    chance.shuffle(bodies)
    connector = aiohttp.TCPConnector(limit=16)
    async with aiohttp.ClientSession(connector=connector) as http:
        statuses = await asyncio.gather(*(push(http, url, kind, body) for body in bodies))
    return Counter(statuses)


async def push(
    http: aiohttp.ClientSession, url: str, kind: str, items: list[dict[str, Any]]
) -> int:
    path, body = f"/callbacks/sandbox/{kind}", msgspec.json.encode(items)
    stamp, nonce = str(int(time.time())), secrets.token_hex(16)
    headers = signature_headers(
        KEY, method="POST", path=path, timestamp=stamp, nonce=nonce, body=body
    )
    params = {"timestamp": stamp, "nonce": nonce}
    headers["Content-Type"] = "application/json"
    async with http.post(url + path, params=params, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def durable(stage: Stage, kind: str) -> int:
    statement = "SELECT count(*) FROM callback_inbox WHERE kind = %(kind)s"
    async with stage.ledger.transaction() as connection:
        found: int = await value(connection, statement, {"kind": kind})
        return found
