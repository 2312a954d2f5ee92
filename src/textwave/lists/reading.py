"""The cells of an uploaded list, one record after the other: text a line, CSV, or XLSX.

Read as a stream with bounded lines, so neither the length of a file nor of a line takes memory.
What is wrong in a record is said of that record; the file as a whole is refused only when it is no
text, or when it does not say which column holds the ids.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from itertools import chain
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from textwave.customers.upload import FileEmpty, FileUnreadable, Seen, decoded
from textwave.customers.worksheet import is_workbook, worksheet_rows
from textwave.kit.refusal import Refusal
from textwave.lists.values import fold

LONGEST_LINE: Final = 1_000_000
_MOST_LINES_A_RECORD: Final = 50
_DELIMITERS: Final = (",", "\t", ";", "|")
LINE_TOO_LONG: Final = f"line longer than {LONGEST_LINE:,} characters"
OTHER_WIDTH: Final = "another number of columns than the first line"
QUOTE_OPEN: Final = "a quote that is never closed"
_BROKEN: Final = "quotes that do not fit"


@dataclass(eq=False)
class ListColumnUnknown(Refusal):
    """The file does not say which of its columns holds the ids."""

    code: ClassVar[str] = "list_column_unknown"
    file_name: str
    column: str | None
    columns: tuple[str, ...]

    @property
    def sentence(self) -> str:
        there = ", ".join(f"“{name[:60]}”" for name in self.columns[:20])
        if self.column is None:
            return (
                f"“{self.file_name}” has {len(self.columns)} columns ({there}) and none is named "
                "after the type of id. Name the one with the ids as `column`."
            )
        return f"“{self.file_name}” has no column “{self.column}”; its first line has {there}."


class Record(NamedTuple):
    """One record: the text of its id, or the reason why it has none. The first line is 1."""

    line: int
    text: str
    problem: str = ""


class _Cells(NamedTuple):
    line: int
    cells: Sequence[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is to be read; `names` are folded names that a header of the ids may have."""

    file_name: str
    column: str | None
    names: frozenset[str]
    encoding: str | None
    delimiter: str | None


@dataclass(slots=True)
class Found:
    """What the file turned out to be: the column's name, None without a header."""

    column: str | None = None


def read_records(
    path: Path, form: Form, *, note: Callable[[bytes], None], seen: Seen, found: Found
) -> Iterator[Record]:
    """Yield the records of a stored file; `note` is given its bytes, `seen` how many they are.

    Raises:
        FileEmpty, FileUnreadable, EncodingWrong, ListColumnUnknown: what its sentence says.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise FileEmpty(form.file_name)
    if is_workbook(start, form.file_name):
        for block in _bytes(path, seen):
            note(block)
        return _of_cells(_of_sheet(path, form), form, found)
    lines = _lines(decoded(path, form.file_name, _codec(start, form), note, seen))
    as_lines = form.file_name.lower().endswith(".txt") and not (form.delimiter or form.column)
    if as_lines:
        return _of_cells((_Cells(r.line, (r.text,), r.problem) for r in lines), form, found)
    return _of_cells(_of_csv(lines, form), form, found)


def _codec(start: bytes, form: Form) -> str:
    if start.startswith(b"PAR1"):
        raise FileUnreadable(form.file_name, "is Parquet. Save the list as CSV, TXT or XLSX.")
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF")):
        problem = "is no text and no XLSX workbook. Save the list as CSV, TXT or XLSX."
        raise FileUnreadable(form.file_name, problem)
    return form.encoding or ("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")


def _of_cells(rows: Iterable[_Cells], form: Form, found: Found) -> Iterator[Record]:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise FileEmpty(form.file_name)
    place, is_header = _choose(first, form)
    found.column = first.cells[place].strip() if is_header else None
    width = len(first.cells)
    for line, cells, problem in rows if is_header else chain((first,), rows):
        if problem:
            yield Record(line, "", problem)
        elif len(cells) != width:
            yield Record(line, "", OTHER_WIDTH)
        else:
            yield Record(line, cells[place])


def _choose(first: _Cells, form: Form) -> tuple[int, bool]:
    """Return the place of the ids and whether the first record names columns."""
    names = [cell.strip() for cell in first.cells]
    if form.column is not None:
        if form.column not in names:
            raise ListColumnUnknown(form.file_name, form.column, tuple(names))
        return names.index(form.column), True
    known = [place for place, name in enumerate(names) if fold(name) in form.names]
    if known:
        return known[0], True
    if len(names) > 1:
        raise ListColumnUnknown(form.file_name, None, tuple(names))
    return 0, False


def _of_sheet(path: Path, form: Form) -> Iterator[_Cells]:
    width = 0
    for line, row in enumerate(worksheet_rows(path, form.file_name), start=1):
        cells = _without_tail(row)
        if not cells:
            continue
        width = width or len(cells)
        # a sheet's row ends with its last filled cell
        yield _Cells(line, cells + ("",) * (width - len(cells)))


def _without_tail(row: tuple[str, ...]) -> tuple[str, ...]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _of_csv(lines: Iterator[Record], form: Form) -> Iterator[_Cells]:
    delimiter, waiting = form.delimiter, deque[Record]()
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        if line.problem:
            yield _Cells(line.line, (), line.problem)
            continue
        if delimiter is None:
            delimiter = _guess(line.text)
        if '"' not in line.text:
            yield _Cells(line.line, line.text.split(delimiter))
            continue
        yield _quoted(line, lines, waiting, delimiter)


def _quoted(
    line: Record, lines: Iterator[Record], waiting: deque[Record], delimiter: str
) -> _Cells:
    """Read a record with quotes; it may go on in the next lines, which else are given back."""
    text, more = line.text, list[Record]()
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
        return _Cells(line.line, (), QUOTE_OPEN)
    try:
        return _Cells(line.line, next(csv.reader([text], delimiter=delimiter)))
    except (csv.Error, StopIteration):
        return _Cells(line.line, (), _BROKEN)


def _is_open(text: str) -> bool:
    return text.count('"') % 2 == 1


def _guess(first_line: str) -> str:
    outside = "".join(first_line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _lines(pieces: Iterator[str]) -> Iterator[Record]:
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
                yield Record(number, "", LINE_TOO_LONG)
            elif line and not line.isspace():
                yield Record(number, line)
        if skipping or len(rest) > LONGEST_LINE:
            rest, skipping = "", True
    if skipping:
        yield Record(number + 1, "", LINE_TOO_LONG)
    elif rest.strip():
        yield Record(number + 1, rest)


def _bytes(path: Path, seen: Seen) -> Iterator[bytes]:
    read = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            read += len(block)
            seen(read)
            yield block
