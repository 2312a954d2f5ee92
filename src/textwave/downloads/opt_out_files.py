"""Writing opt-outs and denied numbers to a CSV or XLSX file, block by block.

CSV is UTF-8 with a byte order mark; texts that a spreadsheet would take for a formula get an
apostrophe in front. Numbers are texts with a plus sign, so that an import reads them again; times
are the workspace's local ones with their offset. A full sheet is followed by another.
"""

import csv
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from textwave.downloads.writing import FORMULA
from textwave.kit.mobile import Mobile, masked, written
from textwave.suppression.export_store import ExportRow

COLUMNS: Final = (
    "mobile", "platform", "signature", "source", "reason", "evidence", "time", "lifted_at",
    "lifted_evidence",
)  # fmt: skip
_SHEET_ROWS: Final = 1_048_576
_is_formula: Final = re.compile(FORMULA).match
_control: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class SheetFormat(StrEnum):
    """What a file of opt-outs is written as."""

    CSV = "csv"
    XLSX = "xlsx"


class Sheets(Protocol):
    """A file that takes rows of texts."""

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write a block of rows."""
        ...

    def close(self) -> None:
        """Make the file whole."""
        ...


def open_sheets(path: Path, form: SheetFormat) -> Sheets:
    """Open a file with its line of columns."""
    return _Workbook(path) if form is SheetFormat.XLSX else _Text(path)


def cells_of(row: ExportRow, zone: ZoneInfo, *, reveal_numbers: bool) -> list[str]:
    """Write an entry as cells, its number masked unless it is to be revealed."""
    mobile = Mobile(row.mobile)
    lifted = "" if row.lifted_at is None else row.lifted_at.astimezone(zone).isoformat()
    texts = (row.platform, row.signature, row.source, row.reason, row.evidence)
    return [
        written(mobile) if reveal_numbers else masked(mobile),
        *map(_safe, texts),
        row.happened_at.astimezone(zone).isoformat(),
        lifted,
        _safe(row.lifted_evidence),
    ]


def _safe(text: str) -> str:
    plain = _control.sub("", text)
    return f"'{plain}" if _is_formula(plain) else plain


class _Text:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _Workbook:
    def __init__(self, path: Path) -> None:
        from openpyxl import Workbook

        self._path = path
        self._book = Workbook(write_only=True)
        self._sheet: Any = None
        self._rows = 0
        self._add_sheet()

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        for row in rows:
            if self._rows == _SHEET_ROWS:
                self._add_sheet()
            self._append(row)

    def close(self) -> None:
        self._book.save(self._path)

    def _add_sheet(self) -> None:
        self._sheet = self._book.create_sheet()
        self._rows = 0
        self._append(COLUMNS)

    def _append(self, row: Sequence[str]) -> None:
        self._sheet.append(row)
        self._rows += 1
