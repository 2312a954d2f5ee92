"""Rows of encryption keys: sealed, and by version."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.customers", "key_store.sql")


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """What is known of a key; `tables` are those whose mobile numbers it decrypts."""

    version: int
    created_by: str
    created_at: datetime
    tables: list[str]


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key as it is kept."""

    version: int
    sealed_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MobileColumn:
    """A column of numbers; `mobile_key` is the version that it is encrypted with, None: plain."""

    table_name: str
    kind: str
    customer_column: str
    mobile_column: str
    time_column: str | None
    mobile_key: int | None
    mobile_region: str | None


async def next_version(connection: Connection, workspace_id: WorkspaceId) -> int:
    """Take the version of the next key; nobody else gets it until the transaction ends."""
    key = {"workspace_id": workspace_id}
    await execute(connection, _SQL["hold_versions"], key)
    return (await value(connection, _SQL["newest_version"], key) or 0) + 1


async def add(
    connection: Connection, *, workspace_id: WorkspaceId, sealed: SealedKey, created_by: str
) -> None:
    """Add a sealed key."""
    parameters = {
        "workspace_id": workspace_id,
        "version": sealed.version,
        "sealed_secret": sealed.sealed_secret,
        "created_by": created_by,
    }
    await execute(connection, _SQL["add"], parameters)


async def keys(connection: Connection, workspace_id: WorkspaceId) -> Sequence[EncryptionKey]:
    """Return what is known of the workspace's keys, newest first."""
    return await many(connection, EncryptionKey, _SQL["keys"], {"workspace_id": workspace_id})


async def sealed_key(
    connection: Connection, *, workspace_id: WorkspaceId, version: int | None
) -> SealedKey | None:
    """Read a key as it is kept; `version` None is the newest. The web role may not."""
    parameters = {"workspace_id": workspace_id, "version": version}
    return await one(connection, SealedKey, _SQL["sealed"], parameters)


async def mobile_columns(
    connection: Connection, *, workspace_id: WorkspaceId, table: str
) -> Sequence[MobileColumn]:
    """Return where a customer of the table has numbers: there first, then in other tables."""
    parameters = {"workspace_id": workspace_id, "table": table}
    return await many(connection, MobileColumn, _SQL["mobile_columns"], parameters)
