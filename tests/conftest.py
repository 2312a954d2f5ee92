"""What every test may use: one PostgreSQL cluster a run, one fresh database a test that asks.

The cluster is made by the process that starts the run and shared by all parallel workers; it
listens on a Unix socket only and is gone when the run ends.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.stage import Stage
from textwave.accounts.operations import Founding, found
from textwave.kit.ids import WorkspaceId
from textwave.storage.embedded import DatabaseUrls, embedded_postgres
from textwave.storage.ledger import Ledger, open_ledger
from textwave.storage.migrate import migrate
from textwave.storage.secrets import Vault, open_vault
from textwave.storage.warehouse import Lake, Warehouse

_CLUSTER = "TW_TEST_CLUSTER"
_TEMPLATE = "textwave"


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="tw-tests-"))
    folder.chmod(0o755)
    urls = embedded_postgres(folder).start()
    with psycopg.connect(embedded_postgres(folder).superuser_url(), autocommit=True) as connection:
        settings: tuple[LiteralString, ...] = (
            "fsync = off",
            "synchronous_commit = off",
            "max_connections = 400",
        )
        for setting in settings:
            connection.execute(f"ALTER SYSTEM SET {setting}")
    embedded_postgres(folder).stop()
    embedded_postgres(folder).start()
    migrate(urls.owner)
    os.environ[_CLUSTER] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or _CLUSTER not in os.environ:
        return
    folder = Path(os.environ.pop(_CLUSTER))
    cluster = embedded_postgres(folder)
    cluster.stop()
    shutil.rmtree(cluster.cluster, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def urls() -> Iterator[DatabaseUrls]:
    """A fresh database with the current schema, as both roles."""
    with fresh_database() as made:
        yield made


@contextmanager
def fresh_database() -> Generator[DatabaseUrls]:
    """Make a database with the current schema, and drop it after."""
    cluster = embedded_postgres(Path(os.environ[_CLUSTER]))
    known = cluster.start()
    name = f"t_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER textwave STRATEGY FILE_COPY")
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(_TEMPLATE)))
        try:
            yield DatabaseUrls(
                make_conninfo(known.owner, dbname=name), make_conninfo(known.web, dbname=name)
            )
        finally:
            dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(dropped.format(sql.Identifier(name)))


@pytest.fixture
async def ledger(urls: DatabaseUrls) -> AsyncIterator[Ledger]:
    """The ledger as its owner (workers)."""
    async with open_ledger(urls.owner) as opened:
        yield opened


@pytest.fixture
async def web_ledger(urls: DatabaseUrls) -> AsyncIterator[Ledger]:
    """The ledger as the web role (API, console): row-level security applies."""
    async with open_ledger(urls.web) as opened:
        yield opened


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(tmp_path)


@pytest.fixture
async def founding(ledger: Ledger, vault: Vault) -> Founding:
    """The first organization, workspace and API key."""
    return await found(ledger, vault)


@pytest.fixture
def workspace_id(founding: Founding) -> WorkspaceId:
    return founding.workspace_id


@pytest.fixture
def warehouse(urls: DatabaseUrls, tmp_path: Path) -> Iterator[Warehouse]:
    """A lake of its own, in the test's database and folder."""
    opened = Warehouse(urls.owner, f"{tmp_path}/lake/", tmp_path / "spill", 500, 2)
    yield opened
    opened.close()


@pytest.fixture
def lake(warehouse: Warehouse) -> Iterator[Lake]:
    """An open connection to the lake as workspace 1."""
    with warehouse.open(WorkspaceId(1)) as opened:
        yield opened


@pytest.fixture
def stage(ledger: Ledger, warehouse: Warehouse, vault: Vault, founding: Founding) -> Stage:
    """A workspace in which a campaign can be made; the platform's address is set by the test."""
    return Stage(ledger, warehouse, vault, founding, platform_url="http://127.0.0.1:9")
