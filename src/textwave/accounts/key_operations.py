"""API keys, and the keys of click tokens: made, listed and revoked by administrators.

A key's name is written beside everything that is done with it. The key itself is shown once.
A key of click tokens never comes out; new tokens are made with the newest, old ones still count.
"""

import secrets
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.accounts import store
from textwave.accounts.operations import TOKEN_CONTEXT, digest_of, new_api_key
from textwave.accounts.store import ApiKey, Caller, TokenKeyVersion
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault

LONGEST_NAME: Final = 100
MOST_TOKEN_KEYS: Final = 100


@dataclass(eq=False)
class AdministratorNeeded(Refusal):
    """The key is no administrator's."""

    code: ClassVar[str] = "administrator_needed"
    key: str

    @property
    def sentence(self) -> str:
        return (
            f"The key “{self.key}” is not an administrator's. Ask an administrator, or use a key "
            "that was made with --administrator."
        )


async def create_api_key(
    connection: Connection, *, caller: Caller, name: str, is_administrator: bool
) -> str:
    """Make a key of the caller's workspace and return it, for the only time.

    Raises:
        AdministratorNeeded: the caller's key is none.
        InvalidValue, AlreadyExists: the name is none, or in use.
    """
    check_administrator(caller)
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        problem = f"A key has a name of 1 to {LONGEST_NAME} printable characters without “/”."
        raise InvalidValue("name", problem)
    api_key = new_api_key()
    if not await store.add_api_key(
        connection,
        workspace_id=caller.workspace_id,
        name=name,
        digest=digest_of(api_key),
        is_administrator=is_administrator,
    ):
        raise AlreadyExists("key", name)
    detail = {"is_administrator": is_administrator}
    await _audit(connection, caller, "api_key.created", name, detail)
    return api_key


async def api_keys(connection: Connection, *, caller: Caller) -> list[ApiKey]:
    """Return the keys in use.

    Raises:
        AdministratorNeeded: the caller's key is none.
    """
    check_administrator(caller)
    return await store.api_keys(connection, caller.workspace_id)


async def revoke_api_key(connection: Connection, *, caller: Caller, name: str) -> None:
    """End the use of a key, at once and for good.

    Raises:
        AdministratorNeeded: the caller's key is none.
        InvalidValue: it is the caller's own, so that no workspace is locked out.
        NotFound: no key of that name is in use.
    """
    check_administrator(caller)
    if name == caller.name:
        raise InvalidValue("name", "A key cannot revoke itself. Use another administrator's key.")
    if not await store.revoke_api_key(connection, caller.workspace_id, name):
        raise NotFound("key", name)
    await _audit(connection, caller, "api_key.revoked", name, {})


async def rotate_token_key(connection: Connection, vault: Vault, *, caller: Caller) -> int:
    """Make a new key of click tokens and return its version; tokens of older keys still count.

    Campaigns that are planned already keep the key that they were planned with.

    Raises:
        AdministratorNeeded: the caller's key is none.
        InvalidValue: there are as many keys as every click is tried with.
    """
    check_administrator(caller)
    await store.hold_token_keys(connection)
    known = await store.token_key_versions(connection)
    if len(known) >= MOST_TOKEN_KEYS:
        raise InvalidValue("token key", f"There are {len(known)} already, which is the most.")
    version = known[0].version + 1
    sealed = vault.seal(secrets.token_hex(32), TOKEN_CONTEXT)
    await store.add_token_key(connection, version=version, sealed_secret=sealed)
    await _audit(connection, caller, "token_key.rotated", str(version), {})
    return version


async def token_key_versions(connection: Connection, *, caller: Caller) -> list[TokenKeyVersion]:
    """Return the versions of the click-token keys, newest first.

    Raises:
        AdministratorNeeded: the caller's key is none.
    """
    check_administrator(caller)
    return await store.token_key_versions(connection)


def check_administrator(caller: Caller) -> None:
    """Accept an administrator's key.

    Raises:
        AdministratorNeeded: it is none.
    """
    if not caller.is_administrator:
        raise AdministratorNeeded(caller.name)


async def _audit(
    connection: Connection, caller: Caller, action: str, name: str, detail: dict[str, bool]
) -> None:
    await store.audit(
        connection,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        action=action,
        object_name=name,
        detail=detail,
    )
