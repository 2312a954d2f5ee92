"""Founding an installation, and telling who calls."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import ClassVar

from textwave.accounts import store
from textwave.kit.ids import OrganizationId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault

TOKEN_CONTEXT = "click tokens"  # noqa: S105 - what the secret is for, not the secret


@dataclass(eq=False)
class KeyUnknown(Refusal):
    """The API key opens no workspace."""

    code: ClassVar[str] = "key_unknown"

    @property
    def sentence(self) -> str:
        return (
            "This API key is unknown or revoked. On the machine itself `textwave key show` prints "
            "the first one; send it as “Authorization: Bearer …”."
        )


@dataclass(frozen=True, slots=True)
class Founding:
    """What the first start made. The key is shown here and never again by the database."""

    installation: str
    organization_id: OrganizationId
    workspace_id: WorkspaceId
    api_key: str


def new_api_key() -> str:
    """Return a key that nobody can guess."""
    return "tw_" + secrets.token_urlsafe(30)


async def found(ledger: Ledger, vault: Vault, *, api_key: str | None = None) -> Founding:
    """Make the first organization, workspace, API key and click-token key, once.

    Give an `api_key` that is kept already, so that a crash after this loses nothing.

    Raises:
        AlreadyFounded: an earlier start did.
    """
    api_key = api_key or new_api_key()
    installation = secrets.token_hex(4)
    async with ledger.transaction() as connection:
        if not await store.add_installation(connection, name=installation):
            raise AlreadyFounded
        organization_id = await store.add_organization(connection, name="Textwave")
        workspace_id = await store.add_workspace(
            connection,
            organization_id=organization_id,
            name="main",
            time_zone="Asia/Shanghai",
            default_region="CN",
        )
        await store.add_api_key(
            connection, workspace_id=workspace_id, name="first key", digest=digest_of(api_key)
        )
        sealed = vault.seal(secrets.token_hex(32), TOKEN_CONTEXT)
        await store.add_token_key(connection, version=1, sealed_secret=sealed)
    return Founding(installation, organization_id, workspace_id, api_key)


async def is_founded(ledger: Ledger) -> bool:
    """Tell whether the installation has been made."""
    async with ledger.transaction() as connection:
        return await store.installation_name(connection) is not None


@dataclass(eq=False)
class AlreadyFounded(Refusal):
    """The installation exists."""

    code: ClassVar[str] = "already_founded"

    @property
    def sentence(self) -> str:
        return "This installation has its organization, workspace and key already."


async def identify(ledger: Ledger, *, api_key: str) -> store.Caller:
    """Tell whose key it is.

    Raises:
        KeyUnknown: nobody's.
    """
    async with ledger.transaction() as connection:
        caller = await store.who(connection, digest=digest_of(api_key))
    if caller is None:
        raise KeyUnknown
    return caller


def digest_of(api_key: str) -> bytes:
    """Return what is kept of a key. It has 240 random bits, so a plain digest cannot be guessed."""
    return hashlib.sha256(api_key.encode()).digest()


async def token_secrets(connection: Connection, vault: Vault) -> list[tuple[int, bytes]]:
    """Open the secrets of click tokens: version and secret, newest first."""
    return [
        (sealed.version, bytes.fromhex(vault.open(sealed.sealed_secret, TOKEN_CONTEXT)))
        for sealed in await store.token_keys(connection)
    ]
