"""Bringing the database to the current schema: forward-only SQL files run by yoyo.

Runs at every start under yoyo's own lock, so several processes may start at once. Refuses a
database whose web role is missing, and says which statement makes it.
"""

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import ClassVar
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict
from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend

from textwave.kit.refusal import Refusal

WEB_ROLE = "textwave_web"


@dataclass(eq=False)
class WebRoleMissing(Refusal):
    """The database has no role for the API and console."""

    code: ClassVar[str] = "web_role_missing"
    role: str = WEB_ROLE

    @property
    def sentence(self) -> str:
        return (
            f"The database has no role {self.role}. As its administrator run: "
            f"CREATE ROLE {self.role} LOGIN PASSWORD '…'; and give its URL in "
            "TEXTWAVE_DATABASE_WEB_URL."
        )


def migrate(owner_url: str) -> int:
    """Apply what is missing; return how many migrations were applied."""
    with psycopg.connect(owner_url) as connection:
        if not connection.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [WEB_ROLE]
        ).fetchone():
            raise WebRoleMissing
    backend: DatabaseBackend = get_backend(_yoyo_url(owner_url))
    try:
        with as_file(files("textwave.storage") / "migrations") as folder, backend.lock():
            missing = backend.to_apply(read_migrations(str(folder)))
            backend.apply_migrations(missing)
            return len(missing)
    finally:
        backend.connection.close()


def _yoyo_url(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    user = quote(str(parts.get("user") or ""), safe="")
    password = quote(str(parts.get("password") or ""), safe="")
    database = quote(str(parts.get("dbname") or user), safe="")
    host, port = str(parts.get("host") or ""), parts.get("port")
    if host.startswith("/"):
        return f"postgresql+psycopg://{user}:{password}@/{database}?host={quote(host, safe='')}"
    return f"postgresql+psycopg://{user}:{password}@{host}{f':{port}' if port else ''}/{database}"
