"""Changing accounts: values, keys, the workspaces that may use them, and taking them away.

Only administrators do, for their organization. Refused is what a campaign under way needs; a key
goes in sealed and never comes out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from textwave.accounts.key_operations import check_administrator
from textwave.accounts.store import Caller, audit
from textwave.connections import store
from textwave.connections.accounts import (
    NewPlatform,
    PlatformAccount,
    PlatformKind,
    seal_key,
)
from textwave.connections.change import (
    CHANGEABLE,
    PlatformChange,
    changed,
    check_key,
)
from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault

OLD_KEY_MINUTES: Final = 15
"""How long callbacks may be signed with the key before, while gateways take the new one."""


@dataclass(eq=False)
class AccountInUse(Refusal):
    """A campaign under way sends through the account."""

    code: ClassVar[str] = "account_in_use"
    platform: str
    campaign: str
    workspace: str

    @property
    def sentence(self) -> str:
        return (
            f"The campaign “{self.campaign}” of the workspace “{self.workspace}” sends through the "
            f"platform “{self.platform}”. Wait until it is completed, or cancel it."
        )


@dataclass(eq=False)
class DeletionUnconfirmed(Refusal):
    """Deleting an account was not confirmed by its name."""

    code: ClassVar[str] = "deletion_unconfirmed"
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"Nothing can be sent through “{self.platform}” any more once it is deleted. Confirm "
            "it by giving that name again."
        )


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account, and the workspaces of the organization that may use it, by name."""

    account: PlatformAccount
    workspaces: list[str]


async def shown_accounts(connection: Connection, *, caller: Caller) -> list[ShownAccount]:
    """Return all accounts of the organization, retired ones last.

    Raises:
        AdministratorNeeded: the caller is none.
    """
    check_administrator(caller)
    found = await store.accounts(connection, organization_id=caller.organization_id)
    workspaces = await store.workspaces_of_platforms(connection)
    return [ShownAccount(account, workspaces.get(account.id, [])) for account in found]


async def shown_account(connection: Connection, *, caller: Caller, name: str) -> ShownAccount:
    """Return one account; who is no administrator sees it if the workspace may use it.

    Raises:
        NotFound: there is none of that name for the caller.
    """
    if caller.is_administrator:
        account = await store.account_named(
            connection, organization_id=caller.organization_id, name=name
        )
        workspaces = await store.workspaces_of_platforms(connection)
        return ShownAccount(account, workspaces.get(account.id, []))
    account = await store.platform_named(connection, workspace_id=caller.workspace_id, name=name)
    return ShownAccount(account, [])


async def edit_platform(
    connection: Connection, *, caller: Caller, name: str, change: PlatformChange
) -> ShownAccount:
    """Change what an account says of itself; a new address is tried at once.

    Campaigns that were started keep the texts that they were planned with.

    Raises:
        AdministratorNeeded, NotFound.
        InvalidValue: the account would not be one that can be kept and opened.
    """
    account = await _held(connection, caller, name)
    different = changed(account, change)
    if different:
        kept = {field: getattr(account, field) for field in CHANGEABLE}
        values = kept | {field: after for field, (_, after) in different.items()}
        await store.edit_platform(connection, platform_id=account.id, values=values)
        if "base_url" in different:
            await store.serve_at_once(connection, account.id)
        detail = {
            field: {"before": _said(before), "after": _said(after)}
            for field, (before, after) in different.items()
        }
        await _audit(connection, caller, "edit", name, detail)
    return await shown_account(connection, caller=caller, name=name)


async def replace_key(
    connection: Connection,
    vault: Vault,
    *,
    caller: Caller,
    name: str,
    key: str,
    key_id: str | None = None,
    now: datetime,
) -> ShownAccount:
    """Replace the key, and the id that goes with it; callbacks may use the old one for a while.

    Raises:
        AdministratorNeeded, NotFound, InvalidValue.
    """
    account = await _held(connection, caller, name)
    with_id = account.key_id if key_id is None else key_id
    check_key(NewPlatform(name, account.base_url, key, kind=account.kind, key_id=with_id))
    await store.replace_key(
        connection,
        platform_id=account.id,
        sealed_key=seal_key(vault, name, key),
        key_id=with_id,
        previous_until=now + timedelta(minutes=OLD_KEY_MINUTES),
    )
    await store.serve_at_once(connection, account.id)
    await _audit(connection, caller, "key", name, {"key_id": with_id})
    return await shown_account(connection, caller=caller, name=name)


