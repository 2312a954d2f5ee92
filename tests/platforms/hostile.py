"""A platform that answers anything: bytes as they are, slowly, endlessly, or not at all."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

NAME = "p"
JSON = "application/json"
MEGABYTE = 1024 * 1024
Handle = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Hostile:
    """The address of a hostile platform and the requests that came."""

    url: str
    requests: list[bytes]


@asynccontextmanager
async def tcp_server(handle: Handle) -> AsyncGenerator[str]:
    """Serve whole requests to a function that writes anything, and yield the address."""
    tasks = set[asyncio.Task[Any]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while not writer.is_closing():
                await handle(await read_request(reader), writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # nobody asks any more
        finally:
            await close(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def hostile(*scripts: Script) -> AsyncGenerator[Hostile]:
    """Answer the first request by the first script, and so on; the last one goes on."""
    seen: list[bytes] = []

    async def handle(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await scripts[min(len(seen), len(scripts)) - 1](writer)

    async with tcp_server(handle) as url:
        yield Hostile(url, seen)


async def close(writer: asyncio.StreamWriter) -> None:
    """Send what is left, if anybody reads it, and close."""
    writer.close()
    with suppress(ConnectionError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 0.2)
    writer.transport.abort()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request, or answer, and return it."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


def raw(*pieces: bytes, pause_seconds: float = 0, closing: bool = False) -> Script:
    """Return a script that writes pieces, with pauses between."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_seconds)
        if closing:
            writer.close()

    return script


def head(status: int = 200, kind: str = JSON, *lines: str, length: int | None = None) -> bytes:
    """Return the head of an answer."""
    all_lines = [f"HTTP/1.1 {status} Something", *lines]
    all_lines += [f"Content-Type: {kind}"] if kind else []
    all_lines += [f"Content-Length: {length}"] if length is not None else []
    return ("\r\n".join(all_lines) + "\r\n\r\n").encode("latin-1")


def answer(body: bytes, status: int = 200, kind: str = JSON, *lines: str) -> Script:
    """Return a script that answers a whole body."""
    return raw(head(status, kind, *lines, length=len(body)) + body)


def said(value: Any, status: int = 200) -> Script:
    """Return a script that answers a JSON value."""
    return answer(json.dumps(value).encode(), status)


def good(*identities: int, **changes: Any) -> dict[str, Any]:
    """Return what a platform should answer to a send."""
    results = [{"messageId": str(one), "code": "OK", "message": ""} for one in identities]
    whole = {"platformName": NAME, "code": "OK", "message": "", "requestId": "r"}
    return whole | {"results": results} | changes


