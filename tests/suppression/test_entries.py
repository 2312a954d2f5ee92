"""Files of opt-outs as people and spreadsheets write them."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from textwave.customers.upload import EncodingWrong, FileEmpty, FileUnreadable
from textwave.kit.refusal import Refusal
from textwave.suppression.entries import (
    NO_MOBILE,
    NO_NUMBER,
    SHORTENED,
    Broken,
    Entry,
    Form,
    MobileColumnUnknown,
    read_entries,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MOBILE = 8615412345678


def read(path: Path, content: bytes | None = None, **options: Any) -> list[Entry | Broken]:
    if content is not None:
        path.write_bytes(content)
    form = Form(path.name, "CN", ZoneInfo("Asia/Shanghai"), NOW, **options)
    return list(read_entries(path, form, seen=lambda _: None))


def test_columns_are_found_by_their_names_in_any_order(tmp_path: Path) -> None:
    content = "证据,手机号,退订时间\n来电,154 1234 5678,2026-03-01 09:30\n".encode()
    at = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert read(tmp_path / "list.csv", content) == [Entry(2, MOBILE, "来电", at)]


def test_a_file_without_a_header_is_number_time_evidence(tmp_path: Path) -> None:
    content = b"+8615412345678;2026/3/1;called us; twice\n15412345679\n"
    first, second = read(tmp_path / "list.txt", content)
    day = datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert first == Entry(1, MOBILE, "called us, twice", day)
    assert second == Entry(2, MOBILE + 1, "list.txt, line 2", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5"])
def test_usual_encodings_are_told_by_the_file(tmp_path: Path, encoding: str) -> None:
    said = "客戶來電要求不要再寄送任何廣告簡訊給他謝謝"
    content = f"mobile,evidence\n15412345678,{said}\n".encode(encoding)
    assert read(tmp_path / "list.csv", content) == [Entry(2, MOBILE, said, None)]


def test_a_workbook_keeps_numbers_and_times(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    for row in (
        ["Phone", "Date", "Source"],
        [15412345678, datetime(2026, 3, 1, 9, 30), "shop"],  # noqa: DTZ001 - as a sheet has it
        [None, None, None],
        ["1.54E+10", None, "shop"],
    ):
        sheet.append(row)
    path = tmp_path / "list.xlsx"
    book.save(path)
    entry, broken = read(path)
    assert entry == Entry(2, MOBILE, "shop", datetime(2026, 3, 1, 1, 30, tzinfo=UTC))
    assert isinstance(broken, Broken)
    assert (broken.line, broken.reason) == (4, SHORTENED)
    assert "1.54E+10" in broken.content


def test_broken_lines_are_kept_as_they_were_with_the_reason(tmp_path: Path) -> None:
    content = b'mobile,evidence\nabc,x\n,y\n15412345678,ok\n"154,z\n1.5e10,w\n'
    found = read(tmp_path / "list.csv", content)
    assert [(one.line, one.reason, one.content) for one in found if isinstance(one, Broken)] == [
        (2, NO_MOBILE, "abc,x"),
        (3, NO_NUMBER, ",y"),
        (5, "a quote that is never closed", '"154,z'),
        (6, SHORTENED, "1.5e10,w"),
    ]
    assert [one.mobile for one in found if isinstance(one, Entry)] == [MOBILE]


@pytest.mark.parametrize("time", ["yesterday", "2099-01-01", "0000-00-00", "2026-02-30", "1"])
def test_a_number_is_taken_even_when_its_time_cannot_be(tmp_path: Path, time: str) -> None:
    [entry] = read(tmp_path / "list.csv", f"mobile,time\n15412345678,{time}\n".encode())
    assert isinstance(entry, Entry)
    assert (entry.mobile, entry.at) == (MOBILE, None)
    assert time in entry.evidence


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileEmpty),
        (b"\n \n", FileEmpty),
        (b"PAR1....", FileUnreadable),
        (b"name,city\nLi,Hangzhou\n", MobileColumnUnknown),
        (b"mobile\n15412345678\n\xff\xfe\xfa", EncodingWrong),
        (b"mobile\n154\x0012345678\n", FileUnreadable),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        read(tmp_path / "list.csv", content)


def test_a_column_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(MobileColumnUnknown, match="no column “cell”"):
        read(tmp_path / "list.csv", b"mobile\n15412345678\n", mobile_column="cell")


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(_cells, st.just("15412345678")), _cells, _cells), max_size=20
    ),
    encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]),
)
def test_every_record_comes_out_once_as_a_number_or_as_broken(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], encoding: str
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("mobile", "time", "evidence"), *rows])
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    found = read(path, text.getvalue().encode(encoding), encoding=encoding)
    numbers = [one for one in found if isinstance(one, Entry)]
    assert len(numbers) >= sum(row[0] == "15412345678" for row in rows)
    assert [one.line for one in found] == sorted({one.line for one in found})
    assert all(one.at is None or one.at <= NOW for one in numbers)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.csv", "a.txt", "a.xlsx"]))
def test_any_bytes_are_read_or_refused_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("lists") / name
    said, found = "", list[Entry | Broken]()
    try:
        found = read(path, content)
    except Refusal as refusal:
        said = refusal.sentence
    assert said or all(one.line >= 1 for one in found)
