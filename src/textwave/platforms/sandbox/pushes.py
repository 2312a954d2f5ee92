"""What the sandbox does by itself: push receipts, replies and reviews, and open links.

A push that is not acknowledged is tried again after growing delays and given up after a while;
it can still be pulled. Links lead nowhere but to this machine or Textwave.
"""

import asyncio
import itertools
import secrets
from collections import deque
from typing import Any, TypeVar

import aiohttp
import msgspec
from yarl import URL

from textwave.platforms.sandbox.agenda import SLOT_SECONDS, VisitDue
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.signing import TEXTWAVE_HEADER, signature_headers

PUSH_ITEMS_MAX = 500
RECEIPT_PUSHERS = 4
VISITORS = 8
ATTEMPTS_MAX = 30
FIRST_DELAY_SECONDS = 0.2
LAST_DELAY_SECONDS = 60.0
ANSWER_BYTES_MAX = 64 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)

ItemT = TypeVar("ItemT")


class Pushes:
    """The tasks that run beside the server; the session belongs to the caller."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self._sandbox = sandbox
        self._session = session
        self._due = asyncio.Condition()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pass_time())
            group.create_task(self._push_replies())
            group.create_task(self._push_reviews())
            for _ in range(RECEIPT_PUSHERS):
                group.create_task(self._push_receipts())
            for _ in range(VISITORS):
                group.create_task(self._visit_links())

    async def _pass_time(self) -> None:
        while True:
            await asyncio.sleep(SLOT_SECONDS)
            self._sandbox.pass_time()
            async with self._due:
                self._due.notify_all()

    async def _some(self, waiting: deque[ItemT], most: int) -> list[ItemT]:
        async with self._due:
            await self._due.wait_for(lambda: len(waiting) > 0)
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    async def _push_receipts(self) -> None:
        sandbox = self._sandbox
        while True:
            rows = await self._some(sandbox.unpushed_receipts, PUSH_ITEMS_MAX)
            await self._push("receipts", [sandbox.receipt(row) for row in rows])

    async def _push_replies(self) -> None:
        while True:
            waiting = self._sandbox.unpushed_replies
            await self._push("replies", await self._some(waiting, PUSH_ITEMS_MAX))

    async def _push_reviews(self) -> None:
        while True:
            waiting = self._sandbox.unpushed_reviews
            await self._push("reviews", await self._some(waiting, PUSH_ITEMS_MAX))

    async def _push(self, kind: str, items: list[Any]) -> None:
        """Push until acknowledged or given up."""
        counts = self._sandbox.counts
        body = msgspec.json.encode(items)
        counts[f"{kind}_pushed"] += len(items)
        for attempt in itertools.count():
            if await self._is_acknowledged(kind, body):
                counts[f"{kind}_acknowledged"] += len(items)
                return
            counts["push_failures"] += 1
            if attempt + 1 >= ATTEMPTS_MAX or not self._sandbox.pushes:
                counts[f"{kind}_given_up"] += len(items)
                return
            await asyncio.sleep(min(FIRST_DELAY_SECONDS * 2**attempt, LAST_DELAY_SECONDS))

    async def _is_acknowledged(self, kind: str, body: bytes) -> bool:
        settings = self._sandbox.settings
        url = URL(f"{settings.textwave_url.rstrip('/')}/callbacks/{settings.name}/{kind}")
        timestamp, nonce = str(int(self._sandbox.clock())), secrets.token_hex(16)
        headers = signature_headers(
            settings.push_key,
            method="POST",
            path=url.raw_path,
            timestamp=timestamp,
            nonce=nonce,
            body=body,
        )
        if settings.qa_only:
            del headers[TEXTWAVE_HEADER]
        try:
            async with self._session.post(
                url.with_query(timestamp=timestamp, nonce=nonce),
                data=body,
                headers=headers | {"Content-Type": "application/json"},
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                answer = await response.content.read(ANSWER_BYTES_MAX)
                return response.status == 200 and _says_ok(answer)  # noqa: PLR2004 - HTTP OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _visit_links(self) -> None:
        while True:
            for due in await self._some(self._sandbox.visits, 1):
                outcome = await self._open(due)
                self._sandbox.counts[f"clicks_{outcome}"] += 1

    async def _open(self, due: VisitDue) -> str:
        target = link_target(self._sandbox.settings, due.link)
        return "skipped" if target is None else await visit(self._session, due, *target)


async def visit(session: aiohttp.ClientSession, due: VisitDue, url: URL, host: str) -> str:
    """Open a link as a person's browser or a program would; return made or failed."""
    headers = {"User-Agent": due.visit.user_agent, "Host": host}
    try:
        async with session.request(
            due.visit.method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            await response.content.read(ANSWER_BYTES_MAX)
            return "made" if response.status < 400 else "failed"  # noqa: PLR2004 - HTTP errors
    except (aiohttp.ClientError, TimeoutError, OSError):
        return "failed"


def link_target(settings: SandboxSettings, link: str) -> tuple[URL, str] | None:
    """Return where to open a link and the host to ask for; None if it leads outside."""
    try:
        url = URL(link, encoded=True)
        host = url.host or ""
    except ValueError:
        return None
    if host in LOOPBACK or host == URL(settings.textwave_url).host:
        return url, _host_header(url)
    if not settings.links_url:
        return None
    there = URL(settings.links_url.rstrip("/") + url.raw_path_qs, encoded=True)
    return there, _host_header(url)


def _host_header(url: URL) -> str:
    return url.host_port_subcomponent or ""


def _says_ok(answer: bytes) -> bool:
    try:
        return msgspec.json.decode(answer, type=dict[str, Any]).get("code") == 0
    except msgspec.DecodeError:
        return False
