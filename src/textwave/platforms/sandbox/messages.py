"""What the sandbox received: compact columns, so that millions of messages fit in memory.

The texts of a request are kept as one compressed block. Nothing is forgotten: beyond its limit
the book is full, and takes no message more.
"""

import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass

import msgspec

TIMES_MAX = 255


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came."""

    row: int
    message_id: int
    mobile: int
    content: str
    signature: str
    times_seen: int
    fate: int


class MessageBook:
    """Columns by row number, an index by message id, and the texts in blocks."""

    def __init__(self, max_messages: int) -> None:
        self._max = max_messages
        self._rows: dict[int, int] = {}
        self.identities = array("q")
        self.mobiles = array("q")
        self.due = array("d")
        self.fates = bytearray()
        self.parts = bytearray()
        self.times = bytearray()
        self._block_starts = array("q")
        self._blocks: list[bytes] = []
        self._signatures: list[str] = []
        self.seen = 0
        self.twice = 0

    def __len__(self) -> int:
        return len(self.identities)

    def has_room(self, messages: int) -> bool:
        """Tell whether that many messages more fit."""
        return len(self.identities) + messages <= self._max

    def see_again(self, message_id: int) -> bool:
        """Note that a message came; return True if it had come before, which must never be."""
        self.seen += 1
        row = self._rows.get(message_id)
        if row is None:
            return False
        if self.times[row] == 1:
            self.twice += 1
        self.times[row] = min(self.times[row] + 1, TIMES_MAX)
        return True

    def add(self, message_id: int, mobile: int, fate: int, due: float, parts: int) -> int:
        """Keep a message that came for the first time and return its row."""
        row = len(self.identities)
        self._rows[message_id] = row
        self.identities.append(message_id)
        self.mobiles.append(mobile)
        self.due.append(due)
        self.fates.append(fate)
        self.parts.append(min(parts, 255))
        self.times.append(1)
        return row

    def add_texts(self, signature: str, texts: list[str]) -> None:
        """Keep the texts of the last `len(texts)` added messages."""
        if not texts:
            return
        self._block_starts.append(len(self.identities) - len(texts))
        self._blocks.append(zlib.compress(msgspec.json.encode(texts), 1))
        self._signatures.append(signature)

    def page(self, after: int, limit: int) -> list[Received]:
        """Return messages in the order in which they came, behind a row number."""
        found: list[Received] = []
        row = max(after, 0)
        while row < len(self.identities) and len(found) < limit:
            block = bisect_right(self._block_starts, row) - 1
            start = self._block_starts[block]
            texts = msgspec.json.decode(zlib.decompress(self._blocks[block]), type=list[str])
            for text in texts[row - start :][: limit - len(found)]:
                found.append(self._received(row, text, self._signatures[block]))
                row += 1
        return found

    def signature_of(self, row: int) -> str:
        """Return the signature under which a message came."""
        return self._signatures[bisect_right(self._block_starts, row) - 1]

    def last_row_of(self, mobile: int) -> int | None:
        """Return the row of the latest message to a number."""
        for row in range(len(self.mobiles) - 1, -1, -1):
            if self.mobiles[row] == mobile:
                return row
        return None

    def _received(self, row: int, text: str, signature: str) -> Received:
        identity, mobile = self.identities[row], self.mobiles[row]
        return Received(row, identity, mobile, text, signature, self.times[row], self.fates[row])


class AnswerBook:
    """The answers by batch id, compressed; the oldest are dropped beyond the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answers: dict[str, bytes] = {}

    def find(self, batch_id: str) -> bytes | None:
        """Return the answer that was given under this id."""
        packed = self._answers.get(batch_id)
        return None if packed is None else zlib.decompress(packed)

    def keep(self, batch_id: str, answer: bytes) -> None:
        """Remember an answer."""
        if len(self._answers) >= self._limit:
            del self._answers[next(iter(self._answers))]
        self._answers[batch_id] = zlib.compress(answer, 1)
