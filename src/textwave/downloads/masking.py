"""Blocks of customers as a file may show them: mobile numbers masked, times in UTC.

Masked is the mobile column whatever it holds, and any other value that reads as a mobile number;
only different values are looked at one by one. A number column cannot show asterisks: what reads as
a mobile number in it is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textwave.audiences.preview import shown_text
from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType
from textwave.kit.mobile import masked, read_mobile

_FOUR_DIGITS: Final = r"(?:\p{Nd}[^\p{Nd}]*){4}"
_SHORTEST_NUMBER, _LONGEST_NUMBER = 10**3, 10**16
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Masking:
    """Which numbers of a table are hidden; with `reveal` none."""

    table: CustomerTable
    region: str
    reveal: bool

    def shown(self, cells: Any, column: Column) -> Any:
        """Return a block of a column as it may be shown."""
        if self.reveal:
            return cells
        if pa.types.is_list(cells.type):
            return _each_value(cells, lambda values: self.shown(values, column))
        if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
            return self._texts(cells.cast(pa.string()), column)
        return self._numbers(cells) if pa.types.is_floating(cells.type) else cells

    def _texts(self, cells: Any, column: Column) -> Any:
        if column.name == self.table.mobile_column:
            return _replaced(cells, lambda text: self._pieces(text, column, self._mobile))
        doubtful = pc.call_function(
            "match_substring_regex", [cells], pc.MatchSubstringOptions(_FOUR_DIGITS)
        )
        if not pc.call_function("any", [doubtful]).as_py():
            return cells
        return _replaced(cells, lambda text: self._pieces(text, column, self._other))

    def _pieces(self, text: str, column: Column, shown: Callable[[str], str]) -> str:
        if column.type is not ColumnType.MULTI_VALUE:
            return shown(text)
        return column.separator.join(shown(piece) for piece in text.split(column.separator))

    def _mobile(self, text: str) -> str:
        mobile = read_mobile(text, self.region)
        if mobile is not None:
            return masked(mobile)
        return "*" * max(len(text) - _SHOWN, 0) + text[-_SHOWN:]

    def _other(self, text: str) -> str:
        return shown_text(text, self.region)

    def _numbers(self, cells: Any) -> Any:
        encoded = pc.call_function("dictionary_encode", [cells])
        values: list[float] = encoded.dictionary.to_pylist()
        if not any(map(self._reads, values)):
            return cells
        kept = [None if self._reads(value) else value for value in values]
        return pa.array(kept, cells.type).take(encoded.indices)

    def _reads(self, value: float) -> bool:
        if not _SHORTEST_NUMBER <= value < _LONGEST_NUMBER or not value.is_integer():
            return False
        return read_mobile(str(int(value)), self.region) is not None


def _replaced(cells: Any, shown: Callable[[str], str]) -> Any:
    """Replace each different text once."""
    encoded = pc.call_function("dictionary_encode", [cells])
    values = [None if text is None else shown(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(values, pa.string()).take(encoded.indices)


def _each_value(cells: Any, shown: Callable[[Any], Any]) -> Any:
    lengths = pc.call_function("list_value_length", [cells]).fill_null(0)
    ends = np.cumsum(lengths.to_numpy(zero_copy_only=False))
    offsets = pa.array(np.concatenate(([0], ends)), pa.int32())
    return pa.ListArray.from_arrays(offsets, shown(cells.flatten()), mask=cells.is_null())
