"""Rows as the warehouse gives them to a preview."""

from collections.abc import Sequence

import pyarrow as pa

from textwave.plans.plan import MISSING_VARIABLE


def batch_of(values: Sequence[tuple[str, str] | None]) -> pa.RecordBatch:
    """Return one row a customer: two values, or none and the reason."""
    return pa.RecordBatch.from_pydict(
        {
            "customer": [str(n) for n in range(len(values))],
            "variables": [list(pair) if pair else ["", ""] for pair in values],
            "reason": [None if pair else MISSING_VARIABLE for pair in values],
        },
        schema=pa.schema(
            [
                ("customer", pa.string()),
                ("variables", pa.list_(pa.string())),
                ("reason", pa.string()),
            ]
        ),
    )
