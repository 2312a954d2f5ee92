"""Rows of platform accounts and of the workspaces that may use them.

Every statement names the workspace, but for those of workers: accounts are the organization's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from textwave.connections.accounts import NewPlatform, PlatformAccount
from textwave.kit.ids import OrganizationId, PlatformId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.connections")


@dataclass(frozen=True, slots=True)
class CampaignUnderWay:
    """A campaign that sends, or is about to, through an account."""

    workspace_id: WorkspaceId
    workspace: str
    name: str


@dataclass(frozen=True, slots=True)
class _Admitted:
    platform_id: PlatformId
    workspace: str


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


async def accounts(
    connection: Connection,
    *,
    organization_id: OrganizationId,
    name: str | None = None,
    limit: int = LONGEST_PAGE,
) -> list[PlatformAccount]:
    """Return the organization's accounts by name, retired ones last; all, or the one asked for."""
    parameters = {"organization_id": organization_id, "name": name, "limit": limit}
    return await many(connection, PlatformAccount, _SQL["accounts"], parameters)


async def account_named(
    connection: Connection, *, organization_id: OrganizationId, name: str
) -> PlatformAccount:
    """Read an account of the organization, retired or not.

    Raises:
        NotFound: it has none of that name.
    """
    found = await accounts(connection, organization_id=organization_id, name=name)
    if not found:
        raise NotFound("platform", name)
    return found[0]


async def hold_account(
    connection: Connection, *, organization_id: OrganizationId, name: str
) -> PlatformAccount:
    """Read an account that is in use, and hold it until the transaction ends.

    Raises:
        NotFound: the organization has none of that name, or has retired it.
    """
    key = {"organization_id": organization_id, "name": name}
    if await value(connection, _SQL["account_held"], key) is None:
        raise NotFound("platform", name)
    return await account_named(connection, organization_id=organization_id, name=name)


async def edit_platform(
    connection: Connection, *, platform_id: PlatformId, values: Mapping[str, Any]
) -> None:
    """Write what an account says of itself, all of it."""
    parameters = {
        **values,
        "platform_id": platform_id,
        "capabilities": sorted(values["capabilities"]),
        "options": Jsonb(dict(values["options"])),
    }
    await execute(connection, _SQL["edit_platform"], parameters)


async def replace_key(
    connection: Connection,
    *,
    platform_id: PlatformId,
    sealed_key: bytes,
    key_id: str,
    previous_until: datetime,
) -> None:
    """Write a new key; the one before may sign callbacks until then."""
    parameters = {
        "platform_id": platform_id,
        "sealed_key": sealed_key,
        "key_id": key_id,
        "previous_until": previous_until,
    }
    await execute(connection, _SQL["replace_key"], parameters)


async def renew_push_address(connection: Connection, platform_id: PlatformId) -> None:
    """Let the account be pushed to under a path that nobody has seen."""
    await execute(connection, _SQL["renew_push_address"], {"platform_id": platform_id})


async def serve_at_once(connection: Connection, platform_id: PlatformId) -> None:
    """Let what waits for the account go now."""
    await value(connection, _SQL["serve_at_once"], {"platform_id": platform_id})


async def callback_taken_at(connection: Connection, platform_id: PlatformId) -> datetime | None:
    """Return when an account's last callback came; None: none lately."""
    key = {"platform_id": platform_id}
    taken_at: datetime | None = await value(connection, _SQL["callback_taken_at"], key)
    return taken_at


async def workspaces_of_platforms(connection: Connection) -> dict[PlatformId, list[str]]:
    """Return the names of the workspaces that use each account of the organization."""
    found: dict[PlatformId, list[str]] = {}
    for admitted in await many(connection, _Admitted, _SQL["workspaces_of_platforms"]):
        found.setdefault(admitted.platform_id, []).append(admitted.workspace)
    return found


async def workspace_called(connection: Connection, name: str) -> WorkspaceId:
    """Return the workspace of that name in the organization.

    Raises:
        NotFound: it has none.
    """
    found = await value(connection, _SQL["workspace_called"], {"name": name})
    if found is None:
        raise NotFound("workspace", name)
    return WorkspaceId(found)


async def admit(
    connection: Connection, *, platform_id: PlatformId, workspace_id: WorkspaceId
) -> bool:
    """Let a workspace of the organization use an account; False when it may already."""
    key = {"platform_id": platform_id, "workspace_id": workspace_id}
    return await value(connection, _SQL["admit"], key) is not None


async def withdraw(
    connection: Connection, *, platform_id: PlatformId, workspace_id: WorkspaceId
) -> bool:
    """Let a workspace use an account no longer; False when it was not admitted."""
    key = {"platform_id": platform_id, "workspace_id": workspace_id}
    return await value(connection, _SQL["withdraw"], key) is not None


async def campaign_through(
    connection: Connection, *, platform_id: PlatformId, of_workspace: WorkspaceId | None = None
) -> CampaignUnderWay | None:
    """Return a campaign under way through an account: of one workspace, or of any."""
    key = {"platform_id": platform_id, "of_workspace": of_workspace}
    return await one(connection, CampaignUnderWay, _SQL["campaign_through"], key)


async def delete_platform(connection: Connection, platform_id: PlatformId) -> bool:
    """Delete an account that nothing ever used (True), or retire it (False)."""
    gone: bool = await value(connection, _SQL["delete_platform"], {"platform_id": platform_id})
    return gone
