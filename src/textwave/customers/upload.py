"""The stored file of an import: what it is, its digest, its text as UTF-8 and a sample of it.

Read in blocks, so a file of any size takes the same memory. Refused: what is no CSV, XLSX or
Parquet, text in an encoding that is neither named nor surely known, and NUL bytes, each with the
place where it stands.
"""

import codecs
import csv
import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.parquet as pq

from textwave.customers.encodings import SURE, guess_encoding
from textwave.kit.refusal import Refusal

_BLOCK_BYTES: Final = 1 << 20
_SAMPLE_ROWS: Final = 2_000
_DELIMITERS: Final = (",", "\t", ";", "|", "\x01")
_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_WORKBOOKS: Final = (".xlsx", ".xlsm")
_FOREIGN: Final = {
    _ZIP: "a ZIP file, and not named .xlsx",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
}
Seen = Callable[[int], None]


@dataclass(eq=False)
class FileEmpty(Refusal):
    """The file holds no rows."""

    code: ClassVar[str] = "file_empty"
    file_name: str

    @property
    def sentence(self) -> str:
        return f"“{self.file_name}” holds no rows. Nothing was changed."


@dataclass(eq=False)
class FileUnreadable(Refusal):
    """The file is not of a form that can be imported."""

    code: ClassVar[str] = "file_unreadable"
    file_name: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"“{self.file_name}” {self.problem}"


