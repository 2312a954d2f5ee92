"""Keys of encrypted mobile numbers: added, listed by version, opened by workers only.

A key goes in once and never comes out over any door. It is never changed or removed, because
tables may need it: a new one gets the next version.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from textwave.accounts.store import audit
from textwave.customers import key_store
from textwave.customers.encryption import read_key
from textwave.customers.key_store import EncryptionKey, SealedKey
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault

MOST_KEYS: Final = 100


@dataclass(eq=False)
class EncryptionKeyMissing(Refusal):
    """The workspace has no such key."""

    code: ClassVar[str] = "encryption_key_missing"
    version: int | None

    @property
    def sentence(self) -> str:
        which = "key" if self.version is None else f"key of version {self.version}"
        return (
            f"The workspace has no encryption {which}. Add one with “textwave encryption add”, or "
            "see which there are with “textwave encryption list”."
        )


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A key that can decrypt."""

    version: int
    secret: bytes = field(repr=False)


async def add_key(
    connection: Connection, vault: Vault, *, workspace_id: WorkspaceId, actor: str, secret: str
) -> EncryptionKey:
    """Keep a key of 16 ASCII characters, sealed, as the newest version.

    Raises:
        InvalidValue: it is no such key, or the workspace has 100 already.
    """
    read_key(secret)
    version = await key_store.next_version(connection, workspace_id)
    if version > MOST_KEYS:
        raise InvalidValue("key", f"A workspace has at most {MOST_KEYS} encryption keys.")
    sealed = SealedKey(version, vault.seal(secret, _context(workspace_id, version)))
    await key_store.add(connection, workspace_id=workspace_id, sealed=sealed, created_by=actor)
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="encryption.add",
        object_name=f"version {version}",
    )
    newest, *_ = await key_store.keys(connection, workspace_id)
    return newest


async def keys(connection: Connection, workspace_id: WorkspaceId) -> Sequence[EncryptionKey]:
    """Return which keys there are, newest first: versions, never the keys."""
    return await key_store.keys(connection, workspace_id)


async def open_key(
    connection: Connection, vault: Vault, *, workspace_id: WorkspaceId, version: int | None
) -> OpenedKey:
    """Open a key to decrypt with; `version` None is the newest. For workers only.

    Raises:
        EncryptionKeyMissing: there is none.
    """
    found = await key_store.sealed_key(connection, workspace_id=workspace_id, version=version)
    if found is None:
        raise EncryptionKeyMissing(version)
    secret = vault.open(found.sealed_secret, _context(workspace_id, found.version))
    return OpenedKey(found.version, read_key(secret))


async def check_version(
    connection: Connection, *, workspace_id: WorkspaceId, version: int | None
) -> None:
    """Accept a version that the workspace has, or any key at all if it is None.

    Raises:
        EncryptionKeyMissing: there is none.
    """
    known = [key.version for key in await key_store.keys(connection, workspace_id)]
    if not known or version not in (None, *known):
        raise EncryptionKeyMissing(version)


def _context(workspace_id: WorkspaceId, version: int) -> str:
    return f"encryption key {version} of workspace {workspace_id}"
