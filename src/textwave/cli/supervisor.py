"""`textwave up`: everything on one machine, started in order, kept alive, stopped in order.

Refuses a data folder on which another one runs. Until all is ready, a child that ends is an
error; after that it is started again. Children stop before the database does.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import psycopg
import structlog

from textwave.accounts.operations import AlreadyFounded, found, is_founded, new_api_key
from textwave.cli.child import Child
from textwave.cli.installation import (
    Addresses,
    NoApiKey,
    Running,
    forget_running,
    hold_lock,
    read_api_key,
    write_api_key,
    write_running,
)
from textwave.cli.serving import PortTaken, address_of, claim_port
from textwave.settings import Settings
from textwave.storage.embedded import (
    DatabaseUrls,
    EmbeddedPostgres,
    PostgresDidNotStart,
    embedded_postgres,
)
from textwave.storage.ledger import open_ledger
from textwave.storage.migrate import migrate
from textwave.storage.secrets import open_vault
from textwave.wiring import database_urls, prepare_data_folder

START_SECONDS = 60.0
STOP_SECONDS = 20.0
REGISTRATIONS = 2
"""How often one worker process reports to the job engine: for serving, and for all else."""
DATABASE_LOOK_SECONDS = 2.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of this run."""

    web: int
    links: int


async def supervise(
    settings: Settings, *, workers: int, log_to_files: bool, announce: Callable[[Addresses], None]
) -> None:
    """Run the installation until SIGTERM or SIGINT; `announce` is called once all is ready.

    Raises:
        AlreadyRunning: another one runs on the data folder.
        PostgresDidNotStart, WebRoleMissing, ChildDidNotStart: why it cannot run.
    """
    data = prepare_data_folder(settings)
    stop = _stop_event()
    with hold_lock(data):
        async with _database(settings, data) as urls:
            await asyncio.to_thread(migrate, urls.owner)
            await found_once(urls, data, shared=settings.shared_folder)
            children = _children(settings, data, urls, workers=workers, log_to_files=log_to_files)
            await _run(settings, children, stop=stop, announce=announce)


@dataclass(frozen=True, slots=True)
class _Household:
    """All children of one run, and where they answer."""

    data: Path
    addresses: Addresses
    children: tuple[Child, ...]
    owns_database: bool

    def write(self) -> None:
        write_running(
            self.data,
            Running(
                pid=os.getpid(),
                started_at=psutil.Process().create_time(),
                addresses=self.addresses,
                children={c.name: c.process.pid for c in self.children if c.process},
                owns_database=self.owns_database,
            ),
        )


async def _run(
    settings: Settings,
    household: "_Household",
    *,
    stop: asyncio.Event,
    announce: Callable[[Addresses], None],
) -> None:
    keepers: list[asyncio.Task[None]] = []
    try:
        for child in household.children:
            await child.start()
        household.write()
        if await _all_ready(household.children, stop=stop):
            keepers = [
                asyncio.create_task(child.keep_alive(household.write))
                for child in household.children
            ]
            announce(household.addresses)
            log.info("ready", web=household.addresses.web, links=household.addresses.links)
            await stop.wait()
        log.info("stopping", data=str(settings.data))
    finally:
        await asyncio.gather(*(c.stop(seconds=STOP_SECONDS) for c in household.children))
        for keeper in keepers:
            keeper.cancel()
        forget_running(household.data)


