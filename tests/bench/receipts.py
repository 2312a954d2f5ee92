"""How many receipts a second become durable and merged, pushed over real HTTP.

N messages, 5 % duplicates, shuffled, 500 a request, into the callback route on Granian, while a
second process merges. The baseline is a COPY of the same raw payloads.
"""

import asyncio
import json
import multiprocessing
import os
import random
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import psycopg
from fastapi import FastAPI

from tests.bench.measurement import Measurement, Place
from textwave.callbacks.routes import router
from textwave.kit.clock import SystemClock
from textwave.kit.ids import first_message_id, partition_bounds
from textwave.platforms.signing import signature_headers
from textwave.responses.operations import merge_receipts
from textwave.storage.ledger import open_ledger

DEFAULT_MESSAGES: Final = 200_000
RECEIPTS_A_REQUEST: Final = 500
CONNECTIONS: Final = 8
SHARED_KEY: Final = "benchmark"
PATH: Final = "/callbacks/gateway/receipts"
WEB_URL: Final = "TW_BENCH_WEB_URL"
ROOT: Final = Path(__file__).parents[2]
MONTH: Final = datetime(2026, 3, 10, tzinfo=UTC)


def measure(place: Place, rows: int | None) -> Measurement:
    """Push and merge receipts for so many messages; more is better."""
    count = rows or DEFAULT_MESSAGES
    send_campaign(place.urls.owner, count)
    bodies = list(payloads(count))
    copy_seconds = copy_payloads(place.urls.owner, bodies)
    with server(f"{__name__}:web_app", {WEB_URL: place.urls.web}) as port:
        context = multiprocessing.get_context("spawn")
        ready = context.Event()
        merger = context.Process(
            target=merge_until, args=(place.urls.owner, len(bodies), ready.set)
        )
        merger.start()
        ready.wait(60)
        began = time.perf_counter()
        asyncio.run(push(port, bodies))
        pushed = time.perf_counter() - began
        merger.join()
        seconds = time.perf_counter() - began
    again = merge_alone(place.urls.owner)
    receipts = sum(body.count(b'"messageId"') for body in bodies)
    rate, baseline = receipts / seconds, receipts / copy_seconds
    detail = {
        "seconds_pushing": round(pushed, 3),
        "seconds_until_merged": round(seconds, 3),
        "merge_alone_per_second": round(receipts / again),
        "read_alone_per_second": round(receipts / read_alone(bodies)),
    }
    return Measurement(
        "receipts", round(rate), "receipts/s", round(baseline), rate / baseline, count, detail
    )


def send_campaign(owner_url: str, count: int) -> None:
    """Write a campaign whose messages were all accepted."""
    low, high = partition_bounds(MONTH.date())
    first = first_message_id(MONTH.date())
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            f"""
            INSERT INTO organization (name) VALUES ('bench');
            INSERT INTO workspace (organization_id, name) VALUES (1, 'main');
            INSERT INTO platform (organization_id, name, kind, base_url, sealed_key,
                                  rate_per_second, max_batch, counting)
            VALUES (1, 'gateway', 'thirdparty', '', '', 1, 1, 'mainland');
            INSERT INTO signature (workspace_id, platform_id, name, state)
            VALUES (1, 1, 'S', 'approved');
            INSERT INTO template (workspace_id, platform_id, name, type, content, remark)
            VALUES (1, 1, 't', 'promotional', 'x', 'x');
            INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
            VALUES (1, 'a', 't', '{{}}', 'x');
            INSERT INTO token_key (version, sealed_secret) VALUES (1, '');
            INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
                                  audience_id, state, token_version, first_message_id,
                                  last_message_id, request_size, created_by, started_at)
            VALUES (1, 'c', 'promotional', 1, 1, 1, 1, 'sending', 1, {first}, {first + count - 1},
                    1000, 'x', now());
            INSERT INTO campaign_tally (campaign_id, workspace_id, messages)
            VALUES (1, 1, {count});
            CREATE TABLE message_2026_03 PARTITION OF message FOR VALUES FROM ({low}) TO ({high});
            INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts, variables)
            SELECT {first} + i, 1, 1, 8615400000000 + i, 'customer ' || i, 1,
                   ARRAY['first', 'second', 'third']
            FROM generate_series(0, {count - 1}) AS i
            """.encode()
        )
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE message")


