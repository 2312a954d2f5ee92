"""Clicks on their way to the ledger: whatever waits is committed together, then all are answered.

While one commit is under way the next group gathers, so the group is as large as the disk is slow.
Refuses a click when too many wait or the ledger does not take it in time; it never pretends.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from textwave.links.store import NewClick

Commit = Callable[[Sequence[NewClick]], Awaitable[None]]
Announce = Callable[[], Awaitable[None]]

CLICKS_PER_COMMIT: Final = 1_000
CLICKS_WAITING: Final = 10_000
ANNOUNCE_SECONDS: Final = 1.0
log = structlog.get_logger(__name__)


class ClickNotKept(Exception):
    """The click is not durable, so its redirect must not leave."""


class ClickWriter:
    """Groups clicks into commits; `announce` is told of new ones at most once a second."""

    def __init__(
        self, commit: Commit, announce: Announce, *, waiting: int = CLICKS_WAITING
    ) -> None:
        self._commit = commit
        self._announce = announce
        self._waiting_limit = waiting
        self._waiting: deque[tuple[NewClick, asyncio.Future[None]]] = deque()
        self._came = asyncio.Event()
        self._committed = asyncio.Event()

    async def keep(self, click: NewClick) -> None:
        """Return when the click is committed.

        Raises:
            ClickNotKept: it is not, or nobody knows.
        """
        if len(self._waiting) >= self._waiting_limit:
            raise ClickNotKept
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((click, kept))
        self._came.set()
        await kept

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Write while the block runs; at its end commit what waits and announce it."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._tell())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            while self._waiting:
                await self._write_group()
            if self._committed.is_set():
                await self._announce_quietly()

    async def _write(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                await self._write_group()

    async def _write_group(self) -> None:
        size = min(len(self._waiting), CLICKS_PER_COMMIT)
        group = [self._waiting.popleft() for _ in range(size)]
        try:
            await self._commit([click for click, _ in group])
        except asyncio.CancelledError:
            _answer(group, kept=False)
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, nobody is redirected
            log.warning("clicks not kept", clicks=size, error=type(error).__name__)
            _answer(group, kept=False)
            return
        self._committed.set()
        _answer(group, kept=True)

    async def _tell(self) -> None:
        while True:
            await self._committed.wait()
            self._committed.clear()
            try:
                await self._announce_quietly()
            except asyncio.CancelledError:
                self._committed.set()  # for the end to announce
                raise
            await asyncio.sleep(ANNOUNCE_SECONDS)

    async def _announce_quietly(self) -> None:
        try:
            await self._announce()
        except Exception as error:  # noqa: BLE001 - the periodic merge finds them as well
            log.warning("clicks not announced", error=type(error).__name__)


def _answer(group: Sequence[tuple[NewClick, asyncio.Future[None]]], *, kept: bool) -> None:
    for _, waiting in group:
        with suppress(asyncio.InvalidStateError):  # the reader has gone
            if kept:
                waiting.set_result(None)
            else:
                waiting.set_exception(ClickNotKept())