async def _all_ready(children: tuple[Child, ...], *, stop: asyncio.Event) -> bool:
    """Wait for all; False when the stop came first."""
    deadline = time.monotonic() + START_SECONDS
    waiting = asyncio.gather(*(child.until_ready(deadline=deadline) for child in children))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([waiting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            await waiting
        return waiting.done()
    finally:
        stopped.cancel()
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await waiting


def _children(
    settings: Settings, data: Path, urls: DatabaseUrls, *, workers: int, log_to_files: bool
) -> _Household:
    ports = choose_ports(settings)
    addresses = Addresses(
        address_of(settings.web_host, ports.web), address_of(settings.links_host, ports.links)
    )
    environment = child_environment(os.environ, settings, data, urls, ports)
    worker_ready = _workers_ready(urls.owner, workers)

    def child(name: str, command: str, ready: Callable[[], Awaitable[bool]]) -> Child:
        log_file = data / "log" / f"{name}.log" if log_to_files else None
        return Child(name, [command], ready, environment, log_file)

    return _Household(
        data,
        addresses,
        (
            child("web", "web", _answers(addresses.web + "/healthz")),
            child("links", "links", _answers(addresses.links + "/healthz")),
            *(child(f"worker-{n}", "worker", worker_ready) for n in range(1, workers + 1)),
        ),
        owns_database=settings.database_url is None,
    )


def choose_ports(settings: Settings) -> Ports:
    """Return the wanted ports, or free ones where those are taken."""
    chosen: list[int] = []
    for host, wanted in (
        (settings.web_host, settings.web_port),
        (settings.links_host, settings.links_port),
    ):
        try:
            port = claim_port(host, wanted)
        except PortTaken:
            port = claim_port(host, 0)
            log.warning("port taken", wanted=wanted, instead=port)
        chosen.append(port)
    return Ports(*chosen)


def child_environment(
    environment: Mapping[str, str],
    settings: Settings,
    data: Path,
    urls: DatabaseUrls,
    ports: Ports,
) -> dict[str, str]:
    """Return our own environment with what this run decided: folder, database, addresses."""
    decided = {
        "TEXTWAVE_DATA": str(data),
        "TEXTWAVE_DATABASE_URL": urls.owner,
        "TEXTWAVE_DATABASE_WEB_URL": urls.web,
        "TEXTWAVE_WEB_PORT": str(ports.web),
        "TEXTWAVE_LINKS_PORT": str(ports.links),
        "TEXTWAVE_PUBLIC_LINKS_URL": settings.public_links_url
        or address_of(settings.links_host, ports.links),
    }
    files = {name + "_FILE" for name in decided}
    return {k: v for k, v in environment.items() if k not in files} | decided


async def found_once(urls: DatabaseUrls, data: Path, *, shared: Path) -> None:
    """Make organization, workspace and key at the first start, and keep the key in a file.

    A machine that comes later writes none: its data folder has no key.
    """
    async with open_ledger(urls.owner, connections=1) as ledger:
        if await is_founded(ledger):
            return
        with contextlib.suppress(AlreadyFounded):
            await found(ledger, open_vault(shared), api_key=_kept_api_key(data))


def _kept_api_key(data: Path) -> str:
    """Return the key in the data folder, written before it is founded: no crash can lose it."""
    with contextlib.suppress(NoApiKey):
        return read_api_key(data)
    write_api_key(data, new_api_key())
    return read_api_key(data)


@asynccontextmanager
async def _database(settings: Settings, data: Path) -> AsyncGenerator[DatabaseUrls, None]:
    """Give the database; the embedded one is kept alive, and stopped at the end."""
    if settings.database_url is not None:
        yield database_urls(settings)
        return
    server = embedded_postgres(data)
    try:
        urls = await asyncio.to_thread(server.start)
        stopping = asyncio.Event()
        keeper = asyncio.create_task(_keep_running(server, stopping))
        try:
            yield urls
        finally:
            stopping.set()
            await keeper
    finally:
        await asyncio.to_thread(server.stop)


async def _keep_running(server: EmbeddedPostgres, stopping: asyncio.Event) -> None:
    """Start the embedded server again whenever it is gone; whoever uses it waits and goes on."""
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), DATABASE_LOOK_SECONDS)
            return
        if await asyncio.to_thread(server.is_running):
            continue
        log.warning("database died", restart="at once")
        try:
            await asyncio.to_thread(server.start)
        except (PostgresDidNotStart, psycopg.Error) as error:
            log.warning("database did not start", error=str(error).strip())


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        limit = aiohttp.ClientTimeout(total=2)
        try:
            async with aiohttp.ClientSession(timeout=limit) as http, http.get(url) as answer:
                return answer.status < 500  # noqa: PLR2004 - the redirect knows no such code: 404
        except (aiohttp.ClientError, TimeoutError):
            return False

    return ready


def _workers_ready(owner_url: str, workers: int) -> Callable[[], Awaitable[bool]]:
    """Tell whether so many workers have reported to the job engine since now."""
    with psycopg.connect(owner_url) as connection:
        row = connection.execute("SELECT now()").fetchone()
        began = row[0] if row else None

    async def ready() -> bool:
        async with await psycopg.AsyncConnection.connect(owner_url) as connection:
            cursor = await connection.execute(
                "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat >= %s", [began]
            )
            reported = await cursor.fetchone()
        return reported is not None and reported[0] >= workers * REGISTRATIONS

    return ready
