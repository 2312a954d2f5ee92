"""Counting the parts of many recipients' texts at once, under a platform's rule.

A recipient's values stand in the order of the names of the template that they are for. Pure.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textwave.content.tokens import TOKEN_LENGTH
from textwave.content.variables import TemplateText
from textwave.kit.text import CAPACITIES, Counting, Encoding, count, signed

_PLACEHOLDER_TOKEN: Final = "0" * TOKEN_LENGTH


class Measure(Protocol):
    """Counts the parts of rows of values; `names` says whose values a row holds."""

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, in the order of the values."""
        ...

    def __call__(self, variables: pa.ListArray) -> NDArray[np.int16]:
        """Return the parts of each row."""
        ...


class PartsMeasure:
    """Counts the parts of one template's texts."""

    def __init__(self, template: TemplateText, signature: str, counting: Counting) -> None:
        self.template = template
        self.signature = signature
        self.counting = counting
        tokens = sum(variable.is_token for variable in template.variables)
        self._fixed_units = (
            len(signed("", signature, counting))
            + sum(map(len, template.literals))
            + tokens * TOKEN_LENGTH
        )
        named = [variable.name for variable in template.variables]
        self._times = np.array([named.count(name) for name in template.names], dtype=np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """The template's variables."""
        return self.template.names

    def __call__(self, variables: pa.ListArray) -> NDArray[np.int16]:
        """Return the parts of each row; `variables` holds `names` values a row."""
        names = len(self.names)
        if not names:
            text = self.template.form.format(_PLACEHOLDER_TOKEN)
            parts = count(text, self.signature, self.counting).parts
            return np.full(len(variables), parts, dtype=np.int16)
        values = variables.flatten()
        if self.counting is Counting.MAINLAND:
            lengths = (
                pc.call_function("utf8_length", [values])
                .to_numpy(zero_copy_only=False)
                .reshape(-1, names)
            )
            return self._mainland(lengths @ self._times + self._fixed_units)
        rows = np.array(values.to_pylist(), dtype=object).reshape(-1, names)
        return np.array([self._international(row) for row in rows], dtype=np.int16)

    def _mainland(self, units: NDArray[np.int64]) -> NDArray[np.int16]:
        capacity = CAPACITIES[Encoding.MAINLAND]
        parts = np.where(units <= capacity.single, 1, -(-units // capacity.part))
        return parts.astype(np.int16)

    def _international(self, values: NDArray[np.object_]) -> int:
        text = self.template.form.format(_PLACEHOLDER_TOKEN, *values)
        return count(text, self.signature, self.counting).parts


class DigitalMeasure(PartsMeasure):
    """Counts digital messages: each is billed as one, however long its texts are."""

    def __call__(self, variables: pa.ListArray) -> NDArray[np.int16]:
        """Return one for each row."""
        return np.ones(len(variables), dtype=np.int16)


class DearestMeasure:
    """Counts texts of which one is chosen later: each row as the one that takes most parts."""

    def __init__(self, measures: Sequence[PartsMeasure]) -> None:
        self.names = united(measure.names for measure in measures)
        self._measures = measures

    def __call__(self, variables: pa.ListArray) -> NDArray[np.int16]:
        """Return the most parts of each row; `variables` holds `names` values a row."""
        counted = [m(picked(variables, self.names, m.names)) for m in self._measures]
        most: NDArray[np.int16] = np.maximum.reduce(counted)
        return most


def united(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return all names once, in the order of their first mention."""
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def picked(
    variables: pa.ListArray, names: tuple[str, ...], wanted: tuple[str, ...]
) -> pa.ListArray:
    """Return rows of the `wanted` values out of rows of the values of `names`."""
    if names == wanted:
        return variables
    rows = len(variables)
    places = np.array([names.index(name) for name in wanted], dtype=np.int64)
    found = np.arange(rows)[:, np.newaxis] * len(names) + places
    offsets = np.arange(rows + 1, dtype=np.int32) * len(wanted)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), variables.flatten().take(pa.array(found.ravel()))
    )