async def silence(writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    assert writer
    await asyncio.Event().wait()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Break the connection off."""
    writer.transport.abort()


async def endless_lines(writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never end its head."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def endless_continues(writer: asyncio.StreamWriter) -> None:
    """Ask for patience for ever."""
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless_body(writer: asyncio.StreamWriter) -> None:
    """Never end an answer."""
    writer.write(head(200, JSON, "Transfer-Encoding: chunked"))
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Answer a byte at a time."""
    body = json.dumps(good(1)).encode()
    writer.write(head(length=len(body)))
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


def bomb(megabytes: int) -> Script:
    """Return a script that answers much in few bytes."""
    packed = gzip.compress(b" " * (megabytes * MEGABYTE))
    return answer(packed, 200, JSON, "Content-Encoding: gzip")


WHOLE = json.dumps(good(1)).encode()
BAD_ANSWERS: dict[str, Sequence[Script]] = {
    "a web page": [answer(b"<html>Welcome to nginx</html>", 200, "text/html")],
    "a web page that says it is JSON": [answer(b"<html></html>")],
    "nothing at all": [answer(b"")],
    "a word": [answer(b'"OK"')],
    "a list": [answer(b"[]")],
    "null": [answer(b"null")],
    "nested too deep": [answer(b"[" * 100_000)],
    "nested too deep in a field": [answer(b'{"more":' * 5_000)],
    "cut off within": [answer(WHOLE[:-5])],
    "shorter than promised": [raw(head(length=len(WHOLE) + 10) + WHOLE, closing=True)],
    "longer than promised": [raw(head(length=len(WHOLE) - 10) + WHOLE)],
    "a wrong name": [said(good(1, platformName="another"))],
    "no name": [said({"code": "OK", "results": []})],
    "a name of another type": [said(good(1, platformName=["p"]))],
    "a code of another type": [said(good(1, code=0))],
    "results of another type": [said(good(1, results={"1": "OK"}))],
    "an id of another type": [said(good(results=[{"messageId": [1], "code": "OK"}]))],
    "an id that is a fraction": [said(good(results=[{"messageId": 1.5, "code": "OK"}]))],
    "no code for a message": [said(good(results=[{"messageId": "1"}]))],
    "another alphabet": [answer('{"平台":"短信"}'.encode("gbk"), 200, f"{JSON}; charset=gbk")],
    "UTF-16": [answer(json.dumps(good(1)).encode("utf-16"))],
    "a mark before": [answer(b"\xef\xbb\xbf" + WHOLE)],
    "half a character": [answer(WHOLE[:20] + b"\xff\xfe" + WHOLE[20:])],
    "two answers in one": [answer(WHOLE + WHOLE)],
    "no content": [raw(b"HTTP/1.1 204 No Content\r\n\r\n")],
    "not modified": [raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")],
    "switching protocols": [raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")],
    "an impossible status": [raw(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n")],
    "no HTTP": [raw(b"220 mail.example ESMTP\r\n", closing=True)],
    "HTTP without a status": [raw(b"HTTP/1.1\r\n\r\n", closing=True)],
    "bytes at random": [raw(bytes(range(256)) * 4, closing=True)],
    "a moved address": [answer(b"", 302, "", "Location: http://203.0.113.1/sms/send")],
    "a moved address that keeps the method": [
        answer(b"", 307, "", "Location: http://127.0.0.1:1/")
    ],
    "compressed wrongly": [answer(WHOLE, 200, JSON, "Content-Encoding: gzip")],
    "compressed twice": [answer(gzip.compress(b"xx"), 200, JSON, "Content-Encoding: gzip, br")],
    "a compressed bomb": [bomb(64)],
    "chunks of a wrong length": [
        raw(head(200, JSON, "Transfer-Encoding: chunked") + b"zz\r\n" + WHOLE, closing=True)
    ],
    "chunks that break off": [
        raw(head(200, JSON, "Transfer-Encoding: chunked") + b"5\r\nabc", closing=True)
    ],
    "a length that is none": [raw(head(200, JSON, "Content-Length: many") + WHOLE)],
    "a length below nothing": [raw(head(200, JSON, "Content-Length: -1") + WHOLE)],
    "two lengths": [raw(head(200, JSON, "Content-Length: 3", "Content-Length: 9") + WHOLE)],
    "a break after the question": [hang_up],
    "a break within the head": [raw(b"HTTP/1.1 200 OK\r\nContent-Ty", closing=True)],
    "silence": [silence],
    "a slow drip": [drip],
    "an endless head": [endless_lines],
    "endless patience": [endless_continues],
    "an endless body": [endless_body],
    "12 MB": [answer(b" " * (12 * MEGABYTE))],
    "a promise of 5 GB": [raw(head(length=5 * 1024 * MEGABYTE) + b"{")],
}
"""Answers that say nothing of what became of a send, by what they are."""
STATUSES_ALONE: dict[int, str] = {
    401: "forbidden",
    403: "forbidden",
    404: "forbidden",
    405: "forbidden",
    408: "unknown",
    418: "refused",
    429: "throttled",
    500: "unknown",
    502: "unknown",
    503: "unknown",
    504: "unknown",
}
"""What a status says where the body says nothing: the outcome's name."""