async def renew_push_address(connection: Connection, *, caller: Caller, name: str) -> ShownAccount:
    """Give an account new addresses to be pushed to; at the old ones nothing is taken any more.

    For platforms whose addresses hold a secret. Until the new ones are entered there, what the
    platform pushes is refused; it tries again for some minutes.

    Raises:
        AdministratorNeeded, NotFound.
        InvalidValue: the platform signs its callbacks, so that its addresses are no secret.
    """
    account = await _held(connection, caller, name)
    if account.kind is PlatformKind.THIRDPARTY:
        problem = "callbacks of this platform are signed. Replace its key instead."
        raise InvalidValue("name", problem)
    await store.renew_push_address(connection, account.id)
    await _audit(connection, caller, "push_address", name, {"version": account.push_version + 1})
    return await shown_account(connection, caller=caller, name=name)


async def admit_workspace(
    connection: Connection, *, caller: Caller, name: str, workspace: str
) -> ShownAccount:
    """Let a workspace of the organization use an account.

    Raises:
        AdministratorNeeded.
        NotFound: the organization has no such account or workspace.
    """
    account = await _held(connection, caller, name)
    admitted = await store.workspace_called(connection, workspace)
    if await store.admit(connection, platform_id=account.id, workspace_id=admitted):
        await _audit(connection, caller, "admit", name, {"workspace": workspace})
    return await shown_account(connection, caller=caller, name=name)


async def withdraw_workspace(
    connection: Connection, *, caller: Caller, name: str, workspace: str
) -> ShownAccount:
    """Let a workspace use an account no longer; what it sent still comes back.

    Raises:
        AdministratorNeeded, NotFound.
        AccountInUse: a campaign of the workspace is under way through it.
    """
    account = await _held(connection, caller, name)
    withdrawn = await store.workspace_called(connection, workspace)
    await _refuse_under_way(connection, account, withdrawn)
    if not await store.withdraw(connection, platform_id=account.id, workspace_id=withdrawn):
        raise NotFound("workspace", workspace)
    await _audit(connection, caller, "withdraw", name, {"workspace": workspace})
    return await shown_account(connection, caller=caller, name=name)


async def delete_platform(
    connection: Connection, *, caller: Caller, name: str, confirmation: str
) -> bool:
    """Delete an account that nothing ever used (True); else retire it (False).

    Through a retired one nothing new is sent; receipts and replies of before are still taken, so
    its name stays taken.

    Raises:
        AdministratorNeeded, NotFound.
        DeletionUnconfirmed: the confirmation is not the name.
        AccountInUse: a campaign is under way through it.
    """
    account = await _held(connection, caller, name)
    if confirmation != name:
        raise DeletionUnconfirmed(name)
    await _refuse_under_way(connection, account, None)
    gone = await store.delete_platform(connection, PlatformId(account.id))
    await _audit(connection, caller, "delete", name, {"gone": gone})
    return gone


async def _held(connection: Connection, caller: Caller, name: str) -> PlatformAccount:
    check_administrator(caller)
    return await store.hold_account(connection, organization_id=caller.organization_id, name=name)


async def _refuse_under_way(
    connection: Connection, account: PlatformAccount, workspace_id: WorkspaceId | None
) -> None:
    under_way = await store.campaign_through(
        connection, platform_id=account.id, of_workspace=workspace_id
    )
    if under_way is not None:
        raise AccountInUse(account.name, under_way.name, under_way.workspace)


def _said(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


async def _audit(
    connection: Connection, caller: Caller, action: str, name: str, detail: dict[str, Any]
) -> None:
    await audit(
        connection,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        action=f"platform.{action}",
        object_name=name,
        detail=detail,
    )
