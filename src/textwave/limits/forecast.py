"""What limits would do to a plan if it was sent now: of whom that is asked, and the answer.

Pure. An estimate by its nature: until it is sent people get other messages, and touches grow old.
Of very many people every second, fourth … is asked for, so that memory has an end.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

MOST_ASKED: Final = 2_000_000


@dataclass(slots=True)
class Asked:
    """Who of a plan is asked for: `every` so many of its people, in their order."""

    most: int = MOST_ASKED
    every: int = 1
    people: int = 0
    kept: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])
    size: int = 0

    def add(self, messages: pa.RecordBatch) -> None:
        """Take note of messages: their `mobile` and `customer`."""
        first = -self.people % self.every
        self.people += len(messages)
        self._keep(_thinned(messages.select(["mobile", "customer"]), first, self.every))
        while self.size > self.most:
            self.every *= 2
            rows = pa.Table.from_batches(self.kept).combine_chunks().to_batches()
            self.kept, self.size = [], 0
            for batch in rows:
                self._keep(_thinned(batch, 0, 2))

    def _keep(self, batch: pa.RecordBatch) -> None:
        if len(batch):
            self.kept.append(batch)
            self.size += len(batch)


@dataclass(slots=True)
class Forecast:
    """How many would be dropped, by reason, and how many would wait for the end of quiet hours."""

    drops: dict[str, int] = field(default_factory=dict[str, int])
    waiting: int = 0

    def drop(self, reason: str, count: int) -> None:
        """Count drops."""
        if count:
            self.drops[reason] = self.drops.get(reason, 0) + count

    def for_all(self, asked: Asked) -> "Forecast":
        """Return what holds for all people, told from those who were asked for."""
        share = asked.people / asked.size if asked.size else 1.0
        drops = {reason: round(count * share) for reason, count in sorted(self.drops.items())}
        return Forecast(drops, round(self.waiting * share))


def _thinned(batch: pa.RecordBatch, first: int, every: int) -> pa.RecordBatch:
    if every == 1:
        return batch
    places: Any = pa.array(range(first, len(batch), every), pa.int64())
    return batch.take(places)
