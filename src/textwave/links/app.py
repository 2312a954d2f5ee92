"""The redirect as a bare ASGI application: `/{code}`, `/{code}/{token}`, `/{code}?ph={token}`.

No redirect leaves before its click is durable. Where it leads is looked at again: a link that
became a circle or leads inside a network is ended. Refuses everything but GET and HEAD, and clients
that walk the codes. Never writes a token, a number or a user agent into a log. A token is not read
here, so that a right one and a wrong one are answered alike.
"""

import asyncio
import re
import string
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from textwave.kit.clock import Clock
from textwave.links import pages, store
from textwave.links.clicks import ClickNotKept, ClickWriter
from textwave.links.misses import Misses, client_of
from textwave.links.store import LinkTarget, NewClick
from textwave.links.targets import LinkTargets
from textwave.responses.jobs import MERGE_CLICKS
from textwave.shortlinks.targets import LongUrlNotAllowed, check_long_url, hosts_of
from textwave.storage.ledger import open_ledger
from textwave.storage.queue import defer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LONGEST_TOKEN: Final = 32
LONGEST_USER_AGENT: Final = 300
DATABASE_SECONDS: Final = 3.0
_CONNECTIONS: Final = 4
log = structlog.get_logger(__name__)

_code_pattern = re.compile(r"[0-9A-Za-z]{6}\Z").match
_LEDGER_TROUBLE: Final = (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests, OSError)
_PRIVATE: Final[Headers] = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
]
_HTML: Final[Headers] = [
    *_PRIVATE,
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'"),
]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the redirect stands: the address of its links, and how its proxy names clients.

    Without `client_header` clients are told by their connection.
    """

    links_url: str
    client_header: str = ""


def build(*, database_url: str, clock: Clock, site: Site) -> Application:
    """Build the application; it opens the ledger as the web login when the server starts it."""
    redirect: Redirect | None = None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal redirect
        if scope["type"] == "lifespan":
            await receive()
            async with open_redirect(database_url=database_url, clock=clock, site=site) as redirect:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif redirect is not None and scope["type"] == "http":
            await redirect(scope, send)

    return app


@asynccontextmanager
async def open_redirect(
    *, database_url: str, clock: Clock, site: Site
) -> AsyncGenerator["Redirect", None]:
    """Open what the redirect needs: a small pool, the memory of targets, the writer of clicks."""
    async with AsyncExitStack() as opened:
        ledger = await opened.enter_async_context(
            open_ledger(database_url, connections=_CONNECTIONS)
        )

        own_hosts = hosts_of([site.links_url])

        async def look_up(code: str) -> LinkTarget | None:
            async with asyncio.timeout(DATABASE_SECONDS), ledger.transaction() as connection:
                found = await store.link_target(connection, code=code)
            return None if found is None else _followed(found, own_hosts)

        async def commit(clicks: Sequence[NewClick]) -> None:
            async with asyncio.timeout(DATABASE_SECONDS), ledger.transaction() as connection:
                await store.record_clicks(connection, clicks=clicks)

        async def announce() -> None:
            async with asyncio.timeout(DATABASE_SECONDS), ledger.transaction() as connection:
                await defer(connection, MERGE_CLICKS)

        writer = ClickWriter(commit, announce)
        await opened.enter_async_context(writer.running())
        yield Redirect(LinkTargets(look_up, clock), writer, clock, site.client_header)


class Redirect:
    """Answers requests for short links."""

    def __init__(
        self, targets: LinkTargets, writer: ClickWriter, clock: Clock, client_header: str = ""
    ) -> None:
        self._targets = targets
        self._writer = writer
        self._clock = clock
        self._client_header = client_header.lower().encode("latin-1")
        self._misses = Misses(clock)

    async def __call__(self, scope: Scope, send: Send) -> None:
        method: str = scope["method"]
        if method not in {"GET", "HEAD"}:
            await _page(send, 405, pages.NOT_ALLOWED, [(b"allow", b"GET, HEAD")])
            return
        client = client_of(self._address(scope))
        wait = self._misses.wait_seconds(client)
        if wait:
            await _page(send, 429, pages.LATER, [(b"retry-after", str(wait).encode())])
            return
        code, token = _code_and_token(scope)
        try:
            status, location = await self._follow(code, token, method, scope)
        except (ClickNotKept, *_LEDGER_TROUBLE):
            await _page(send, 503, pages.LATER, [(b"retry-after", b"2")])
            return
        if status == 302:  # noqa: PLR2004 - HTTP Found
            await _redirect(send, location)
        else:
            body = pages.ENDED
            if status == 404:  # noqa: PLR2004 - Not Found
                body = pages.UNKNOWN
                self._misses.note(client)
            await _page(send, status, b"" if method == "HEAD" else body, [])

    async def _follow(self, code: str, token: str, method: str, scope: Scope) -> tuple[int, str]:
        """Return the status and, for a redirect, where to; then its click is committed."""
        target = await self._targets.get(code) if _code_pattern(code) else None
        if target is None:
            return 404, ""
        now = self._clock.now()
        if not target.enabled or target.expires_at <= now:
            return 410, ""
        click = NewClick(target.id, token, method, _user_agent(scope), now)
        await self._writer.keep(click)
        return 302, target.long_url

    def _address(self, scope: Scope) -> str:
        """Return the client's address; of a header's list the last, which the proxy wrote."""
        if self._client_header:
            for name, value in scope["headers"]:
                if name == self._client_header:
                    return value.decode("latin-1").rpartition(",")[2]
            return ""
        return (scope.get("client") or ("",))[0]


def _followed(target: LinkTarget, own_hosts: frozenset[str]) -> LinkTarget:
    """Return the target as it stands, or ended when it may not be followed any more."""
    try:
        check_long_url(
            target.long_url,
            allow_private=target.allows_private,
            own_hosts=own_hosts.union(target.own_hosts),
        )
    except LongUrlNotAllowed:
        log.warning("link leads where none may", link_id=target.id)
        return replace(target, enabled=False)
    return target


def _code_and_token(scope: Scope) -> tuple[str, str]:
    path: str = scope["path"]
    code, _, token = path[1:].partition("/")
    if not token and scope["query_string"]:
        token = _query_token(scope["query_string"])
    return code, token[:LONGEST_TOKEN].replace("\x00", "")


def _query_token(query: bytes) -> str:
    for pair in query.split(b"&"):
        name, _, token = pair.partition(b"=")
        if name == b"ph":
            return token.decode("ascii", "replace")
    return ""


def _user_agent(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            return value[:LONGEST_USER_AGENT].decode("latin-1").replace("\x00", "")
    return ""


async def _redirect(send: Send, location: str) -> None:
    plain = location if location.isascii() else quote(location, safe=string.punctuation)
    headers = [(b"location", plain.encode()), (b"content-length", b"0"), *_PRIVATE]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _page(send: Send, status: int, body: bytes, more: Headers) -> None:
    headers = [*_HTML, *more, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
