"""A PostgreSQL that may be killed: a cluster of its own, with the settings of production."""

import os
import shutil
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from textwave.storage.embedded import DatabaseUrls, PostgresDidNotStart, embedded_postgres
from textwave.storage.migrate import migrate


class Cluster:
    """A running server and the ways in which it may end."""

    def __init__(self, folder: Path) -> None:
        self.server = embedded_postgres(folder)
        self.urls: DatabaseUrls = self.server.start()

    def kill(self) -> None:
        """SIGKILL the postmaster: no checkpoint, no farewell to its clients."""
        pid = int((self.server.cluster / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def start(self, *, seconds: float = 30) -> None:
        """Start it again; after a kill the last backends must have gone before."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.server.start()
            except (PostgresDidNotStart, psycopg.OperationalError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def listen(self, address: str) -> DatabaseUrls:
        """Let it be reached at an address, too; return the URLs for there."""
        with psycopg.connect(self.server.superuser_url(), autocommit=True) as connection:
            setting = sql.SQL("ALTER SYSTEM SET listen_addresses = {}")
            connection.execute(setting.format(sql.Literal(address)))
        with (self.server.cluster / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        self.restart()
        known = {"host": address, "port": "5432"}
        return DatabaseUrls(
            make_conninfo(self.urls.owner, **known), make_conninfo(self.urls.web, **known)
        )

    def restart(self) -> None:
        """Stop it as an administrator does, cancelling what runs, and start it again."""
        self.server.stop()
        self.start()


@contextmanager
def cluster(folder: Path) -> Generator[Cluster, None, None]:
    """Make a cluster with the current schema; it is gone at the end."""
    made = Cluster(folder)
    try:
        migrate(made.urls.owner)
        yield made
    finally:
        made.server.stop()
        shutil.rmtree(made.server.cluster, ignore_errors=True)