@dataclass(eq=False)
class EncodingWrong(Refusal):
    """The file's bytes are not text in the encoding it should have."""

    code: ClassVar[str] = "encoding_wrong"
    file_name: str
    encoding: str
    byte_offset: int
    looks_like: str = ""

    @property
    def sentence(self) -> str:
        perhaps = f" It looks like {self.looks_like}." if self.looks_like else ""
        example = self.looks_like or "gb18030"
        return (
            f"“{self.file_name}” is not {self.encoding}: the byte at offset {self.byte_offset} "
            f"does not fit.{perhaps} Save it as UTF-8 or name its `encoding`, e.g. {example}."
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has been looked at. `text_path` is None for Parquet."""

    path: Path
    file_name: str
    sha256: str
    size_bytes: int
    delimiter: str | None
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    declared_types: tuple[pa.DataType, ...] = ()
    encoding: str = "utf-8"

    @property
    def is_parquet(self) -> bool:
        """Tell whether it is Parquet; otherwise it is delimited text in UTF-8."""
        return self.delimiter is None

    @property
    def sample(self) -> dict[str, list[str]]:
        """Return the first values of each column."""
        names = [name.strip() for name in self.header]
        return {
            name: [row[place] for row in self.rows if len(row) == len(names)]
            for place, name in enumerate(names)
        }


@contextmanager
def examine(
    path: Path, file_name: str, *, encoding: str | None, delimiter: str | None, seen: Seen
) -> Generator[Upload]:
    """Look at a stored file; a copy of its text beside it is removed at the end.

    Of a workbook the first sheet is taken. `seen` is told how many bytes have been read.

    Raises:
        FileEmpty, FileUnreadable, EncodingWrong: what its sentence says.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise FileUnreadable(file_name, f"cannot be read ({error.strerror}).") from None
    if not start:
        raise FileEmpty(file_name)
    if start.startswith(_PARQUET) or file_name.lower().endswith(".parquet"):
        yield _parquet(path, file_name, seen)
        return
    copy = path.with_name(path.name + ".utf8")
    try:
        if start.startswith(_ZIP) and file_name.lower().endswith(_WORKBOOKS):
            yield _workbook(path, copy, file_name, seen)
            return
        for magic, what in _FOREIGN.items():
            if start.startswith(magic):
                problem = f"is {what}. Save it as CSV (UTF-8), XLSX or Parquet."
                raise FileUnreadable(file_name, problem)
        is_utf16 = start[:2] in (b"\xff\xfe", b"\xfe\xff")
        known = encoding or ("utf-16" if is_utf16 else None)
        yield _any_text(path, copy, file_name, known, delimiter, seen)
    finally:
        copy.unlink(missing_ok=True)


def _parquet(path: Path, file_name: str, seen: Seen) -> Upload:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise FileUnreadable(file_name, "is no readable Parquet file.") from None
    with file:
        if file.metadata.num_rows == 0:
            raise FileEmpty(file_name)
        batch = next(file.iter_batches(batch_size=_SAMPLE_ROWS), None)
        schema = file.schema_arrow
    columns = [] if batch is None else [column.to_pylist() for column in batch.columns]
    rows = tuple(
        tuple("" if v is None else str(v) for v in row) for row in zip(*columns, strict=True)
    )
    digest = hashlib.sha256()
    for block in _blocks(path, seen):
        digest.update(block)
    size = path.stat().st_size
    names, types = tuple(schema.names), tuple(schema.types)
    return Upload(path, file_name, digest.hexdigest(), size, None, names, rows, types)


def _workbook(path: Path, copy: Path, file_name: str, seen: Seen) -> Upload:
    """Write the first sheet as CSV, without its empty rows, and look at that."""
    from textwave.customers.worksheet import worksheet_rows

    digest = hashlib.sha256()
    for block in _blocks(path, seen):
        digest.update(block)
    with copy.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows(_table(worksheet_rows(path, file_name)))
    if not copy.stat().st_size:
        raise FileEmpty(file_name)
    found, delimiter = _sample(copy, file_name, ",")
    size = path.stat().st_size
    header, first = found[0], tuple(found[1:])
    return Upload(copy, file_name, digest.hexdigest(), size, delimiter, header, first)


def _table(rows: Iterator[tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the rows that hold anything, each at least as wide as the first of them."""
    width = 0
    for row in rows:
        cells = [cell.replace("\0", "") for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            width = width or len(cells)
            yield cells + [""] * (width - len(cells))


def _any_text(
    path: Path, copy: Path, file_name: str, codec: str | None, delimiter: str | None, seen: Seen
) -> Upload:
    """Read the text as UTF-8 or as what was named; if it is neither, as what it surely is."""
    try:
        return _text(path, copy, file_name, codec or "utf-8", delimiter, seen)
    except EncodingWrong as wrong:
        guess = guess_encoding(path) if codec is None else None
        if guess not in SURE:
            raise replace(wrong, looks_like=guess or "") from None
        try:
            return _text(path, copy, file_name, guess, delimiter, seen)
        except EncodingWrong:
            raise wrong from None


def _text(
    path: Path, copy: Path, file_name: str, codec: str, delimiter: str | None, seen: Seen
) -> Upload:
    is_utf8 = codecs.lookup(codec).name in ("utf-8", "utf-8-sig", "ascii")
    digest = hashlib.sha256()
    pieces = decoded(path, file_name, codec, digest.update, seen)
    if is_utf8:
        for _ in pieces:
            pass
    else:
        with copy.open("w", encoding="utf-8", newline="") as target:
            target.writelines(pieces)
    source = path if is_utf8 else copy
    rows, found = _sample(source, file_name, delimiter)
    size = path.stat().st_size
    header, first = rows[0], tuple(rows[1:])
    return Upload(source, file_name, digest.hexdigest(), size, found, header, first, encoding=codec)


def decoded(
    path: Path, file_name: str, codec: str, note: Callable[[bytes], None], seen: Seen
) -> Iterator[str]:
    """Yield a file's text in blocks; `note` is given its bytes.

    Raises:
        EncodingWrong, FileUnreadable: bytes that are no text in that encoding, or a NUL.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    read = 0
    for block in _blocks(path, seen):
        note(block)
        read += len(block)
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            offset = read - len(error.object) + error.start
            raise EncodingWrong(file_name, codec, offset) from None
        if "\0" in text:
            place = read - len(block) + max(block.find(b"\0"), 0)
            problem = f"has a NUL byte at about offset {place}; text has none. Remove it."
            raise FileUnreadable(file_name, problem)
        yield text
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise EncodingWrong(file_name, codec, read - len(error.object) + error.start) from None


def _blocks(path: Path, seen: Seen) -> Iterator[bytes]:
    read = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            read += len(block)
            seen(read)
            yield block


def _sample(path: Path, file_name: str, delimiter: str | None) -> tuple[list[tuple[str, ...]], str]:
    with path.open("rb") as file:
        block = file.read(_BLOCK_BYTES)
        whole = not file.read(1)
    text = block.decode("utf-8-sig", errors="ignore")
    if not text.strip():
        raise FileEmpty(file_name)
    if not text.splitlines()[0].strip():
        raise FileUnreadable(file_name, "begins with an empty line instead of columns' names.")
    found = delimiter or _guess_delimiter(text.splitlines()[0])
    rows = _rows(text, found, whole=whole)
    if not rows or (whole and len(rows) == 1):
        raise FileEmpty(file_name)
    return rows, found


def _rows(text: str, delimiter: str, *, whole: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
            if row:
                rows.append(tuple(row))
            if len(rows) > _SAMPLE_ROWS:
                return rows
    except csv.Error:  # a field longer than the sample's reader takes: what came before will do
        return rows
    return rows if whole or len(rows) == 1 else rows[:-1]


def _guess_delimiter(first_line: str) -> str:
    outside = "".join(first_line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)
