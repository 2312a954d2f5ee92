"""Adding platform accounts, and checking them live.

The key goes in sealed and never comes out. Refused are names that are taken and a platform that
does not answer: nothing is changed then.
"""

from dataclasses import dataclass

from textwave.accounts.key_operations import check_administrator
from textwave.accounts.store import Caller, audit
from textwave.connections import store
from textwave.connections.accounts import (
    BATCH_MAX,
    IDEMPOTENCY,
    KNOWN_CAPABILITIES,
    RATE_MAX,
    NewPlatform,
    OpenPlatform,
    PlatformAccount,
    seal_key,
)
from textwave.connections.change import check_platform
from textwave.kit.refusal import AlreadyExists
from textwave.platforms.contract import Account
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault


@dataclass(frozen=True, slots=True)
class Connected:
    """What a live check found; `balance` in thousandths, None if the platform does not say."""

    account: PlatformAccount
    balance: int | None


async def add_platform(
    connection: Connection, vault: Vault, *, caller: Caller, new: NewPlatform
) -> PlatformAccount:
    """Add a platform account to the organization, for the caller's workspace.

    Raises:
        AdministratorNeeded: the caller is none.
        InvalidValue: a value does not fit.
        AlreadyExists: the name is taken; it is the installation's, since callbacks go by it.
    """
    check_administrator(caller)
    check_platform(new)
    platform_id = await store.add_platform(
        connection,
        organization_id=caller.organization_id,
        new=new,
        sealed_key=seal_key(vault, new.name, new.key),
    )
    if platform_id is None:
        raise AlreadyExists("platform", new.name)
    await store.admit_workspace(
        connection, platform_id=platform_id, workspace_id=caller.workspace_id
    )
    await audit(
        connection,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        action="platform.add",
        object_name=new.name,
        detail={"base_url": new.base_url, "kind": new.kind, "receipts": new.receipts},
    )
    return await store.platform_named(connection, workspace_id=caller.workspace_id, name=new.name)


async def connect_platform(
    ledger: Ledger, open_platform: OpenPlatform, *, caller: Caller, name: str
) -> Connected:
    """Ask the platform for the account, and keep its rate, batch size and capabilities.

    Raises:
        AdministratorNeeded: the caller is none.
        NotFound: the organization has no such platform.
        PlatformUnreachable, PlatformRefused, PlatformAnsweredNonsense: as the platform did.
    """
    check_administrator(caller)
    organization_id = caller.organization_id
    async with ledger.transaction(caller.workspace_id) as connection:
        account = await store.account_named(connection, organization_id=organization_id, name=name)
    found = await open_platform(account).account()
    said = _as_said(account, found)
    async with ledger.transaction(caller.workspace_id) as connection:
        await store.update_platform(
            connection,
            platform_id=account.id,
            rate_per_second=said[0],
            max_batch=said[1],
            capabilities=said[2],
        )
        await audit(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            action="platform.connect",
            object_name=name,
            detail={
                "rate_per_second": said[0],
                "max_batch": said[1],
                "capabilities": sorted(said[2]),
            },
        )
        kept = await store.account_named(connection, organization_id=organization_id, name=name)
    return Connected(kept, found.balance)


def _as_said(account: PlatformAccount, found: Account) -> tuple[int, int, frozenset[str]]:
    """Return rate, batch size and capabilities; what the platform leaves open stays as it was.

    Not so its honouring of keys: presumed wrongly, it would send messages twice.
    """
    capabilities = found.capabilities & KNOWN_CAPABILITIES
    return (
        min(found.rate_per_second or account.rate_per_second, RATE_MAX),
        min(found.max_batch or account.max_batch, BATCH_MAX),
        capabilities or account.capabilities - {IDEMPOTENCY},
    )
