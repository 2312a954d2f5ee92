"""The texts that customers would get: each of a few, and the worst and the average of many.

Pure: an Ibis expression over whatever holds the customers, streamed in blocks of constant size.
Numbers of people play no part: who has none is previewed all the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textwave.content.rendering import render
from textwave.content.variables import TemplateText
from textwave.kit.text import Count, Counting, count, signed
from textwave.plans.parts import PartsMeasure
from textwave.plans.plan import MISSING_VARIABLE, Recipients, VariableSource, recipients

SHOWN_TOKEN: Final = "Xy3kP9aZ"  # noqa: S105 - shows where a token will stand
ROWS_A_BATCH: Final = 20_000
_SOMEBODY: Final = 1
_LONGER_THAN_ANY_TEXT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Speaking:
    """What is said and how it is counted."""

    template: TemplateText
    sources: Mapping[str, VariableSource]
    signature: str
    counting: Counting


@dataclass(frozen=True, slots=True)
class Previewed:
    """A text as one customer would get it, with the signature; none where a value is missing."""

    customer: str
    found: bool
    text: str | None
    missing: tuple[str, ...]
    count: Count | None


@dataclass(slots=True)
class AudienceTally:
    """What a template comes to for an audience; `by_parts`: how many texts have so many parts."""

    members: int = 0
    gone: int = 0
    without_value: int = 0
    texts: int = 0
    parts: int = 0
    by_parts: Counter[int] = field(default_factory=Counter[int])
    worst: list[str] | None = None
    _worst_key: int = -1

    def add(self, batch: pa.RecordBatch, measure: PartsMeasure) -> None:
        """Count a batch of rows of `texts_of`, and keep the longest text of most parts."""
        reasons = batch.column("reason")
        self.members += len(batch)
        known = Counter(reasons.drop_null().to_pylist())
        self.without_value += known[MISSING_VARIABLE]
        self.gone += known.total() - known[MISSING_VARIABLE]
        rows = batch.filter(pc.call_function("is_null", [reasons]))
        if not len(rows):
            return
        variables = _values(rows, measure.names)
        parts = measure(variables)
        self.texts += len(rows)
        self.parts += int(parts.sum())
        self.by_parts.update(parts.tolist())
        keys = parts.astype(np.int64) * _LONGER_THAN_ANY_TEXT + _lengths(variables, measure.names)
        most = int(keys.argmax())
        if keys[most] > self._worst_key:
            self._worst_key, self.worst = int(keys[most]), variables[most].as_py()


def texts_of(
    members: ir.Table, customers: ir.Table, customer_column: str, speaking: Speaking
) -> ir.Table:
    """Return customer, variables and reason (null: there is a text) of each member."""
    everybody = customers.mutate(
        textwave_mobile=ibis.literal(_SOMEBODY, "int64"),
        textwave_bad_mobile=ibis.literal(value=False),
    )
    given = Recipients(
        members=members,
        customers=everybody,
        customer_column=customer_column,
        template=speaking.template,
        sources=speaking.sources,
    )
    return recipients(given).select("customer", "variables", "reason")


def tally(batches: Iterable[pa.RecordBatch], speaking: Speaking) -> AudienceTally:
    """Count the texts of an audience."""
    measure = PartsMeasure(speaking.template, speaking.signature, speaking.counting)
    found = AudienceTally()
    for batch in batches:
        found.add(batch, measure)
    return found


def previewed(rows: Iterable[Mapping[str, Any]], speaking: Speaking) -> Iterator[Previewed]:
    """Return the texts of a few customers, rows of `texts_of`."""
    for row in rows:
        values: list[str] = row["variables"] or []
        if row["reason"] is None:
            text, counted = written(values, speaking)
            yield Previewed(row["customer"], found=True, text=text, missing=(), count=counted)
            continue
        found = row["reason"] == MISSING_VARIABLE
        missing = tuple(_missing(values, speaking)) if found else ()
        yield Previewed(row["customer"], found=found, text=None, missing=missing, count=None)


def written(values: list[str], speaking: Speaking) -> tuple[str, Count]:
    """Return the text that these values make, with its signature, and what it comes to."""
    text = render(speaking.template, values, SHOWN_TOKEN)
    return (
        signed(text, speaking.signature, speaking.counting),
        count(text, speaking.signature, speaking.counting),
    )


def _missing(values: list[str], speaking: Speaking) -> Iterator[str]:
    for name, value in zip(speaking.template.names, values, strict=True):
        if not value and speaking.sources[name].missing.text is None:
            yield name


def _values(rows: pa.RecordBatch, names: tuple[str, ...]) -> pa.ListArray:
    if names:
        return rows.column("variables")
    offsets = pa.array(np.zeros(len(rows) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array([], pa.string()))


def _lengths(variables: pa.ListArray, names: tuple[str, ...]) -> Any:
    """Return the characters of each row's values together."""
    if not names:
        return np.zeros(len(variables), dtype=np.int64)
    lengths = pc.call_function("utf8_length", [variables.flatten()])
    return lengths.to_numpy(zero_copy_only=False).reshape(-1, len(names)).sum(axis=1)
