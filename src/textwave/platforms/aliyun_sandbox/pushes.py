"""What the stand-in does by itself: push reports over HTTP, and open links.

A push that is not answered with status 200 and a number as `code` comes again after each of the
set delays and is then given up, as the service does it. Links lead to this machine only.
"""

import asyncio
import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from textwave.platforms.aliyun_sandbox import reports
from textwave.platforms.aliyun_sandbox.world import StandIn
from textwave.platforms.sandbox.agenda import SLOT_SECONDS, VisitDue
from textwave.platforms.sandbox.pushes import (
    ANSWER_BYTES_MAX,
    LOOPBACK,
    TIMEOUT,
    link_target,
    visit,
)

ITEMS_MAX = {
    reports.RECEIPTS: 500,
    reports.REPLIES: 100,
    reports.SIGNATURE_REVIEWS: 1,
    reports.TEMPLATE_REVIEWS: 1,
}
PUSHERS = 4
VISITORS = 8


@dataclass(frozen=True, slots=True, order=True)
class Parcel:
    """A push that waits for its time; `attempts` were made before."""

    at: float
    number: int
    kind: str
    body: bytes
    items: int
    attempts: int = 0


class Pushes:
    """The tasks that run beside the server; the session belongs to the caller."""

    def __init__(self, stand_in: StandIn, session: aiohttp.ClientSession) -> None:
        self._stand_in = stand_in
        self._session = session
        self._due = asyncio.Condition()
        self._numbers = itertools.count()
        self._ready: deque[Parcel] = deque()
        self._again: list[Parcel] = []

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pass_time())
            for _ in range(PUSHERS):
                group.create_task(self._push_parcels())
            for _ in range(VISITORS):
                group.create_task(self._visit_links())

    async def _pass_time(self) -> None:
        while True:
            await asyncio.sleep(SLOT_SECONDS)
            self._stand_in.pass_time()
            self._pack()
            async with self._due:
                self._due.notify_all()

    def _pack(self) -> None:
        """Make parcels of what is due now."""
        now = self._stand_in.clock()
        for kind, waiting in self._stand_in.unpushed.items():
            while waiting:
                held = [waiting.popleft() for _ in range(min(ITEMS_MAX[kind], len(waiting)))]
                body = b"[" + b",".join(map(self._stand_in.report_body, held)) + b"]"
                self._stand_in.counts[f"{kind}_pushed"] += len(held)
                self._ready.append(Parcel(now, next(self._numbers), kind, body, len(held)))
        while self._again and self._again[0].at <= now:
            self._ready.append(heapq.heappop(self._again))

    async def _push_parcels(self) -> None:
        while True:
            async with self._due:
                await self._due.wait_for(lambda: len(self._ready) > 0)
                parcel = self._ready.popleft()
            await self._push(parcel)

    async def _push(self, parcel: Parcel) -> None:
        stand_in, kind = self._stand_in, parcel.kind
        if await self._is_taken(parcel):
            stand_in.counts[f"{kind}_acknowledged"] += parcel.items
            return
        stand_in.counts["push_failures"] += 1
        delays = stand_in.settings.push_retry_seconds
        if parcel.attempts >= len(delays):
            stand_in.counts[f"{kind}_given_up"] += parcel.items
            return
        at = stand_in.clock() + delays[parcel.attempts]
        again = Parcel(at, parcel.number, kind, parcel.body, parcel.items, parcel.attempts + 1)
        heapq.heappush(self._again, again)

    async def _is_taken(self, parcel: Parcel) -> bool:
        address = self._stand_in.settings.push_url.rstrip("/")
        if not address:
            return False
        try:
            async with self._session.post(
                f"{address}/{parcel.kind}",
                data=parcel.body,
                headers={"Content-Type": "application/json;charset=utf-8"},
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                answer = await response.content.read(ANSWER_BYTES_MAX)
                return response.status == 200 and _says_a_number(answer)  # noqa: PLR2004 - OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _visit_links(self) -> None:
        while True:
            async with self._due:
                await self._due.wait_for(lambda: len(self._stand_in.visits) > 0)
                due = self._stand_in.visits.popleft()
            self._stand_in.counts[f"clicks_{await self._open(due)}"] += 1

    async def _open(self, due: VisitDue) -> str:
        target = link_target(self._stand_in.people, due.link)
        if target is None or (target[0].host not in LOOPBACK and not self._is_own(target[0])):
            return "skipped"
        return await visit(self._session, due, *target)

    def _is_own(self, url: URL) -> bool:
        return url.host == URL(self._stand_in.settings.links_url).host


def _says_a_number(answer: bytes) -> bool:
    try:
        code = msgspec.json.decode(answer, type=dict[str, Any]).get("code")
    except msgspec.DecodeError:
        return False
    return isinstance(code, int) and not isinstance(code, bool)
