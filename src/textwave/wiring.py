"""Building the runtime: the stores, the clock and the outbound HTTP that operations receive.

Doors (API, worker, links, CLI) open one runtime each and hand its pieces to operations; an
operation never sees the whole.
"""

import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import aiohttp
from cryptography.exceptions import InvalidTag

from textwave.accounts.operations import token_secrets
from textwave.connections.accounts import PlatformAccount, open_platform
from textwave.kit.clock import Clock, SystemClock
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import Platform
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls, embedded_postgres
from textwave.storage.ledger import Ledger, enduring, open_ledger
from textwave.storage.secrets import Vault, open_vault
from textwave.storage.spark_failures import SparkMissing

if TYPE_CHECKING:
    from textwave.storage.compute import Engine
    from textwave.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process has: its settings, stores, clock, secrets and outbound HTTP."""

    settings: Settings
    ledger: Ledger
    warehouse: "Warehouse"
    vault: Vault
    clock: Clock
    http: aiohttp.ClientSession

    def open_platform(self, account: PlatformAccount) -> Platform:
        """Return the adapter of a platform account, holding its key."""
        return open_platform(account, self.vault, self.http, self.settings)


def links_url(settings: Settings) -> str:
    """Return what the installation's short links begin with."""
    return settings.public_links_url or f"http://{settings.links_host}:{settings.links_port}"


def public_url(settings: Settings) -> str:
    """Return where platforms reach this installation."""
    return settings.public_url or f"http://{settings.web_host}:{settings.web_port}"


@dataclass(eq=False)
class WebUrlMissing(Refusal):
    """The owner's URL is given, but not the one that row-level security applies to."""

    code: ClassVar[str] = "web_url_missing"

    @property
    def sentence(self) -> str:
        return (
            "TEXTWAVE_DATABASE_URL is set without TEXTWAVE_DATABASE_WEB_URL. Give the same "
            "database as role textwave_web, so that workspaces stay apart."
        )


@dataclass(eq=False)
class MasterKeyDiffers(Refusal):
    """The key in the shared folder is not that of the installation."""

    code: ClassVar[str] = "master_key_differs"
    file: str

    @property
    def sentence(self) -> str:
        return (
            f"{self.file} is not the key of this installation: what is sealed in its database "
            "cannot be opened with it. Let TEXTWAVE_SHARED name the folder that all machines "
            "share, or put the installation's own master.key there."
        )


def database_urls(settings: Settings) -> DatabaseUrls:
    """Return the URLs of both roles: the given ones, or those of the running embedded server.

    Raises:
        WebUrlMissing: only one of the two is given.
    """
    if settings.database_url is None:
        return embedded_postgres(settings.data).start()
    if settings.database_web_url is None:
        raise WebUrlMissing
    return DatabaseUrls(
        settings.database_url.get_secret_value(), settings.database_web_url.get_secret_value()
    )


def prepare_data_folder(settings: Settings) -> Path:
    """Make the data folder, readable by its owner only where it holds secrets."""
    settings.data.mkdir(parents=True, exist_ok=True)
    for name in ("spill", "log", "demo"):
        (settings.data / name).mkdir(mode=0o700, exist_ok=True)
    settings.shared_folder.mkdir(parents=True, exist_ok=True)
    for name in ("uploads", "downloads", "lake"):
        (settings.shared_folder / name).mkdir(mode=0o700, exist_ok=True)
    return settings.data.resolve()


def _lake_folder(settings: Settings) -> str:
    return settings.warehouse_path or str(settings.shared_folder / "lake") + "/"


def _engine(settings: Settings) -> "Engine":
    """Return what audiences, models and plans are computed with.

    Raises:
        SparkMissing: the settings name a Spark, but it is not installed.
    """
    if settings.spark is None:
        from textwave.storage.compute import DuckDbEngine

        return DuckDbEngine()
    try:
        # It warns of new versions of pandas, which nothing here passes its rows through
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            from textwave.storage.spark import SparkEngine
    except ImportError as error:
        raise SparkMissing from error
    return SparkEngine(settings.spark, Path(_lake_folder(settings)).absolute() / "held")


async def _check_key(ledger: Ledger, vault: Vault, folder: Path) -> None:
    """Refuse a key that does not open what the installation has sealed."""
    try:
        async with ledger.transaction() as connection:
            await token_secrets(connection, vault)
    except InvalidTag as error:
        raise MasterKeyDiffers(str(folder / "master.key")) from error


@asynccontextmanager
async def open_runtime(
    settings: Settings, urls: DatabaseUrls, *, role: str, connections: int = 10
) -> AsyncGenerator[Runtime, None]:
    """Open everything for one process as role `owner` (workers) or `web`; close it at the end."""
    # DuckDB and Ibis take seconds to import: only who opens a runtime waits for them
    from textwave.storage.warehouse import Warehouse

    data = prepare_data_folder(settings)
    engine = _engine(settings)
    warehouse = Warehouse(
        owner_url=enduring(urls.owner),
        data_path=_lake_folder(settings),
        spill_folder=data / "spill",
        memory_megabytes=settings.warehouse_memory_megabytes,
        threads=settings.warehouse_threads,
        engine=engine,
    )
    ledger_url = urls.owner if role == "owner" else urls.web
    limits = aiohttp.TCPConnector(limit=512, limit_per_host=0, keepalive_timeout=30)
    async with (
        open_ledger(ledger_url, connections=connections) as ledger,
        # One platform's cookies are nobody else's business, and none of them needs any.
        aiohttp.ClientSession(connector=limits, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        try:
            vault = open_vault(settings.shared_folder)
            await _check_key(ledger, vault, settings.shared_folder)
            yield Runtime(settings, ledger, warehouse, vault, SystemClock(), http)
        finally:
            warehouse.close()
            engine.close()
