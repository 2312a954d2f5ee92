"""The cells of an uploaded text or workbook, one record after the other.

Read as a stream with bounded lines, so neither the length of a file nor of a line takes memory.
What is wrong in a record is said of that record; refused is a file that is no text at all.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import IncrementalNewlineDecoder
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from textwave.customers.upload import FileUnreadable, Seen
from textwave.customers.worksheet import worksheet_rows

LONGEST_LINE: Final = 1_000_000
_MOST_LINES_A_RECORD: Final = 50
_DELIMITERS: Final = (",", "\t", ";", "|")
LINE_TOO_LONG: Final = f"line longer than {LONGEST_LINE:,} characters"
QUOTE_OPEN: Final = "a quote that is never closed"
_BROKEN: Final = "quotes that do not fit"


class Line(NamedTuple):
    """One line that is not blank, or why it cannot be read. The first line is 1."""

    line: int
    text: str
    problem: str = ""


class Cells(NamedTuple):
    """The cells of one record, or why it has none; `text` is the record as it was written."""

    line: int
    cells: Sequence[str]
    problem: str = ""
    text: str = ""


def check_is_text(start: bytes, file_name: str) -> None:
    """Refuse a file that begins like a known form of something else.

    Raises:
        FileUnreadable: what it is instead.
    """
    if start.startswith(b"PAR1"):
        raise FileUnreadable(file_name, "is Parquet. Save the list as CSV, TXT or XLSX.")
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF")):
        problem = "is no text and no XLSX workbook. Save the list as CSV, TXT or XLSX."
        raise FileUnreadable(file_name, problem)


def encoding_of(start: bytes) -> str:
    """Return the encoding that the first bytes of a text say, else UTF-8."""
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


def sheet_cells(path: Path, file_name: str) -> Iterator[Cells]:
    """Yield the rows of the first sheet that hold anything, each as wide as the first."""
    width = 0
    for line, row in enumerate(worksheet_rows(path, file_name), start=1):
        cells = _without_tail(row)
        if not cells:
            continue
        width = width or len(cells)
        # a sheet's row ends with its last filled cell
        yield Cells(line, cells + ("",) * (width - len(cells)), text=",".join(cells))


def _without_tail(row: tuple[str, ...]) -> tuple[str, ...]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def delimited_cells(lines: Iterator[Line], delimiter: str | None) -> Iterator[Cells]:
    """Yield the records of delimited text; without a delimiter the first line tells it."""
    waiting = deque[Line]()
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        if line.problem:
            yield Cells(line.line, (), line.problem, line.text)
            continue
        if delimiter is None:
            delimiter = _guess(line.text)
        if '"' not in line.text:
            yield Cells(line.line, line.text.split(delimiter), text=line.text)
            continue
        yield _quoted(line, lines, waiting, delimiter)


def _quoted(line: Line, lines: Iterator[Line], waiting: deque[Line], delimiter: str) -> Cells:
    """Read a record with quotes; it may go on in the next lines, which else are given back."""
    text, more = line.text, list[Line]()
    while _is_open(text) and len(more) < _MOST_LINES_A_RECORD and len(text) <= LONGEST_LINE:
        follower = waiting.popleft() if waiting else next(lines, None)
        if follower is None:
            break
        more.append(follower)
        if follower.problem:
            break
        text += "\n" + follower.text
    if _is_open(text):
        waiting.extendleft(reversed(more))
        return Cells(line.line, (), QUOTE_OPEN, line.text)
    try:
        cells = next(csv.reader([text], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return Cells(line.line, (), _BROKEN, text)
    return Cells(line.line, cells, text=text)


def _is_open(text: str) -> bool:
    return text.count('"') % 2 == 1


def _guess(first_line: str) -> str:
    outside = "".join(first_line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def text_lines(pieces: Iterator[str]) -> Iterator[Line]:
    """Yield the lines that are not blank, without their ends, each bounded in length."""
    number, rest, skipping = 0, "", False
    ends = IncrementalNewlineDecoder(None, translate=True)
    for piece in chain(pieces, ("",)):
        text = rest + ends.decode(piece, final=not piece)
        if not number:
            text = text.removeprefix("\ufeff")  # its mark is no text
        *lines, rest = text.split("\n")
        for line in lines:
            number += 1
            if skipping or len(line) > LONGEST_LINE:
                skipping = False
                yield Line(number, "", LINE_TOO_LONG)
            elif line and not line.isspace():
                yield Line(number, line)
        if skipping or len(rest) > LONGEST_LINE:
            rest, skipping = "", True
    if skipping:
        yield Line(number + 1, "", LINE_TOO_LONG)
    elif rest.strip():
        yield Line(number + 1, rest)


def note_bytes(path: Path, note: Callable[[bytes], None], seen: Seen) -> None:
    """Give a file's bytes to `note`, block by block."""
    read = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            read += len(block)
            seen(read)
            note(block)
