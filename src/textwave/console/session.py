"""Who looks at the console: signed sessions, sign-in tickets and form tokens, all without storage.

A session holds a workspace, the id of the key that opened it and when it ends, nothing else. What
is signed for one purpose is refused for another; what has ended is refused too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadSignature, URLSafeSerializer

from textwave.kit.ids import WorkspaceId

SESSION_HOURS: Final = 12
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A workspace that may be looked at until `ends_at`; `key_id` 0: opened by a ticket."""

    workspace_id: WorkspaceId
    ends_at: datetime
    key_id: int = 0


def console_secret(vault_key: bytes) -> bytes:
    """Derive the console's signing secret from the installation's key."""
    derived = HKDF(SHA256(), _SECRET_BYTES, salt=None, info=b"textwave console")
    return derived.derive(vault_key)


def new_session(workspace_id: WorkspaceId, now: datetime, *, key_id: int = 0) -> Session:
    """Begin a session that ends in 12 hours."""
    return Session(workspace_id, now + timedelta(hours=SESSION_HOURS), key_id)


def seal_session(secret: bytes, session: Session) -> str:
    """Write a session as the value of its cookie."""
    return _seal(secret, "session", session)


def read_session(secret: bytes, sealed: str, now: datetime) -> Session | None:
    """Read a cookie; None when it is not ours or has ended."""
    return _open(secret, "session", sealed, now)


def console_ticket(secret: bytes, workspace_id: WorkspaceId, now: datetime) -> str:
    """Make the ticket of a link that signs in for 12 hours, as often as it is opened."""
    return _seal(secret, "ticket", new_session(workspace_id, now))


def read_ticket(secret: bytes, ticket: str, now: datetime) -> Session | None:
    """Read a ticket; the session that it opens ends when the ticket does."""
    return _open(secret, "ticket", ticket, now)


def form_token(secret: bytes, session: Session) -> str:
    """Make the token that every form of a session carries."""
    return _seal(secret, "form", session)


def is_form_token(secret: bytes, session: Session, token: str, now: datetime) -> bool:
    """Tell whether a form of this very session was sent."""
    return _open(secret, "form", token, now) == session


def _seal(secret: bytes, purpose: str, session: Session) -> str:
    content = [session.workspace_id, int(session.ends_at.timestamp()), session.key_id]
    return str(_serializer(secret, purpose).dumps(content))


def _open(secret: bytes, purpose: str, sealed: str, now: datetime) -> Session | None:
    try:
        workspace_id, ends_at, key_id = _serializer(secret, purpose).loads(sealed)
    except (BadSignature, ValueError):  # ValueError: sealed by an earlier version
        return None
    session = Session(WorkspaceId(workspace_id), datetime.fromtimestamp(ends_at, UTC), key_id)
    return session if now < session.ends_at else None


def _serializer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=f"textwave console {purpose}")
