"""The keys of click tokens, opened for whoever makes or reads tokens."""

from textwave.accounts.operations import token_secrets
from textwave.content.tokens import TokenKey
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault


async def token_keys(connection: Connection, vault: Vault) -> list[TokenKey]:
    """Open all click-token keys, newest first."""
    secrets = await token_secrets(connection, vault)
    return [TokenKey(version, secret) for version, secret in secrets]
