"""What the stand-in took: compact columns by row, the calls they came in, and texts in blocks.

Nothing is forgotten: beyond its limit the book is full, and takes no message more.
"""

import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from textwave.platforms.sandbox.chance import Fate


@dataclass(frozen=True, slots=True)
class TakenCall:
    """One accepted call; `first_row` is the row of its first number."""

    biz_id: str
    out_id: str
    template_code: str
    template_type: int
    signatures: Sequence[str]
    texts: bytes
    sent_at: float
    first_row: int


@dataclass(frozen=True, slots=True)
class NewRow:
    """One number of a call with what will become of it; `error` is empty for a delivered one."""

    mobile: int
    fate: Fate
    error: str
    due: float
    parts: int


@dataclass(frozen=True, slots=True)
class Taken:
    """One message as it was taken; `error` is its receipt's code once that is due."""

    row: int
    mobile: int
    call: TakenCall
    signature: str
    content: str
    fate: Fate
    error: str
    due: float
    parts: int


class Book:
    """Columns by row number, and the rows of each number as a chain that ends in the latest."""

    def __init__(self, max_messages: int) -> None:
        self._max = max_messages
        self._calls: list[TakenCall] = []
        self._call_of = array("L")
        self._last_row: dict[int, int] = {}
        self._earlier = array("q")
        self._errors: list[str] = [""]
        self._error_numbers = {"": 0}
        self._error = array("H")
        self.mobiles = array("q")
        self.due = array("d")
        self.fates = bytearray()
        self.parts = bytearray()
        self.twice = 0

    def __len__(self) -> int:
        return len(self.mobiles)

    @property
    def calls(self) -> int:
        """How many calls were taken."""
        return len(self._calls)

    @property
    def numbers(self) -> int:
        """How many different numbers got something."""
        return len(self._last_row)

    def has_room(self, messages: int) -> bool:
        """Tell whether that many messages more fit."""
        return len(self.mobiles) + messages <= self._max

    def add(self, call: TakenCall, rows: Sequence[NewRow]) -> None:
        """Keep a call with its numbers, and count those that its OutId came to before."""
        self._calls.append(call)
        for row in rows:
            if call.out_id and any(
                self.call_of(earlier).out_id == call.out_id for earlier in self.rows_of(row.mobile)
            ):
                self.twice += 1
            self._earlier.append(self._last_row.get(row.mobile, -1))
            self._last_row[row.mobile] = len(self.mobiles)
            self.mobiles.append(row.mobile)
            self._call_of.append(len(self._calls) - 1)
            self._error.append(self._error_number(row.error))
            self.due.append(row.due)
            self.fates.append(row.fate)
            self.parts.append(min(row.parts, 255))

    def rows_of(self, mobile: int) -> Iterator[int]:
        """Give the rows of a number, the latest first."""
        row = self._last_row.get(mobile, -1)
        while row >= 0:
            yield row
            row = self._earlier[row]

    def call_of(self, row: int) -> TakenCall:
        """Return the call that a row came in."""
        return self._calls[self._call_of[row]]

    def signature_of(self, row: int) -> str:
        """Return the signature of a message."""
        call = self.call_of(row)
        return call.signatures[(row - call.first_row) % len(call.signatures)]

    def error_of(self, row: int) -> str:
        """Return the code of a failed message."""
        return self._errors[self._error[row]]

    def message(self, row: int) -> Taken:
        """Return a message with its text."""
        call = self.call_of(row)
        texts = msgspec.json.decode(zlib.decompress(call.texts), type=list[str])
        return Taken(
            row,
            self.mobiles[row],
            call,
            self.signature_of(row),
            texts[(row - call.first_row) % len(texts)],
            Fate(self.fates[row]),
            self.error_of(row),
            self.due[row],
            self.parts[row],
        )

    def _error_number(self, error: str) -> int:
        number = self._error_numbers.get(error)
        if number is None:
            number = self._error_numbers[error] = len(self._errors)
            self._errors.append(error)
        return number


def packed(texts: Sequence[str]) -> bytes:
    """Return texts as a call keeps them; one text stands for all its numbers."""
    return zlib.compress(msgspec.json.encode(texts), 1)
