"""The entries of an uploaded file of numbers that get nothing: number, time, evidence.

A stream, so a file of any size takes the same memory. What is wrong in a record is said of that
record; a number with a time that cannot be read is taken all the same, for the safe side of a doubt
is silence. Refused is a file as a whole when it is no text or does not say where the numbers are.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import ClassVar, Final, NamedTuple
from zoneinfo import ZoneInfo

from textwave.customers.cells import (
    Cells,
    check_is_text,
    delimited_cells,
    encoding_of,
    sheet_cells,
    text_lines,
)
from textwave.customers.encodings import SURE, guess_encoding
from textwave.customers.upload import EncodingWrong, FileEmpty, Seen, decoded
from textwave.customers.worksheet import is_workbook
from textwave.kit.mobile import read_mobile
from textwave.kit.refusal import Refusal

NO_NUMBER: Final = "empty where the number should be"
NO_MOBILE: Final = "no mobile number"
SHORTENED: Final = "a number that a spreadsheet has shortened; format the column as text"
_LONGEST_EVIDENCE: Final = 1_000
_LONGEST_CONTENT: Final = 2_000
_FIRST_YEAR: Final = 1990
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]*(.*)", re.ASCII)
_SHORTENED: Final = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"(\d{7,15})\.0+", re.ASCII)
_MOBILE_NAMES: Final = (
    "mobile",
    "mobilephone",
    "mobilenumber",
    "phone",
    "phonenumber",
    "number",
    "cellphone",
    "tel",
    "telephone",
    "msisdn",
    "手机",
    "手机号",
    "手机号码",
    "号码",
    "电话",
    "电话号码",
    "联系电话",
)
_TIME_NAMES: Final = (
    "time",
    "date",
    "at",
    "optedoutat",
    "deniedat",
    "receivedat",
    "created",
    "createdat",
    "时间",
    "日期",
    "退订时间",
    "添加时间",
)
_EVIDENCE_NAMES: Final = (
    "evidence",
    "proof",
    "证据",
    "note",
    "remark",
    "备注",
    "说明",
    "reason",
    "原因",
    "source",
    "来源",
)


@dataclass(eq=False)
class MobileColumnUnknown(Refusal):
    """The file does not say which of its columns holds what."""

    code: ClassVar[str] = "mobile_column_unknown"
    file_name: str
    column: str | None
    columns: tuple[str, ...]

    @property
    def sentence(self) -> str:
        there = ", ".join(f"“{name[:60]}”" for name in self.columns[:20])
        if self.column is None:
            return (
                f"“{self.file_name}” begins with {there}: neither a number nor the name of a "
                "column of numbers. Call that column “mobile”, or name it as `mobile_column`. "
                "Nothing was changed."
            )
        return (
            f"“{self.file_name}” has no column “{self.column}”; its first line has {there}. "
            "Nothing was changed."
        )


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is to be read; what is None is guessed from its first line and its bytes."""

    file_name: str
    region: str
    zone: ZoneInfo
    now: datetime
    encoding: str | None = None
    delimiter: str | None = None
    mobile_column: str | None = None
    time_column: str | None = None
    evidence_column: str | None = None


class Entry(NamedTuple):
    """A number to be blocked; `at` is None where the file gives no time that can be read."""

    line: int
    mobile: int
    evidence: str
    at: datetime | None


class Broken(NamedTuple):
    """A record without a number; the first line is 1."""

    line: int
    reason: str
    content: str


class _Places(NamedTuple):
    mobile: int
    time: int | None
    evidence: int | None


