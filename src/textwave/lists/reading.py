"""The cells of an uploaded list, one record after the other: text a line, CSV, or XLSX.

Read as a stream with bounded lines, so neither the length of a file nor of a line takes memory.
What is wrong in a record is said of that record; the file as a whole is refused only when it is no
text, or when it does not say which column holds the ids.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from textwave.customers.cells import (
    Cells,
    check_is_text,
    delimited_cells,
    encoding_of,
    note_bytes,
    sheet_cells,
    text_lines,
)
from textwave.customers.upload import FileEmpty, Seen, decoded
from textwave.customers.worksheet import is_workbook
from textwave.kit.refusal import Refusal
from textwave.lists.values import fold

OTHER_WIDTH: Final = "another number of columns than the first line"


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
        note_bytes(path, note, seen)
        return _of_cells(sheet_cells(path, form.file_name), form, found)
    check_is_text(start, form.file_name)
    codec = form.encoding or encoding_of(start)
    lines = text_lines(decoded(path, form.file_name, codec, note, seen))
    as_lines = form.file_name.lower().endswith(".txt") and not (form.delimiter or form.column)
    if as_lines:
        return _of_cells((Cells(r.line, (r.text,), r.problem) for r in lines), form, found)
    return _of_cells(delimited_cells(lines, form.delimiter), form, found)


def _of_cells(rows: Iterable[Cells], form: Form, found: Found) -> Iterator[Record]:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise FileEmpty(form.file_name)
    place, is_header = _choose(first, form)
    found.column = first.cells[place].strip() if is_header else None
    width = len(first.cells)
    for line, cells, problem, _ in rows if is_header else chain((first,), rows):
        if problem:
            yield Record(line, "", problem)
        elif len(cells) != width:
            yield Record(line, "", OTHER_WIDTH)
        else:
            yield Record(line, cells[place])


def _choose(first: Cells, form: Form) -> tuple[int, bool]:
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
