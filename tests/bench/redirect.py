"""How many clicks a second are redirected, each durable before its 302 leaves.

Token links, 64 connections, the load generator in a process of its own. The baseline is a bare ASGI
302 on the same server with the same settings and the same generator.
"""

import asyncio
import multiprocessing
import os
import time
from datetime import timedelta
from typing import Any, Final

import psycopg

from tests.bench.measurement import Measurement, Place
from tests.bench.receipts import send_campaign, server
from textwave.content.tokens import TokenKey, tokens
from textwave.kit.clock import SystemClock
from textwave.links.app import Application, Receive, Scope, Send, Site, build

DEFAULT_CLICKS: Final = 60_000
CONNECTIONS: Final = 64
CODE: Final = "rksqdc"
WEB_URL: Final = "TW_BENCH_WEB_URL"
LIFE: Final = timedelta(days=1)


def measure(place: Place, rows: int | None) -> Measurement:
    """Follow so many token links; more is better."""
    count = rows or DEFAULT_CLICKS
    send_campaign(place.urls.owner, 1)
    with psycopg.connect(place.urls.owner) as connection:
        connection.execute(
            "INSERT INTO short_link (workspace_id, name, code, long_url, expires_at)"
            " VALUES (1, 'bench', %s, 'https://shop.example/spring', now() + %s)",
            [CODE, LIFE],
        )
    bare_rate, bare_p99 = follow(f"{__name__}:bare_app", {}, count)
    rate, p99 = follow(f"{__name__}:links_app", {WEB_URL: place.urls.web}, count)
    with psycopg.connect(place.urls.owner) as connection:
        row = connection.execute("SELECT count(*) FROM click_inbox").fetchone()
    if not row or row[0] < count:
        raise RuntimeError(f"{row} clicks are durable of {count}")
    detail = {"p99_milliseconds": p99, "baseline_p99_milliseconds": bare_p99}
    return Measurement(
        "redirect", round(rate), "clicks/s", round(bare_rate), rate / bare_rate, count, detail
    )


def links_app() -> Application:
    """Build the redirect as `textwave links` does; Granian calls this."""
    site = Site("https://d.example.cn")
    return build(database_url=os.environ[WEB_URL], clock=SystemClock(), site=site)


def bare_app() -> Application:
    """Build the least that answers 302."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = [(b"location", b"https://shop.example/spring"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


def follow(target: str, environment: dict[str, str], count: int) -> tuple[float, float]:
    """Return clicks a second and the 99th percentile of the milliseconds."""
    with server(target, environment) as port:
        context = multiprocessing.get_context("spawn")
        answers: Any = context.Queue()
        generator = context.Process(target=generate, args=(port, count, answers))
        generator.start()
        seconds, milliseconds = answers.get(timeout=300)
        generator.join()
    return count / seconds, round(milliseconds, 2)


def generate(port: int, count: int, answers: Any) -> None:
    """Ask over 64 connections that stay open, each waiting for its answer before it asks again."""
    key = TokenKey(1, b"0123456789abcdef")
    requests = [
        f"GET /{CODE}/{token} HTTP/1.1\r\nHost: d\r\nUser-Agent: a phone\r\n\r\n".encode()
        for token in tokens(range(count), key)
    ]
    waits: list[float] = []

    async def visit(port: int, waiting: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            writer.write(waiting.pop())
            began = time.perf_counter()
            head = await reader.readuntil(b"\r\n\r\n")
            waits.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 302"):
                raise RuntimeError(head.decode())
        writer.close()

    async def visit_all() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(visit(port, requests) for _ in range(CONNECTIONS)))
        return time.perf_counter() - began

    seconds = asyncio.run(visit_all())
    answers.put((seconds, sorted(waits)[int(len(waits) * 0.99)] * 1000))
