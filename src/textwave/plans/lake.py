"""Streaming a plan out of the warehouse and into the ledger, in constant memory.

Messages take the ids of the campaign's block from its front, drops from its back; both are copied
into the month's partitions in one COPY each, so a plan that was interrupted can be cleared by ids.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import pyarrow as pa

from textwave.content.rendering import render
from textwave.plans.draw import Held
from textwave.plans.parts import Measure, PartsMeasure
from textwave.plans.plan import (
    DROP_FIELDS,
    MESSAGE_FIELDS,
    Block,
    Recipients,
    blocks,
    recipients,
)
from textwave.storage.partitions import partition_name

_ROWS_A_BATCH = 20_000
_SAMPLES = 5
_DROPS_A_COPY = 50_000
_PREVIEW_TOKEN = "Xy3kP9aZ"  # noqa: S105 - shows where a token will stand


@dataclass(slots=True)
class TextTally:
    """What one place's text comes to: its messages, their parts and the ids that they have."""

    messages: int = 0
    parts: int = 0
    first_id: int | None = None
    last_id: int | None = None


@dataclass(slots=True)
class PlanTally:
    """What a plan comes to, counted while it streams."""

    texts: list[TextTally]
    drops: Counter[str] = field(default_factory=Counter[str])
    samples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    longest: dict[str, Any] | None = None

    @property
    def messages(self) -> int:
        """All messages, whatever their text."""
        return sum(text.messages for text in self.texts)

    @property
    def parts(self) -> int:
        """The parts of all messages."""
        return sum(text.parts for text in self.texts)

    @property
    def audience(self) -> int:
        """Everybody: messages and drops."""
        return self.messages + self.drops.total()

    def add(self, block: Block, measures: Sequence[Measure]) -> None:
        """Count a block; keep the first few texts and the one of most parts as samples."""
        text = self.texts[block.place]
        sampled = min(_SAMPLES - text.messages, len(block.messages))
        text.messages += len(block.messages)
        for reason, count in Counter(block.drops.column("reason").to_pylist()).items():
            self.drops[str(reason)] += count
        if not len(block.messages):
            return
        parts = block.messages.column("parts").to_numpy()
        text.parts += int(parts.sum())
        measure = measures[block.place]
        if not isinstance(measure, PartsMeasure):  # a text that is not chosen yet
            return
        self.samples += [_sample(block, row, measure) for row in range(sampled)]
        most = int(parts.argmax())
        if self.longest is None or parts[most] > self.longest["parts"]:
            self.longest = _sample(block, most, measure)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a plan is written: the partitions of a month and a block of ids.

    The block is for `size` recipients. Each place's messages begin at a multiple of `step` from its
    front, so that no request has messages of two texts; `room` is what that may leave unused.
    """

    url: str
    workspace_id: int
    campaign_id: int
    month: date
    first_id: int
    size: int
    step: int = 1
    room: int = 0

    @property
    def last_id(self) -> int:
        """The end of the block, where the drops begin."""
        return self.first_id + self.size + self.room - 1


@dataclass
class AudienceGrewError(Exception):
    """Tables were changed after the recipients had been counted: the plan has to be made again."""

    campaign_id: int
    recipients: int
    counted: int


def plan_blocks(
    given: Recipients, measures: Sequence[Measure], held: Held | None = None
) -> Iterator[Block]:
    """Compute the plan and stream it, sendable recipients first."""
    stream = recipients(given).to_pyarrow_batches(chunk_size=_ROWS_A_BATCH)
    return blocks(stream, measures, held)


def tally_plan(
    stream: Iterable[Block],
    measures: Sequence[Measure],
    note: Callable[[pa.RecordBatch], None] = lambda _: None,
) -> PlanTally:
    """Count a plan without writing it, and note its messages: the dry run."""
    tally = PlanTally([TextTally() for _ in measures])
    for block in stream:
        tally.add(block, measures)
        note(block.messages)
    return tally


def write_plan(stream: Iterable[Block], measures: Sequence[Measure], to: Destination) -> PlanTally:
    """Copy a plan into the ledger and count it. All messages commit at once, drops before them."""
    tally = PlanTally([TextTally() for _ in measures])
    with adbc.connect(to.url) as for_messages, adbc.connect(to.url) as for_drops:
        drops = _DropWriter(for_drops, to)

        def messages() -> Iterator[pa.RecordBatch]:
            next_id = to.first_id
            for block in stream:
                text = tally.texts[block.place]
                tally.add(block, measures)
                drops.add(block.drops)
                if text.first_id is None:
                    next_id = to.first_id - (to.first_id - next_id) // to.step * to.step
                    text.first_id = next_id
                ids = np.arange(next_id, next_id + len(block.messages))
                next_id += len(block.messages)
                text.last_id = next_id - 1
                yield _with_ids(block.messages, ids, to)

        schema = _schema(MESSAGE_FIELDS)
        with for_messages.cursor() as cursor:
            cursor.adbc_ingest(
                partition_name("message", to.month),
                pa.RecordBatchReader.from_batches(schema, messages()),
                mode="append",
            )
        drops.flush()
        if tally.audience > to.size:
            raise AudienceGrewError(to.campaign_id, tally.audience, to.size)
        for_drops.commit()
        for_messages.commit()
    return tally


class _DropWriter:
    """Collects drops and copies them in pieces."""

    def __init__(self, connection: Any, to: Destination) -> None:
        self._connection = connection
        self._to = to
        self._waiting: list[pa.RecordBatch] = []
        self._next_id = to.last_id

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
                    partition_name("message_drop", self._to.month),
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


def _sample(block: Block, row: int, measure: PartsMeasure) -> dict[str, Any]:
    messages = block.messages
    values = messages.column("variables")[row].as_py() or []
    return {
        "place": block.place,
        "mobile": messages.column("mobile")[row].as_py(),
        "parts": messages.column("parts")[row].as_py(),
        "text": render(measure.template, values, _PREVIEW_TOKEN),
    }
