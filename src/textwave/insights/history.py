"""The lake tables `message_history` and `drop_history`: messages of months that left the ledger.

Pure. A row has what became of a message, not what it said: variables stay behind, and of the mobile
number the last four digits and a keyed hash, so that a known number can be found and none be read.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textwave.kit.ids import WorkspaceId

# Text that both databases write alike; its MD5 is cut to 60 bits, and these are added up.
_DIGEST_BITS_HEX: Final = 15


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """One of the two tables: its columns in the lake, and what is compared of each row."""

    name: str
    what: str
    columns: Mapping[str, str]
    compared: tuple[str, ...]

    @property
    def lake_columns(self) -> str:
        """Return the columns as the lake's table is made with."""
        return ", ".join(f'"{name}" {kind}' for name, kind in self.columns.items())

    @property
    def lake_digest(self) -> str:
        """Return the expression that digests a row in the lake."""
        text = f"concat_ws('|', {', '.join(map(self._written, self.compared))})"
        return f"('0x' || substr(md5({text}), 1, {_DIGEST_BITS_HEX}))::BIGINT"

    def _written(self, column: str) -> str:
        if self.columns[column] == "TIMESTAMP":
            return f"coalesce(epoch_us({column})::VARCHAR, '')"
        return f"coalesce({column}::VARCHAR, '')"


MESSAGES: Final = HistoryTable(
    name="message_history",
    what="messages",
    columns={
        "month": "DATE",
        "message_id": "BIGINT",
        "campaign_id": "BIGINT",
        "customer": "VARCHAR",
        "number_hash": "BIGINT",
        "last_digits": "SMALLINT",
        "parts": "SMALLINT",
        "state": "VARCHAR",
        "cause": "VARCHAR",
        "finished_at": "TIMESTAMP",
        "clicked_at": "TIMESTAMP",
    },
    compared=(
        "message_id", "customer", "last_digits", "parts", "state", "cause", "finished_at",
        "clicked_at",
    ),
)  # fmt: skip
DROPS: Final = HistoryTable(
    name="drop_history",
    what="drops",
    columns={
        "month": "DATE",
        "drop_id": "BIGINT",
        "campaign_id": "BIGINT",
        "customer": "VARCHAR",
        "number_hash": "BIGINT",
        "last_digits": "SMALLINT",
        "reason": "VARCHAR",
        "dropped_at": "TIMESTAMP",
    },
    compared=("drop_id", "customer", "last_digits", "reason", "dropped_at"),
)


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows there are, and the sum of their digests."""

    rows: int
    digest: int


EMPTY: Final = Digest(0, 0)


def number_key(installation_key: bytes, workspace_id: WorkspaceId) -> str:
    """Return the key that a workspace's numbers are hashed with; as hexadecimal text."""
    purpose = f"message history of workspace {workspace_id}".encode()
    return hmac.new(installation_key, purpose, hashlib.sha256).hexdigest()


def number_hash(number: str, key: str) -> str:
    """Return the SQL by which the lake hashes a number; both are names of values in it."""
    return f"('0x' || substr(sha256({key} || {number}::VARCHAR), 1, 15))::BIGINT"