def read_entries(path: Path, form: Form, *, seen: Seen) -> Iterator[Entry | Broken]:
    """Yield what each record of a stored file says; `seen` is told the bytes read.

    Raises:
        FileEmpty, FileUnreadable, EncodingWrong, MobileColumnUnknown: what its sentence says.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise FileEmpty(form.file_name)
    rows = iter(_rows(path, form, start, seen))
    first = next(rows, None)
    if first is None:
        raise FileEmpty(form.file_name)
    places, is_header = _places(first, form)
    for row in rows if is_header else chain((first,), rows):
        yield _read(row, places, form)


def _rows(path: Path, form: Form, start: bytes, seen: Seen) -> Iterator[Cells]:
    if is_workbook(start, form.file_name):
        rows = sheet_cells(path, form.file_name)
    else:
        check_is_text(start, form.file_name)
        codec = _codec(path, form, start)
        pieces = decoded(path, form.file_name, codec, _ignore, seen)
        rows = delimited_cells(text_lines(pieces), form.delimiter)
    return rows


def _ignore(_: object) -> None:
    return


def _codec(path: Path, form: Form, start: bytes) -> str:
    """Return an encoding in which the whole file is text, so that no half of it is taken."""
    codec = form.encoding or encoding_of(start)
    try:
        _check(path, form.file_name, codec)
    except EncodingWrong as wrong:
        guess = None if form.encoding else guess_encoding(path)
        if guess not in SURE:
            raise replace(wrong, looks_like=guess or "") from None
        _check(path, form.file_name, guess)
        return guess
    return codec


def _check(path: Path, file_name: str, codec: str) -> None:
    for _ in decoded(path, file_name, codec, _ignore, _ignore):
        pass


def _places(first: Cells, form: Form) -> tuple[_Places, bool]:
    """Return where things stand, and whether the first record names them."""
    names = [cell.strip().strip("\ufeff") for cell in first.cells]
    asked = (form.mobile_column, form.time_column, form.evidence_column)
    for column in asked:
        if column is not None and column not in names:
            raise MobileColumnUnknown(form.file_name, column, tuple(names))
    folded = [re.sub(r"[\s_\-.]+", "", name).casefold() for name in names]
    known = (_MOBILE_NAMES, _TIME_NAMES, _EVIDENCE_NAMES)
    mobile, time, evidence = (
        names.index(column) if column is not None else _first(folded, words)
        for column, words in zip(asked, known, strict=True)
    )
    if mobile is not None:
        return _Places(mobile, time, evidence), True
    if first.problem or len(names) == 1 or _mobile(names[0], form.region) is not None:
        return _Places(0, 1, 2), False
    raise MobileColumnUnknown(form.file_name, None, tuple(names))


def _first(names: list[str], words: Sequence[str]) -> int | None:
    """Return the place of the first of the words that is a column's name."""
    return next((names.index(word) for word in words if word in names), None)


def _read(row: Cells, places: _Places, form: Form) -> Entry | Broken:
    if row.problem:
        return Broken(row.line, row.problem, _clean(row.text, _LONGEST_CONTENT))
    written = _cell(row, places.mobile)
    mobile = _mobile(written, form.region)
    if mobile is None:
        return Broken(row.line, _why(written), _clean(row.text, _LONGEST_CONTENT))
    time = _cell(row, places.time)
    at = _time(time, form) if time else None
    said = _evidence(row, places) or f"{form.file_name}, line {row.line}"
    if time and at is None:
        said = f"{said} (time as written: {time[:40]})"
    return Entry(row.line, mobile, _clean(said, _LONGEST_EVIDENCE), at)


def _cell(row: Cells, place: int | None) -> str:
    if place is None or place >= len(row.cells):
        return ""
    return row.cells[place].strip()


def _evidence(row: Cells, places: _Places) -> str:
    """Return the evidence; what stands behind the last column belongs to it."""
    if places.evidence is None:
        return ""
    if places.evidence < max(places.mobile, places.time or 0):
        return _cell(row, places.evidence)
    return ", ".join(filter(None, (cell.strip() for cell in row.cells[places.evidence :])))


def _mobile(written: str, region: str) -> int | None:
    found = read_mobile(written, region)
    if found is None and (decimal := _DECIMAL.fullmatch(written)):
        found = read_mobile(decimal[1], region)
    return found


def _why(written: str) -> str:
    if not written.strip("\ufeff\u200b"):
        return NO_NUMBER
    return SHORTENED if _SHORTENED.fullmatch(written) else NO_MOBILE


def _time(written: str, form: Form) -> datetime | None:
    """Read a time, local unless it says its offset; None for what is none or lies ahead."""
    if found := _DAY.fullmatch(written):
        year, month, day, rest = found.groups()
        written = f"{year}-{month:0>2}-{day:0>2}" + (f"T{rest.strip()}" if rest.strip() else "")
    try:
        read = datetime.fromisoformat(written)
        moment = (read if read.tzinfo else read.replace(tzinfo=form.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= _FIRST_YEAR and moment <= form.now else None


def _clean(text: str, longest: int) -> str:
    """Return text that a database takes, cut where it is too long."""
    plain = text.replace("\0", "").encode("utf-8", "replace").decode()
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
