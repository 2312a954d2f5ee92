"""Rows of callbacks: the platform called, nonces, and the inbox.

No workspace is known yet, so the web login reaches them through SQL functions only.
"""

from dataclasses import dataclass
from datetime import datetime

from textwave.kit.ids import PlatformId
from textwave.storage.ledger import Connection, execute, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.callbacks")


@dataclass(frozen=True, slots=True)
class CallbackPlatform:
    """The platform that calls: its sealed key, and `strict` or `qa` signing.

    The key before may still sign until `previous_key_until`.
    """

    id: PlatformId
    name: str
    sealed_key: bytes
    callback_signing: str
    previous_sealed_key: bytes | None = None
    previous_key_until: datetime | None = None
    takes_replies: bool = True

    def previous_key(self, now: datetime) -> bytes | None:
        """Return the key before, sealed, while it may still sign."""
        until = self.previous_key_until
        return self.previous_sealed_key if until is not None and now < until else None


@dataclass(frozen=True, slots=True)
class PushAccount:
    """An account that may be pushed to without a signature; the version is of its paths' secret."""

    id: PlatformId
    kind: str
    takes_replies: bool
    push_version: int


async def platform_called(connection: Connection, *, name: str) -> CallbackPlatform | None:
    """Return the third-party platform of that name, or None."""
    return await one(connection, CallbackPlatform, _SQL["platform_called"], {"name": name})


async def push_account(connection: Connection, *, name: str) -> PushAccount | None:
    """Return the account of that name, or None."""
    return await one(connection, PushAccount, _SQL["push_account"], {"name": name})


async def take_nonce(connection: Connection, *, platform_id: PlatformId, nonce: str) -> bool:
    """Remember a nonce; False when it was seen before."""
    key = {"platform_id": platform_id, "nonce": nonce}
    taken: bool = await value(connection, _SQL["take_nonce"], key)
    return taken


async def note_refused(connection: Connection, *, platform_id: PlatformId, problem: str) -> None:
    """Note that a callback was not let in, and why."""
    parameters = {"platform_id": platform_id, "problem": problem}
    await value(connection, _SQL["note_refused"], parameters)


async def store_callback(
    connection: Connection, *, platform_id: PlatformId, kind: str, body: bytes, form: str
) -> None:
    """Keep the body of a callback to be merged."""
    parameters = {"platform_id": platform_id, "kind": kind, "body": body, "format": form}
    await value(connection, _SQL["store_callback"], parameters)


async def forget_nonces(connection: Connection, *, before: datetime) -> int:
    """Delete old nonces, as the owner; return how many."""
    return await execute(connection, _SQL["forget_nonces"], {"before": before})
