"""Files as people upload them: what each line gives, and what is refused as a whole."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from textwave.customers.cells import LINE_TOO_LONG, LONGEST_LINE, QUOTE_OPEN
from textwave.customers.upload import EncodingWrong, FileEmpty, FileUnreadable
from textwave.lists.reading import OTHER_WIDTH, Form, Found, ListColumnUnknown, read_records
from textwave.lists.staging import NoUsableId, Staged, Wanted, open_staged, stage_ids
from textwave.lists.values import header_names

NAMES = header_names("mobile", ["手机"])


def records(
    path: Path,
    content: bytes | None = None,
    *,
    column: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> list[tuple[int, str]]:
    """Return line and text, or the problem, of each record."""
    if content is not None:
        path.write_bytes(content)
    form = Form(path.name, column, NAMES, encoding, delimiter)
    read = read_records(path, form, note=lambda _: None, seen=lambda _: None, found=Found())
    return [(record.line, record.problem or record.text) for record in read]


def stage(path: Path, *, id_type: str = "mobile", column: str | None = None) -> Staged:
    form = Form(path.name, column, header_names(id_type, []), None, None)
    wanted = Wanted(form, id_type, "CN")
    return stage_ids(path, path.with_name("staged"), wanted, seen=lambda _: None)


def workbook(path: Path, rows: Sequence[list[Any]]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_text_file_has_an_id_a_line_and_needs_no_header(tmp_path: Path) -> None:
    found = records(tmp_path / "l.txt", "\ufeff1,5\r\n\r\n 2 \n3".encode())
    assert found == [(1, "1,5"), (3, " 2 "), (4, "3")]


def test_a_known_header_is_no_id(tmp_path: Path) -> None:
    assert records(tmp_path / "l.txt", "手机\n15412345678\n".encode()) == [(2, "15412345678")]


def test_the_column_is_found_by_its_name_or_must_be_named(tmp_path: Path) -> None:
    content = b"name,Mobile-Phone\nLi,1\n"
    assert records(tmp_path / "a.csv", content) == [(2, "1")]
    assert records(tmp_path / "b.csv", content, column="name") == [(2, "Li")]
    with pytest.raises(ListColumnUnknown, match="Name the one with the ids"):
        records(tmp_path / "c.csv", b"a,b\n1,2\n")
    with pytest.raises(ListColumnUnknown, match="no column “x”"):
        records(tmp_path / "d.csv", content, column="x")


def test_quotes_delimiters_and_lines_within_a_record(tmp_path: Path) -> None:
    content = b'"note";mobile\n"a ""b"";\nc";1\n"d;2\ne;3;4\nf;5\n'
    assert records(tmp_path / "l.csv", content) == [
        (2, "1"),
        (4, QUOTE_OPEN),
        (5, OTHER_WIDTH),
        (6, "5"),
    ]


def test_a_line_of_a_megabyte_is_one_invalid_row(tmp_path: Path) -> None:
    content = b"15412345678\n" + b"9" * (3 * LONGEST_LINE) + b"\n15412345679\n"
    assert records(tmp_path / "l.csv", content) == [
        (1, "15412345678"),
        (2, LINE_TOO_LONG),
        (3, "15412345679"),
    ]


def test_encodings_are_named_or_told_by_their_mark(tmp_path: Path) -> None:
    text = "手机\n15412345678\n"
    assert records(tmp_path / "a.csv", text.encode("utf-16")) == [(2, "15412345678")]
    gb = text.encode("gb18030")
    assert records(tmp_path / "b.csv", gb, encoding="gb18030") == [(2, "15412345678")]
    with pytest.raises(EncodingWrong, match="gb18030"):
        records(tmp_path / "c.csv", gb)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.csv", b"1\n\x002\n", "NUL"),
        ("l.csv", b"PK\x03\x04rest", "no text and no XLSX"),
        ("l.csv", b"\x1f\x8b\x08", "no text"),
        ("l.parquet", b"PAR1....", "Parquet"),
        ("l.xlsx", b"PK\x03\x04 not a workbook", "no readable XLSX"),
    ],
)
def test_what_is_no_list_is_refused_whole(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(FileUnreadable, match=said):
        records(tmp_path / name, content)


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"mobile\n"])
def test_a_file_without_ids_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(content)
    with pytest.raises(FileEmpty):
        stage(path)


def test_a_file_of_other_things_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b"abc\ndef\n")
    with pytest.raises(NoUsableId, match=r"line 1: no mobile number"):
        stage(path)


def test_a_workbook_gives_numbers_texts_dates_and_what_formulas_came_to(tmp_path: Path) -> None:
    rows = [
        ["Mobile", "when"],
        [15412345678, "x"],
        [1.5412345679e10, None],
        ["+86 154 1234 5680"],
        ["1.54E+10"],
        [None, "a row without an id"],
        [],
        ["=A2"],
    ]
    staged = stage(workbook(tmp_path / "l.xlsx", rows))
    assert (staged.rows_read, staged.valid, staged.column) == (5, 3, "Mobile")
    assert [(row.line, row.reason.split(";")[0]) for row in staged.invalid_rows] == [
        (5, "a number that a spreadsheet has shortened"),
        (6, "empty"),
    ]
    read = open_staged(tmp_path / "staged").read_all()["value"].to_pylist()
    assert read == ["8615412345678", "8615412345679", "8615412345680"]


def test_an_id_too_long_for_a_spreadsheet_is_invalid_not_wrong(tmp_path: Path) -> None:
    path = workbook(tmp_path / "l.xlsx", [["id"], [1.23456789012345678e17], ["A1"]])
    staged = stage(path, id_type="customer")
    assert (staged.rows_read, staged.valid) == (2, 1)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=20), st.sampled_from(",;\t|"))
def test_any_csv_that_python_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "l.csv"
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("mobile", "other"), *rows])
    found = records(path, written.getvalue().encode(), delimiter=delimiter)
    assert [text for _, text in found] == [row[0] for row in rows]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("junk") / "l.csv"
    path.write_bytes(content)
    try:
        staged = stage(path)
    except (FileEmpty, FileUnreadable, EncodingWrong, ListColumnUnknown, NoUsableId):
        return
    assert staged.rows_read == staged.valid + staged.invalid
