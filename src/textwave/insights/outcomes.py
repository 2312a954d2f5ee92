"""The lake table `message_event`: what came of each message, as customers' behaviour.

Pure. Each event is there once: it carries the number of the export that brought it, and an export
whose number is there already is not written again.
"""

from typing import Final

from textwave.customers.columns import ColumnType

TABLE: Final = "message_event"
CUSTOMER_COLUMN: Final = "customer"
TIME_COLUMN: Final = "happened_at"
EXPORT_COLUMN: Final = "textwave_export"
"""The export that an event came with; not for rules."""

COLUMNS: Final[dict[str, tuple[str, ColumnType]]] = {
    TIME_COLUMN: ("TIMESTAMP", ColumnType.TIME),
    "type": ("VARCHAR", ColumnType.TEXT),
    CUSTOMER_COLUMN: ("VARCHAR", ColumnType.TEXT),
    "campaign": ("VARCHAR", ColumnType.TEXT),
    "campaign_id": ("BIGINT", ColumnType.NUMBER),
    "message_id": ("BIGINT", ColumnType.NUMBER),
    "message_type": ("VARCHAR", ColumnType.TEXT),
    "platform": ("VARCHAR", ColumnType.TEXT),
    "signature": ("VARCHAR", ColumnType.TEXT),
    "template": ("VARCHAR", ColumnType.TEXT),
    "link": ("VARCHAR", ColumnType.TEXT),
    "result": ("VARCHAR", ColumnType.TEXT),
    "parts": ("BIGINT", ColumnType.NUMBER),
}
"""Each column's type in the lake and in rules."""


def declared_columns() -> list[dict[str, str]]:
    """Return the columns as the ledger describes those of any table."""
    return [{"name": name, "type": str(kind)} for name, (_, kind) in COLUMNS.items()]


def lake_columns() -> str:
    """Return the columns as the lake's table is made with."""
    columns = [f'"{name}" {kind}' for name, (kind, _) in COLUMNS.items()]
    return ", ".join([*columns, f"{EXPORT_COLUMN} BIGINT"])
