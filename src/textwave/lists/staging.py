"""Reading a stored list once: its ids, normalised, into a file of Arrow blocks, and what was wrong.

Constant memory: a block of ids, the first thousand invalid rows, and the counts.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import pyarrow as pa

from textwave.customers.encryption import decrypt
from textwave.customers.upload import FileEmpty, Seen
from textwave.kit.refusal import Refusal
from textwave.lists.reading import Form, Found, Record, read_records
from textwave.lists.values import EMPTY, NOT_DECRYPTED, Unfit, reader_of

MOST_INVALID_KEPT: Final = 1_000
_BLOCK_RECORDS: Final = 20_000
_SCHEMA: Final = pa.schema([("value", pa.string())])
Item = TypeVar("Item")


@dataclass(eq=False)
class NoUsableId(Refusal):
    """Not one row of the file holds an id of the type."""

    code: ClassVar[str] = "no_usable_id"
    file_name: str
    id_type: str
    line: int
    reason: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.file_name}” holds no id of the type “{self.id_type}” (line {self.line}: "
            f"{self.reason}). Check the type, the column, and the key if the ids are encrypted. "
            "Nothing was changed."
        )


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that was not taken; the first line is 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the ids are to be read; `key` decrypts them when it is given."""

    form: Form
    id_type: str
    region: str
    key: bytes | None = None


@dataclass(slots=True)
class Staged:
    """What was read; valid ids are in the staged file, each as often as it stood there."""

    sha256: str = ""
    column: str | None = None
    rows_read: int = 0
    valid: int = 0
    invalid_rows: list[InvalidRow] = field(default_factory=list[InvalidRow])

    @property
    def invalid(self) -> int:
        """Count the rows that hold no id."""
        return self.rows_read - self.valid


def stage_ids(path: Path, target: Path, wanted: Wanted, *, seen: Seen) -> Staged:
    """Read the stored file and write its ids to `target`, an Arrow stream of `value`.

    Raises:
        FileEmpty, FileUnreadable, EncodingWrong, ListColumnUnknown, NoUsableId: see the sentences.
    """
    staged, found, digest = Staged(), Found(), hashlib.sha256()
    records = read_records(path, wanted.form, note=digest.update, seen=seen, found=found)
    read = _reader(wanted)
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_stream(file, _SCHEMA) as writer:
        for block in _blocks(records, _BLOCK_RECORDS):
            values = _kept(staged, block, read(block))
            if values:
                writer.write_batch(pa.record_batch([pa.array(values, pa.string())], _SCHEMA))
            _check_usable(staged, wanted)
    if not staged.rows_read:
        raise FileEmpty(wanted.form.file_name)
    staged.sha256, staged.column = digest.hexdigest(), found.column
    return staged


def open_staged(target: Path) -> pa.RecordBatchReader:
    """Open what `stage_ids` wrote."""
    return pa.ipc.open_stream(pa.memory_map(str(target)))


def _check_usable(staged: Staged, wanted: Wanted) -> None:
    """Refuse when a whole block had nothing, so that a wrong key is not tried on all the rest."""
    if staged.valid == 0 and staged.invalid_rows:
        first = staged.invalid_rows[0]
        raise NoUsableId(wanted.form.file_name, wanted.id_type, first.line, first.reason)


def _reader(wanted: Wanted) -> Callable[[Sequence[Record]], list[str | Unfit]]:
    one, key = reader_of(wanted.id_type, wanted.region), wanted.key
    if key is None:
        return lambda block: [_read(record, record.text, one) for record in block]
    return lambda block: [
        _read(record, text, one) for record, text in zip(block, _decrypted(block, key), strict=True)
    ]


def _decrypted(block: Sequence[Record], key: bytes) -> list[str | None]:
    written: Any = pa.array([record.text for record in block], pa.string())
    texts: list[str | None] = decrypt(written, key).to_pylist()
    return texts


def _read(record: Record, text: str | None, one: Callable[[str], str | Unfit]) -> str | Unfit:
    if record.problem:
        return Unfit(record.problem)
    if text is None:
        return Unfit(NOT_DECRYPTED if record.text.strip() else EMPTY)
    return one(text)


def _kept(staged: Staged, block: Sequence[Record], read: Iterable[str | Unfit]) -> list[str]:
    values: list[str] = []
    for record, value in zip(block, read, strict=True):
        if isinstance(value, str):
            values.append(value)
        elif len(staged.invalid_rows) < MOST_INVALID_KEPT:
            staged.invalid_rows.append(InvalidRow(record.line, value.reason))
    staged.rows_read += len(block)
    staged.valid += len(values)
    return values


def _blocks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while block := list(islice(items, size)):
        yield block
