"""One worker process: its runtime, its connection to the job engine, and its end.

It stops after its running jobs when it is asked to; killed, its jobs are given to another worker
as soon as its heartbeat has been silent for `stalled_seconds`. When the database is gone it waits
and begins anew under a new number: whatever it could not write down is then a dead worker's.
"""

import asyncio
import gc
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.app import WorkerOptions
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from textwave.kit.ids import WorkspaceId
from textwave.settings import Settings
from textwave.singles.operations import QUEUE as SINGLES_QUEUE
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import (
    RECONNECT_SECONDS,
    Ledger,
    enduring,
    execute,
    limit_silence,
    may_stand_still,
)
from textwave.wiring import Runtime, open_runtime
from textwave.worker.housekeeping import add_housekeeping, rescue
from textwave.worker.tasks import add_tasks

_GRACE_SECONDS = 20.0
_LOOK_SECONDS = 0.5
_POLLING_SECONDS = 0.25  # turns of slow accounts begin this late at most
_SERVING_CONNECTIONS = 10
_LAKE_LOCK = 7_201_002
_ALLOCATIONS_BEFORE_COLLECTING = 50_000
_DATABASE_GONE: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
log = structlog.get_logger(__name__)


class _Connector(PsycopgConnector):
    """Knows when something could not be written: a job that ended may still count as running."""

    def __init__(self, url: str) -> None:
        super().__init__(
            conninfo=enduring(url),
            min_size=1,
            max_size=8,
            reconnect_timeout=RECONNECT_SECONDS,
            configure=limit_silence,
        )
        self.failed = asyncio.Event()

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        try:
            await super().execute_query_async(query, **arguments)
        except ConnectorException as error:
            if isinstance(error.__cause__, _DATABASE_GONE):
                self.failed.set()
            raise


def job_app(runtime: Runtime, urls: DatabaseUrls) -> App:
    """Return the job engine with every task of the product."""
    app = App(connector=_Connector(urls.owner))
    add_tasks(app, runtime)
    add_housekeeping(app, runtime)
    return app


async def run_worker(settings: Settings, urls: DatabaseUrls) -> None:
    """Run jobs until the process is asked to stop."""
    connections = settings.worker_concurrency + _SERVING_CONNECTIONS
    async with open_runtime(settings, urls, role="owner", connections=connections) as runtime:
        await _make_lake(runtime)
        collect_rarely()
        with _asked_to_stop() as asked:
            while not asked.is_set():
                try:
                    await _run_jobs(runtime, urls, asked)
                except (ConnectorException, *_DATABASE_GONE) as error:
                    log.warning("database lost", error=str(error.__cause__ or error).strip())
                await _until_it_answers(runtime.ledger, asked)


def collect_rarely() -> None:
    """Let the garbage collector pass over what is loaded for good, and over batches less often.

    The rows of a batch are many and hold no cycles: looking for these was a sixth of sending.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTING)


@contextmanager
def _asked_to_stop() -> Generator[asyncio.Event, None, None]:
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _run_jobs(runtime: Runtime, urls: DatabaseUrls, asked: asyncio.Event) -> None:
    """Run jobs as two workers of the job engine, as long as the database can be written.

    Raises:
        ConnectorException, psycopg.OperationalError, PoolTimeout: the database is gone.
    """
    settings = runtime.settings
    app = job_app(runtime, urls)
    async with app.open_async():
        await rescue(app, runtime)  # at once: what a killed worker left may be ours
        running = [
            asyncio.create_task(_worker(app, settings, settings.worker_concurrency)),
            asyncio.create_task(
                _worker(app, settings, settings.serving_concurrency, "dispatch", SINGLES_QUEUE)
            ),
        ]
        assert isinstance(app.connector, _Connector)  # noqa: S101 - job_app made it
        ends = [asyncio.create_task(event.wait()) for event in (asked, app.connector.failed)]
        await asyncio.wait([*running, *ends], return_when=asyncio.FIRST_COMPLETED)
        for task in (*ends, *running):
            task.cancel()
        await asyncio.wait(running)
        for task in running:
            if not task.cancelled():
                task.result()


async def _worker(app: App, settings: Settings, concurrency: int, *queues: str) -> None:
    """Run jobs of all queues, or of those named: serving jobs mostly wait, and have more places."""
    options = WorkerOptions(
        concurrency=concurrency,
        fetch_job_polling_interval=_POLLING_SECONDS,
        update_heartbeat_interval=settings.heartbeat_seconds,
        stalled_worker_timeout=settings.stalled_seconds,
        shutdown_graceful_timeout=_GRACE_SECONDS,
        delete_jobs="successful",
        install_signal_handlers=False,
    )
    if queues:
        options["queues"] = list(queues)  # psycopg takes a tuple for a row
    await app.run_worker_async(**options)


async def _until_it_answers(ledger: Ledger, asked: asyncio.Event) -> None:
    """Wait until the database answers again, or the process is asked to stop."""
    while not asked.is_set():
        try:
            async with ledger.transaction() as connection:
                await execute(connection, "SELECT 1")
        except _DATABASE_GONE:
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            return


async def _make_lake(runtime: Runtime) -> None:
    """Open the lake once, one process at a time: its very first opening makes its catalog."""
    async with runtime.ledger.transaction() as connection:
        await may_stand_still(connection)
        await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LAKE_LOCK])
        await runtime.warehouse.run(WorkspaceId(1), lambda lake: lake.version())
