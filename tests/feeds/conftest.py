"""A workspace with feeds: the folders they may use, and databases to read from."""

import os
import shutil
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from textwave.customers.columns import TableKind
from textwave.customers.request import ImportRequest
from textwave.feeds import operations as feeds
from textwave.feeds.address import SourceKind
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage import progress
from textwave.storage.embedded import embedded_postgres
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

CUSTOMERS = "id,phone,city\n1,15412345678,上海\n2,15412345679,北京\n"


@dataclass(frozen=True)
class Feeding:
    """What a test of feeds does, as the API and a worker would."""

    ground: feeds.Ground
    web: Ledger
    vault: Vault
    workspace_id: WorkspaceId
    folder: Path

    async def source(self, kind: SourceKind, address: str, name: str = "shop") -> Any:
        async with self.web.transaction(self.workspace_id) as connection:
            return await feeds.add_source(
                connection,
                self.vault,
                workspace_id=self.workspace_id,
                actor="a test",
                name=name,
                kind=kind,
                address=address,
            )

    async def take(self, query: str, source: str = "shop", **options: Any) -> progress.Operation:
        """Import what a query gives, and return how that ended."""
        async with self.web.transaction(self.workspace_id) as connection:
            operation_id = await feeds.start_import(
                connection,
                workspace_id=self.workspace_id,
                actor="a test",
                source=source,
                query=query,
                request=request(**options),
            )
        return await self.ended(operation_id)

    async def ended(self, operation_id: OperationId) -> progress.Operation:
        key: dict[str, Any] = {"workspace_id": self.workspace_id, "operation_id": operation_id}
        await feeds.run_import(self.ground, **key)
        async with self.web.transaction(self.workspace_id) as connection:
            return await progress.read(connection, **key)


def request(**options: Any) -> ImportRequest:
    values: dict[str, Any] = {"table": "people", "kind": TableKind.CUSTOMERS} | options
    return ImportRequest(path="", file_name="", **values)


@pytest.fixture
async def feeding(
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    tmp_path: Path,
) -> AsyncIterator[Feeding]:
    for name in ("uploads", "imports", "spill"):
        (tmp_path / name).mkdir(exist_ok=True)
    ground = feeds.Ground(
        ledger, warehouse, vault, tmp_path / "uploads", tmp_path / "spill", tmp_path / "imports"
    )
    yield Feeding(ground, web_ledger, vault, workspace_id, tmp_path / "imports")
    assert list((tmp_path / "uploads").iterdir()) == []  # no run leaves a file


@pytest.fixture
def postgres_address() -> Iterator[str]:
    """A PostgreSQL database of a shop, with one table."""
    cluster = embedded_postgres(Path(os.environ["TW_TEST_CLUSTER"]))
    known = conninfo_to_dict(cluster.start().owner)
    name = f"shop_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER textwave")
        connection.execute(made.format(sql.Identifier(name)))
        address = f"postgresql://textwave:{known['password']}@/{name}?host={known['host']}"
        try:
            with psycopg.connect(address) as shop:
                shop.execute("CREATE TABLE c (id int, phone text, spent numeric, seen timestamptz)")
                shop.execute(
                    "INSERT INTO c VALUES (1, '15412345678', 9.5, '2026-01-02 03:04+00'),"
                    " (2, 'nobody', NULL, NULL)"
                )
            yield address
        finally:
            dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(dropped.format(sql.Identifier(name)))


@pytest.fixture
def sqlite_file(feeding: Feeding) -> str:
    """A SQLite file in the folder of imports."""
    connection = sqlite3.connect(feeding.folder / "shop.db")
    connection.execute("CREATE TABLE c (id TEXT, phone TEXT)")
    connection.execute("INSERT INTO c VALUES ('1', '15412345678'), ('2', '15412345679')")
    connection.commit()
    connection.close()
    return "shop.db"


@pytest.fixture
def mysql_address(tmp_path: Path) -> Iterator[str]:
    """A MariaDB server of a shop on loopback, with one table."""
    server = shutil.which("mariadbd")
    if server is None:
        pytest.skip("needs Debian's mariadb-server (apt-get install mariadb-server)")
    folder = tmp_path / "mysql"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={folder}", "--user=root",
         "--auth-root-authentication-method=normal"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [server, "--no-defaults", f"--datadir={folder}", "--user=root", f"--port={port}",
         "--bind-address=127.0.0.1", f"--socket={folder}/s", "--skip-name-resolve",
         "--innodb-buffer-pool-size=16M"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _fill(folder / "s")
        yield f"mysql://reader:not%20secret@127.0.0.1:{port}/shop"
    finally:
        process.terminate()
        process.wait(20)


def _fill(server: Path) -> None:
    statements = (
        "CREATE DATABASE shop; CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'not secret';"
        "GRANT SELECT ON shop.* TO reader@'127.0.0.1';"
        "CREATE TABLE shop.c (id INT, phone VARCHAR(40), spent DECIMAL(10,2));"
        "INSERT INTO shop.c VALUES (1, '15412345678', 12.34), (2, '15412345679', NULL)"
    )
    command = ["mariadb", "--no-defaults", f"--socket={server}", "-e", statements]
    deadline = time.monotonic() + 30
    while subprocess.run(command, check=False, capture_output=True).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError("MariaDB did not start")
        time.sleep(0.2)
