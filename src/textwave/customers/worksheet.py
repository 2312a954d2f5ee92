"""The rows of an XLSX file as texts, read as a stream: long ones take little memory.

A formula gives the value that was last computed for it. Refused: what is damaged, has a password,
unpacks to far more than a workbook does, or has more rows than a worksheet can have.
"""

import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textwave.customers.upload import FileUnreadable

if TYPE_CHECKING:
    from openpyxl import Workbook

ZIP_START: Final = b"PK\x03\x04"
MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
LONGEST_CELL: Final = 32_767
_MOST_UNPACKED_BYTES: Final = 4_000_000_000
_MOST_SHARED_BYTES: Final = 400_000_000
"""Of the parts that have to be held in memory: texts used by several cells, and formats."""

_MOST_PARTS: Final = 10_000
_TRUSTED_RATIO: Final = 200
_SMALL_BYTES: Final = 10_000_000
_EXACT_BELOW: Final = 10**15
_DAMAGED: Final = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ArithmeticError,
    SyntaxError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl and the parsers below it raise at a file that is no sound workbook."""


def is_workbook(start: bytes, file_name: str) -> bool:
    """Tell from its first bytes and its name whether a file is meant as XLSX."""
    return start.startswith(ZIP_START) and file_name.lower().endswith((".xlsx", ".xlsm"))


def worksheet_rows(
    path: Path, file_name: str, *, sheet: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row of a worksheet, the first one unless named, as texts.

    Empty rows in between are yielded too, so a row's position is its number in the sheet.

    Raises:
        FileUnreadable: it is no sound workbook, too large, or has no such sheet.
    """
    _check_parts(path, file_name)
    with _opened(path, file_name) as book:
        rows = _sheet(book, file_name, sheet).iter_rows(values_only=True)
        count = 0
        while (row := _next(rows, file_name)) is not None:
            count += 1
            if count > MOST_ROWS:
                raise FileUnreadable(file_name, f"has more than {MOST_ROWS:,} rows in a sheet.")
            if len(row) > MOST_COLUMNS:
                raise FileUnreadable(file_name, f"has more than {MOST_COLUMNS:,} columns.")
            yield tuple(_text(cell) for cell in row)


def _check_parts(path: Path, file_name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except _DAMAGED:
        raise _damaged(file_name) from None
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    held = sum(p.file_size for p in parts if not p.filename.startswith("xl/worksheets/"))
    bomb = unpacked > _SMALL_BYTES and unpacked > _TRUSTED_RATIO * max(packed, 1)
    if bomb or unpacked > _MOST_UNPACKED_BYTES or len(parts) > _MOST_PARTS:
        problem = f"unpacks to {unpacked:,} bytes, too much for a workbook. Save it as CSV."
        raise FileUnreadable(file_name, problem)
    if held > _MOST_SHARED_BYTES:
        problem = f"holds {held:,} bytes of texts and formats. Save it as CSV."
        raise FileUnreadable(file_name, problem)
    if any(part.flag_bits & 1 for part in parts):
        raise FileUnreadable(file_name, "has a password. Save it without one.")


@contextmanager
def _opened(path: Path, file_name: str) -> "Generator[Workbook]":
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    with path.open("rb") as file:
        try:
            with warnings.catch_warnings():  # of parts that it leaves out: styles, validations
                warnings.simplefilter("ignore")
                book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except (*_DAMAGED, InvalidFileException):
            raise _damaged(file_name) from None
        try:
            yield book
        finally:
            book.close()


def _sheet(book: "Workbook", file_name: str, sheet: str | None) -> Any:
    names = [found.title for found in book.worksheets]
    if not names:
        raise FileUnreadable(file_name, "has no worksheet.")
    if sheet is not None and sheet not in names:
        listed = ", ".join(f"“{name}”" for name in names[:20])
        raise FileUnreadable(file_name, f"has no sheet “{sheet}”; there are {listed}.")
    found: Any = book[sheet] if sheet is not None else book.worksheets[0]
    found.reset_dimensions()  # what a file says of its size may be wrong
    return found


def _next(rows: Iterator[tuple[Any, ...]], file_name: str) -> tuple[Any, ...] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(rows, None)
    except _DAMAGED:
        raise _damaged(file_name) from None


def _damaged(file_name: str) -> FileUnreadable:
    return FileUnreadable(file_name, "is no readable XLSX file. Save it again, or as CSV.")


def _text(cell: object) -> str:
    """Write a cell as it would be typed; a whole number below 10^15 keeps all its digits."""
    match cell:
        case None:
            return ""
        case str():
            return cell[:LONGEST_CELL]
        case float() if cell.is_integer() and abs(cell) < _EXACT_BELOW:
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ").removesuffix(" 00:00:00")
        case _:
            return str(cell).lower() if isinstance(cell, bool) else str(cell)
