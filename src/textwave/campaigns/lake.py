"""Streaming a plan out of the warehouse and into the ledger, in constant memory.

Messages take the ids of the campaign's block from its front, drops from its back; both are copied
into the month's partitions in one COPY each, so a plan that was interrupted can be cleared by ids.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import pyarrow as pa

from textwave.campaigns.plan import (
    DROP_FIELDS,
    MESSAGE_FIELDS,
    Block,
    PartsMeasure,
    Recipients,
    blocks,
    recipients,
)
from textwave.content.rendering import render

_ROWS_A_BATCH = 20_000
_SAMPLES = 5
_DROPS_A_COPY = 50_000
_PREVIEW_TOKEN = "Xy3kP9aZ"  # noqa: S105 - shows where a token will stand


@dataclass(slots=True)
class PlanTally:
    """What a plan comes to, counted while it streams."""

    messages: int = 0
    parts: int = 0
    drops: Counter[str] = field(default_factory=Counter[str])
    samples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    longest: dict[str, Any] | None = None

    @property
    def audience(self) -> int:
        """Everybody: messages and drops."""
        return self.messages + self.drops.total()

    def add(self, block: Block, measure: PartsMeasure) -> None:
        """Count a block; keep the first few texts and the one of most parts as samples."""
        self.messages += len(block.messages)
        for reason, count in Counter(block.drops.column("reason").to_pylist()).items():
            self.drops[str(reason)] += count
        if not len(block.messages):
            return
        parts = block.messages.column("parts").to_numpy()
        self.parts += int(parts.sum())
        for row in range(min(_SAMPLES - len(self.samples), len(parts))):
            self.samples.append(_sample(block.messages, row, measure))
        most = int(parts.argmax())
        if self.longest is None or parts[most] > self.longest["parts"]:
            self.longest = _sample(block.messages, most, measure)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a plan is written: the partitions of a month and a block of ids."""

    url: str
    workspace_id: int
    campaign_id: int
    month: date
    first_id: int
    size: int


@dataclass
class AudienceGrewError(Exception):
    """Tables were changed after the recipients had been counted: the plan has to be made again."""

    campaign_id: int
    recipients: int
    counted: int


def plan_blocks(given: Recipients, measure: PartsMeasure) -> Iterator[Block]:
    """Compute the plan and stream it, sendable recipients first."""
    stream = recipients(given).to_pyarrow_batches(chunk_size=_ROWS_A_BATCH)
    return blocks(stream, measure)


def tally_plan(stream: Iterable[Block], measure: PartsMeasure) -> PlanTally:
    """Count a plan without writing it: the dry run."""
    tally = PlanTally()
    for block in stream:
        tally.add(block, measure)
    return tally


def write_plan(stream: Iterable[Block], measure: PartsMeasure, to: Destination) -> PlanTally:
    """Copy a plan into the ledger and count it. All messages commit at once, drops before them."""
    tally = PlanTally()
    with adbc.connect(to.url) as for_messages, adbc.connect(to.url) as for_drops:
        drops = _DropWriter(for_drops, to)

        def messages() -> Iterator[pa.RecordBatch]:
            for block in stream:
                first = to.first_id + tally.messages
                tally.add(block, measure)
                drops.add(block.drops)
                yield _with_ids(block.messages, np.arange(first, first + len(block.messages)), to)

        schema = _schema(MESSAGE_FIELDS)
        with for_messages.cursor() as cursor:
            cursor.adbc_ingest(
                partition("message", to.month),
                pa.RecordBatchReader.from_batches(schema, messages()),
                mode="append",
            )
        drops.flush()
        if tally.audience > to.size:
            raise AudienceGrewError(to.campaign_id, tally.audience, to.size)
        for_drops.commit()
        for_messages.commit()
    return tally


def partition(table: str, month: date) -> str:
    """Return the name of a month's partition."""
    return f"{table}_{month:%Y_%m}"


class _DropWriter:
    """Collects drops and copies them in pieces."""

    def __init__(self, connection: Any, to: Destination) -> None:
        self._connection = connection
        self._to = to
        self._waiting: list[pa.RecordBatch] = []
        self._next_id = to.first_id + to.size - 1

    def add(self, drops: pa.RecordBatch) -> None:
        self._waiting.append(drops)
        if sum(map(len, self._waiting)) >= _DROPS_A_COPY:
            self.flush()

    def flush(self) -> None:
        table = pa.Table.from_batches(self._waiting, DROP_FIELDS).combine_chunks()
        self._waiting.clear()
        for batch in table.to_batches():
            ids = np.arange(self._next_id, self._next_id - len(batch), -1)
            self._next_id -= len(batch)
            with self._connection.cursor() as cursor:
                cursor.adbc_ingest(
                    partition("message_drop", self._to.month),
                    _with_ids(batch, ids, self._to),
                    mode="append",
                )


def _with_ids(batch: pa.RecordBatch, ids: np.ndarray[Any, Any], to: Destination) -> pa.RecordBatch:
    rows = len(batch)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ids, pa.int64()),
            pa.array(np.full(rows, to.workspace_id), pa.int64()),
            pa.array(np.full(rows, to.campaign_id), pa.int64()),
            *batch.columns,
        ],
        schema=_schema(batch.schema),
    )


def _schema(fields: pa.Schema) -> pa.Schema:
    keys = [(name, pa.int64()) for name in ("id", "workspace_id", "campaign_id")]
    return pa.schema([*keys, *fields])


def _sample(messages: pa.RecordBatch, row: int, measure: PartsMeasure) -> dict[str, Any]:
    values = messages.column("variables")[row].as_py() or []
    return {
        "mobile": messages.column("mobile")[row].as_py(),
        "parts": messages.column("parts")[row].as_py(),
        "text": render(measure.template, values, _PREVIEW_TOKEN),
    }
