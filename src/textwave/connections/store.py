"""Rows of platform accounts and of the workspaces that may use them.

Every statement names the workspace, but for those of workers: accounts are the organization's.
"""

from dataclasses import asdict

from psycopg.types.json import Jsonb

from textwave.connections.accounts import NewPlatform, PlatformAccount
from textwave.kit.ids import OrganizationId, PlatformId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.connections")


async def add_platform(
    connection: Connection,
    *,
    organization_id: OrganizationId,
    new: NewPlatform,
    sealed_key: bytes,
) -> PlatformId | None:
    """Add a platform; None when the name is taken."""
    parameters = asdict(new) | {
        "organization_id": organization_id,
        "sealed_key": sealed_key,
        "capabilities": sorted(new.capabilities),
        "options": Jsonb(dict(new.options)),
    }
    del parameters["key"]
    added = await value(connection, _SQL["add_platform"], parameters)
    return None if added is None else PlatformId(added)


async def admit_workspace(
    connection: Connection, *, platform_id: PlatformId, workspace_id: WorkspaceId
) -> None:
    """Let a workspace use a platform."""
    key = {"platform_id": platform_id, "workspace_id": workspace_id}
    await execute(connection, _SQL["admit_workspace"], key)


async def platforms(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str | None = None,
    platform_id: PlatformId | None = None,
    limit: int = LONGEST_PAGE,
) -> list[PlatformAccount]:
    """Return the platforms that a workspace may use, by name; all, or the one asked for."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "platform_id": platform_id,
        "limit": limit,
    }
    return await many(connection, PlatformAccount, _SQL["platforms"], parameters)


async def platform_named(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> PlatformAccount:
    """Read a platform that a workspace may use.

    Raises:
        NotFound: there is none of that name for it.
    """
    found = await platforms(connection, workspace_id=workspace_id, name=name)
    if not found:
        raise NotFound("platform", name)
    return found[0]


async def platform_account(connection: Connection, platform_id: PlatformId) -> PlatformAccount:
    """Read one platform, for workers.

    Raises:
        NotFound: there is none of that id.
    """
    key = {"platform_id": platform_id}
    found = await one(connection, PlatformAccount, _SQL["platform_account"], key)
    if found is None:
        raise NotFound("platform", str(platform_id))
    return found


async def platforms_to_pull(connection: Connection) -> list[PlatformAccount]:
    """Return every platform whose receipts and replies are pulled, for workers."""
    return await many(connection, PlatformAccount, _SQL["platforms_to_pull"])


async def update_platform(
    connection: Connection,
    *,
    platform_id: PlatformId,
    rate_per_second: int,
    max_batch: int,
    capabilities: frozenset[str],
) -> None:
    """Keep what the platform said of the account."""
    parameters = {
        "platform_id": platform_id,
        "rate_per_second": rate_per_second,
        "max_batch": max_batch,
        "capabilities": sorted(capabilities),
    }
    await execute(connection, _SQL["update_platform"], parameters)
