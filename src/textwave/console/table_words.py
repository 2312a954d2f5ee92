"""Words of tables, imports, models and feeds as a person reads them; see `language`."""

from collections.abc import Mapping
from typing import Final


def _(message: str) -> str:
    """Mark a message for extraction; it is translated where it is shown."""
    return message


KINDS: Final[Mapping[str, str]] = {
    "customers": _("Customer records"),
    "orders": _("Orders"),
    "behaviours": _("Behaviours"),
    "order_summary": _("Order summaries"),
    "metrics": _("Metrics"),
}
COLUMN_TYPES: Final[Mapping[str, str]] = {
    "text": _("Plain text"),
    "number": _("Numeric"),
    "time": _("Time"),
    "multi_value": _("Several values"),
}
PARTS: Final[Mapping[str, str]] = {
    "key": _("Key"),
    "customer": _("Customer"),
    "mobile": _("Mobile number"),
    "time": _("Time"),
    "amount": _("Amount"),
    "count": _("Number of orders"),
    "partition": _("Partition"),
}
MODES: Final[Mapping[str, str]] = {
    "replace": _("Replace"),
    "upsert": _("Renew by key"),
    "append": _("Append"),
}
PHASES: Final[Mapping[str, str]] = {
    "queued": _("Waiting for a worker"),
    "running": _("At work"),
    "reading": _("Reading the file"),
    "typing": _("Reading the values"),
    "numbers": _("Reading the mobile numbers"),
    "keys": _("Looking for doubled keys"),
    "writing": _("Storing the rows"),
}
STAGES: Final[Mapping[str, str]] = {
    "aware": _("Aware"),
    "interested": _("Interested"),
    "purchased": _("Purchased"),
    "loyal": _("Loyal"),
    "none": _("In no stage"),
}
DIMENSIONS: Final[Mapping[str, str]] = {
    "recency": _("Recency"),
    "frequency": _("Frequency"),
    "monetary": _("Monetary"),
    "recency_days": _("Days since the last order"),
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "table kind": KINDS,
    "column type": COLUMN_TYPES,
    "part": PARTS,
    "import mode": MODES,
    "phase": PHASES,
    "stage": STAGES,
    "dimension": DIMENSIONS,
}