def payloads(count: int) -> Iterator[bytes]:
    """Write shuffled receipts, one in twenty of them twice, as callback bodies."""
    chance = random.Random(1)
    first = first_message_id(MONTH.date())
    indexes = [*range(count), *chance.sample(range(count), count // 20)]
    chance.shuffle(indexes)
    reported = datetime.now(UTC).isoformat()
    for start in range(0, len(indexes), RECEIPTS_A_REQUEST):
        yield json.dumps(
            [
                {
                    "messageId": str(first + index),
                    "phoneNumber": str(15400000000 + index),
                    "status": "FAILED" if index % 20 == 0 else "DELIVERED",
                    "errorCode": "MOBILE_NOT_ON_SERVICE" if index % 20 == 0 else "",
                    "parts": 1,
                    "reportedAt": reported,
                }
                for index in indexes[start : start + RECEIPTS_A_REQUEST]
            ]
        ).encode()


def copy_payloads(owner_url: str, bodies: list[bytes]) -> float:
    """Copy the payloads into a plain table; return the seconds."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("CREATE TABLE raw_payload (body bytea)")
        began = time.perf_counter()
        with connection.cursor().copy("COPY raw_payload FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["bytea"])
            for body in bodies:
                copy.write_row((body,))
        connection.commit()
        return time.perf_counter() - began


def web_app() -> FastAPI:
    """Build the door as the web process does; Granian calls this."""
    opened = open_ledger(os.environ[WEB_URL])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with opened as ledger:
            routes = router(
                ledger=ledger,
                clock=SystemClock(),
                open_key=lambda _name, _sealed: SHARED_KEY,
                secret_of=lambda _name, _version: SHARED_KEY,
            )
            app.include_router(routes)
            yield

    return FastAPI(lifespan=lifespan)


@contextmanager
def server(target: str, environment: dict[str, str]) -> Generator[int]:
    """Run an application on Granian in a process of its own; give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--no-ws",
               "--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop",
               "--backpressure", "512", "--log-level", "error", target]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        wait_for(lambda: listening(port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def listening(port: int) -> bool:
    """Tell whether the port takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait at most 20 seconds for a condition."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


async def push(port: int, bodies: list[bytes]) -> None:
    """Post every body, a bounded number at a time, each signed."""
    waiting = iter(bodies)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def post_next() -> None:
            for body in waiting:
                timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
                headers = signature_headers(
                    SHARED_KEY, method="POST", path=PATH, timestamp=timestamp, nonce=nonce,
                    body=body,
                )  # fmt: skip
                address = f"{PATH}?timestamp={timestamp}&nonce={nonce}"
                async with session.post(address, data=body, headers=headers) as answer:
                    if answer.status != 200:
                        raise RuntimeError(await answer.text())

        await asyncio.gather(*(post_next() for _ in range(CONNECTIONS)))


def merge_until(owner_url: str, count: int, ready: Callable[[], None] = lambda: None) -> None:
    """Merge, as the worker's job does, until so many payloads are merged."""

    async def merge() -> None:
        merged = 0
        async with open_ledger(owner_url) as ledger:
            ready()
            while merged < count:
                taken = (await merge_receipts(ledger)).taken
                merged += taken
                if not taken:
                    await asyncio.sleep(0.02)

    asyncio.run(merge())


def merge_alone(owner_url: str) -> float:
    """Merge the same payloads into the same messages, all open again; return the seconds."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("UPDATE callback_inbox SET merged_at = NULL")
        connection.execute("UPDATE message SET state = NULL, cause = NULL, finished_at = NULL")
        connection.execute("UPDATE campaign_tally SET delivered = 0, failed = 0")
        connection.execute("DELETE FROM campaign_failure_tally")
        connection.execute("VACUUM ANALYZE message, callback_inbox")
        row = connection.execute("SELECT count(*) FROM callback_inbox").fetchone()
    began = time.perf_counter()
    merge_until(owner_url, row[0] if row else 0)
    return time.perf_counter() - began


def read_alone(bodies: list[bytes]) -> float:
    """Parse every body once; return the seconds."""
    from textwave.platforms.thirdparty import parse_receipts

    began = time.perf_counter()
    for body in bodies:
        parse_receipts(body)
    return time.perf_counter() - began
