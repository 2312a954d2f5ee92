"""Secrets at rest: sealed with one key that lies beside the data, never in the database.

Sealing is AES-256-GCM; the context (what the secret is for) is authenticated, so a sealed value
cannot be moved to another row's purpose.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens small secrets with the installation's key."""

    key: bytes

    def seal(self, secret: str, context: str) -> bytes:
        """Encrypt a secret for one context."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, secret.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Decrypt; raises `cryptography.exceptions.InvalidTag` for another key or context."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(self.key).decrypt(nonce, body, context.encode()).decode()

    def derive(self, context: str) -> bytes:
        """Return 32 bytes that only this installation can tell, always the same for a context."""
        return HKDF(SHA256(), _KEY_BYTES, salt=None, info=context.encode()).derive(self.key)


def open_vault(folder: Path) -> Vault:
    """Read the installation's key from `folder/master.key`, making it at the first start."""
    path = folder / "master.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Vault(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES))
    return Vault(bytes.fromhex(path.read_text(encoding="ascii").strip()))
