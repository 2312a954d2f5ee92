"""Workers and a platform as processes of their own, and what they and PostgreSQL cost in CPU.

A campaign is started as a person starts it and watched until it is completed, so nothing here knows
how planning and sending are cut into jobs.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import psycopg
import structlog
import uvloop
from aiohttp import web

from tests.bench.measurement import Place
from textwave.platforms.sandbox.program import run
from textwave.platforms.sandbox.sink import BODY_BYTES_MAX, Sink
from textwave.settings import load_settings
from textwave.storage.embedded import DatabaseUrls

PATIENCE_SECONDS: Final = 3_600
_LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds by the clock and of CPU, and bytes of PostgreSQL's log."""

    seconds: float
    worker_cpu_seconds: float
    postgres_cpu_seconds: float
    wal_bytes: int

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU of both."""
        return self.worker_cpu_seconds + self.postgres_cpu_seconds


@contextmanager
def slow_sink(milliseconds: float = 0) -> Generator[str, None, None]:
    """Run a platform that takes everything and answers after a while; give its address."""
    context = multiprocessing.get_context("spawn")
    addresses = context.Queue()
    process = context.Process(target=_serve, args=(addresses.put, milliseconds), daemon=True)
    process.start()
    try:
        yield addresses.get(timeout=60)
    finally:
        process.terminate()
        process.join()


def _serve(ready: Callable[[str], None], milliseconds: float) -> None:
    sink = Sink("sandbox")

    async def send(request: web.Request) -> web.Response:
        answer = await sink.send(request)
        await asyncio.sleep(milliseconds / 1_000)
        return answer

    application = web.Application(client_max_size=BODY_BYTES_MAX)
    application.router.add_post("/sms/send", send if milliseconds else sink.send)
    application.router.add_get("/sandbox/counts", sink.counts)
    application.router.add_get("/sms/receipts", sink.page)
    application.router.add_get("/sms/replies", sink.page)
    uvloop.run(run(application, host="127.0.0.1", port=0, ready=ready))


@contextmanager
def workers(
    place: Place, count: int, settings: Mapping[str, str] | None = None
) -> Generator[list[psutil.Process], None, None]:
    """Run so many workers that are ready to take jobs; stop them at the end."""
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=_work, args=(place.folder, place.urls, dict(settings or {})))
        for _ in range(count)
    ]
    for process in started:
        process.start()
    try:
        until(place, "SELECT count(*) >= %s FROM procrastinate_workers", [count])
        yield [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            if process.pid and process.is_alive():
                os.kill(process.pid, signal.SIGTERM)
        for process in started:
            process.join()


def _work(folder: Path, urls: DatabaseUrls, settings: dict[str, str]) -> None:
    from textwave.worker import run_worker

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    os.environ |= {"TEXTWAVE_DATA": str(folder), **settings}
    uvloop.run(run_worker(load_settings(), urls))


def completed(place: Place, running: list[psutil.Process]) -> Cost:
    """Wait for the end of every campaign that was started; return what it cost from now on."""
    with metered(place, running) as costs:
        until(
            place, "SELECT NOT EXISTS (SELECT FROM campaign WHERE state IN ('planning', 'sending'))"
        )
    return costs[0]


@contextmanager
def metered(place: Place, running: list[psutil.Process]) -> Generator[list[Cost], None, None]:
    """Measure what happens inside; the one cost is in the list at the end."""
    costs: list[Cost] = []
    began, workers_before, postgres_before = time.perf_counter(), _cpu(running), postgres_cpu(place)
    written = _wal_bytes(place)
    yield costs
    costs.append(
        Cost(
            time.perf_counter() - began,
            _cpu(running) - workers_before,
            postgres_cpu(place) - postgres_before,
            _wal_bytes(place) - written,
        )
    )


def _wal_bytes(place: Place) -> int:
    with psycopg.connect(place.urls.owner) as connection:
        row = connection.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
    return 0 if row is None else row[0]


def postgres_cpu(place: Place) -> float:
    """Return the CPU seconds of the cluster's processes so far, those that ended included."""
    with psycopg.connect(place.urls.owner) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).parent()
    if postmaster is None:
        raise AssertionError("a session without its server")
    times = postmaster.cpu_times()
    ended = times.user + times.system + times.children_user + times.children_system
    return ended + _cpu(postmaster.children(recursive=True))


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def until(place: Place, condition: str, parameters: Sequence[int] = ()) -> None:
    """Wait until the database says that a condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(place.urls.owner, autocommit=True) as connection:
        while True:
            row = connection.execute(condition.encode(), parameters).fetchone()
            if row and row[0]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(condition)
            time.sleep(_LOOK_SECONDS)
