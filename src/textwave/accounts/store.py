"""Rows of organizations, workspaces, keys and the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.kit.ids import OrganizationId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.accounts")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace and what its customers have in common."""

    id: WorkspaceId
    organization_id: OrganizationId
    name: str
    time_zone: str
    default_region: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API, told by the key."""

    workspace_id: WorkspaceId
    organization_id: OrganizationId
    api_key_id: int
    name: str
    is_administrator: bool = True


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in use; nobody can read the key itself."""

    id: int
    name: str
    is_administrator: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TokenKeyVersion:
    """A version of the click-token key, and since when tokens are made with it."""

    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedTokenKey:
    """A key of click tokens as it is kept."""

    version: int
    sealed_secret: bytes


async def installation_name(connection: Connection) -> str | None:
    """Return the installation's name, or None before it is founded."""
    name: str | None = await value(connection, _SQL["installation"])
    return name


async def add_installation(connection: Connection, *, name: str) -> bool:
    """Name the installation; False when somebody was first."""
    return await execute(connection, _SQL["add_installation"], {"name": name}) == 1


async def add_organization(connection: Connection, *, name: str) -> OrganizationId:
    """Add an organization."""
    return OrganizationId(await value(connection, _SQL["add_organization"], {"name": name}))


async def add_workspace(
    connection: Connection,
    *,
    organization_id: OrganizationId,
    name: str,
    time_zone: str,
    default_region: str,
) -> WorkspaceId:
    """Add a workspace to an organization."""
    parameters = {
        "organization_id": organization_id,
        "name": name,
        "time_zone": time_zone,
        "default_region": default_region,
    }
    return WorkspaceId(await value(connection, _SQL["add_workspace"], parameters))


async def add_api_key(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    digest: bytes,
    is_administrator: bool = True,
) -> bool:
    """Add a key, of which only the digest is kept; False when the name is in use."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "digest": digest,
        "is_administrator": is_administrator,
    }
    return await value(connection, _SQL["add_api_key"], parameters) is not None


async def api_keys(connection: Connection, workspace_id: WorkspaceId) -> list[ApiKey]:
    """Return the keys in use, oldest first."""
    return await many(connection, ApiKey, _SQL["api_keys"], {"workspace_id": workspace_id})


async def revoke_api_key(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """End the use of a key; False when none of that name is in use."""
    parameters = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["revoke_api_key"], parameters) is not None


async def add_token_key(connection: Connection, *, version: int, sealed_secret: bytes) -> None:
    """Add a version of the click-token key."""
    parameters = {"version": version, "sealed_secret": sealed_secret}
    await execute(connection, _SQL["add_token_key"], parameters)


async def token_keys(connection: Connection) -> list[SealedTokenKey]:
    """Return all click-token keys, newest first."""
    return await many(connection, SealedTokenKey, _SQL["token_keys"])


async def hold_token_keys(connection: Connection) -> None:
    """Let nobody else add a click-token key before the end of the transaction."""
    await execute(connection, _SQL["hold_token_keys"], {})


async def token_key_versions(connection: Connection) -> list[TokenKeyVersion]:
    """Return the versions of all click-token keys, newest first."""
    return await many(connection, TokenKeyVersion, _SQL["token_key_versions"])


async def who(connection: Connection, *, digest: bytes) -> Caller | None:
    """Return whose key it is, or None for an unknown or revoked one."""
    return await one(connection, Caller, _SQL["who"], {"digest": digest})


async def workspace(connection: Connection, workspace_id: WorkspaceId) -> Workspace:
    """Read a workspace."""
    found = await one(connection, Workspace, _SQL["workspace"], {"workspace_id": workspace_id})
    if found is None:
        raise NotFound("workspace", str(workspace_id))
    return found


async def forget_audit_events(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the oldest events before a time, at most so many; return how many. As the owner."""
    parameters = {"before": before, "limit": limit}
    return await execute(connection, _SQL["forget_audit_events"], parameters)


async def audit(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    action: str,
    object_name: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write down who changed, exported or revealed what, in the transaction that did it."""
    await execute(
        connection,
        _SQL["add_audit_event"],
        {
            "workspace_id": workspace_id,
            "actor": actor,
            "action": action,
            "object": object_name,
            "detail": Jsonb(dict(detail or {})),
        },
    )
