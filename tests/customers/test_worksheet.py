"""Workbooks that would take more than they look like."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from textwave.customers.upload import FileUnreadable
from textwave.customers.worksheet import worksheet_rows


def saved(path: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", True, 1.5])
    book.create_sheet("more").append(["b"])
    book.save(path)
    return path


def rewritten(path: Path, part: str, content: bytes) -> Path:
    """Replace a part of the workbook."""
    target = path.with_name("rewritten.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return target


def test_a_sheet_is_the_first_one_or_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "book.xlsx")
    assert list(worksheet_rows(path, "book.xlsx")) == [("a", "true", "1.5")]
    assert list(worksheet_rows(path, "book.xlsx", sheet="more")) == [("b",)]
    with pytest.raises(FileUnreadable, match="there are “Sheet”, “more”"):
        next(worksheet_rows(path, "book.xlsx", sheet="none"))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = saved(tmp_path / "book.xlsx")
    bomb = rewritten(path, "xl/worksheets/sheet1.xml", b" " * 30_000_000)
    with pytest.raises(FileUnreadable, match="too much for a workbook"):
        next(worksheet_rows(bomb, "book.xlsx"))


def test_a_row_with_an_absurd_number_ends_the_reading(tmp_path: Path) -> None:
    path = saved(tmp_path / "book.xlsx")
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row></sheetData></worksheet>'
    )
    absurd = rewritten(path, "xl/worksheets/sheet1.xml", sheet)
    with pytest.raises(FileUnreadable, match="more than 1,048,576 rows"):
        list(worksheet_rows(absurd, "book.xlsx"))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_damaged_part_is_said(tmp_path: Path, part: str) -> None:
    damaged = rewritten(saved(tmp_path / "book.xlsx"), part, b"<broken")
    with pytest.raises(FileUnreadable, match="no readable XLSX"):
        list(worksheet_rows(damaged, "book.xlsx"))
