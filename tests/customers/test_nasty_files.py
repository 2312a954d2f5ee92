"""Files that are not what they should be: a refusal that helps, and the old table untouched."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.customers.conftest import Import

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.request import ImportMode
from textwave.kit.refusal import Refusal

Rows = Callable[..., list[Any]]

REFUSED: dict[str, tuple[str | bytes, dict[str, Any], str, str]] = {
    "nothing": ("", {}, "file_empty", "holds no rows"),
    "only a header": ("id,city\n", {}, "file_empty", "holds no rows"),
    "no UTF-8": (b"id,city\na,\xc9\xcf\n", {}, "encoding_wrong", "offset 10"),
    "a cut character": (b"id,city\na,\xe4\xb8", {}, "encoding_wrong", "offset 10"),
    "a NUL byte": (b"id,city\na,x\0y\n", {}, "file_unreadable", "NUL byte at about offset 11"),
    "a ZIP": (b"PK\x03\x04xxxxxxx", {}, "file_unreadable", "ZIP file"),
    "no Parquet": (b"id,x\n1,2\n", {"file_name": "a.parquet"}, "file_unreadable", "no readable"),
    "cut Parquet": (b"PAR1xxxxPAR", {}, "file_unreadable", "no readable Parquet"),
    "no header": ("a,15412345678,1\nb,15412345679,2\n", {}, "header_invalid", "like values"),
    "an empty first line": ("\nid,x\n1,2\n", {}, "file_unreadable", "empty line"),
    "a doubled name": ("id,City,city\na,b,c\n", {}, "header_invalid", "named “city”"),
    "a missing name": ("id,,x\na,b,c\n", {}, "header_invalid", "Column 2 has no name"),
    "a reserved name": ("id,textwave_x\na,b\n", {}, "header_invalid", "reserved"),
    "no key": ("foo,bar\na,b\n", {}, "column_missing", "foo, bar"),
    "a missing column": (
        "id;city\na;b\n",
        {"mobile_column": "phone", "delimiter": ","},
        "column_missing",
        "delimiter ','): id;city",
    ),
    "a typed key": (
        "id,x\na,b\n",
        {"types": {"id": ColumnType.NUMBER}},
        "invalid_value",
        "its type is text",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refusal_helps_and_the_old_table_stays(
    case: str, do_import: Import, rows_of: Rows
) -> None:
    content, options, code, words = REFUSED[case]
    assert (await do_import("id,city\nold,Wuhan\n")).problem is None
    problem = (await do_import(content, **options)).problem
    assert problem is not None
    assert problem["code"] == code
    assert words in problem["sentence"]
    assert rows_of(columns="id") == [("old",)]


@pytest.mark.parametrize(
    ("written_in", "declared"), [("utf-8-sig", None), ("utf-16", None), ("gb18030", "gb18030")]
)
async def test_other_encodings_are_read_when_they_are_known(
    do_import: Import, rows_of: Rows, tmp_path: Path, written_in: str, declared: str | None
) -> None:
    content = "编号,城市\r\na,上海\r\n".encode(written_in)
    assert (await do_import(content, encoding=declared)).problem is None
    assert rows_of(columns="编号, 城市") == [("a", "上海")]
    assert list(tmp_path.glob("upload*")) == []


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
async def test_the_delimiter_is_guessed(do_import: Import, rows_of: Rows, delimiter: str) -> None:
    await do_import(f'id{delimiter}"a,b,c,d"\nx{delimiter}1\n')
    assert rows_of(columns='id, "a,b,c,d"') == [("x", 1.0)]


@pytest.mark.parametrize(("quote", "size"), [("", 3_000_000), ('"', 30_000_000)])
async def test_a_field_of_megabytes_rejects_its_row(
    do_import: Import, rows_of: Rows, quote: str, size: int
) -> None:
    text = f"id,x\na,b\nbig,{quote}{'x' * size}{quote}\nc,d\n"
    done = (await do_import(text)).result
    assert done is not None
    assert (done["rows_kept"], done["rows_rejected"]) == (2, 1)
    assert rows_of(columns="id") == [("a",), ("c",)]


async def test_rows_may_end_in_different_ways(do_import: Import, rows_of: Rows) -> None:
    await do_import('id,x\r\na,1\nb,"2\n3"\r\n')
    assert rows_of(columns="id, x") == [("a", "1"), ("b", "2\n3")]


async def test_a_quote_that_is_never_closed_rejects_the_row(
    do_import: Import, rows_of: Rows
) -> None:
    done = (await do_import('id,x\na,1\nb,"2\nc,3\n')).result
    assert done is not None
    assert done["rows_rejected"] >= 1
    assert rows_of(columns="id")[0] == ("a",)


async def test_rows_without_a_column_of_the_table_are_refused(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("id,city\na,b\n")
    problem = (await do_import("id,town\na,c\n", mode=ImportMode.UPSERT)).problem
    assert problem is not None
    assert problem["code"] == "table_differs"
    assert "lacks the columns city" in problem["sentence"]
    assert rows_of(columns="id, city") == [("a", "b")]


@pytest.mark.parametrize(
    "options",
    [
        {"table": "Bad name"},
        {"table": "audience_member"},
        {"mode": ImportMode.APPEND},
        {"kind": TableKind.ORDERS, "mode": ImportMode.UPSERT},
        {"encoding": "klingon"},
        {"encoding": "rot13"},
        {"delimiter": "ab"},
    ],
)
async def test_what_cannot_succeed_is_refused_at_once(
    do_import: Import, options: dict[str, Any]
) -> None:
    with pytest.raises(Refusal):
        await do_import("id,x\na,b\n", **options)


ODD = [
    *("", " ", "plain", 'a "quoted" word', "two\nlines", "a\r\nb", "a,b", ",", '"', "  x  "),
    *("上海😀", "=1+1", "NULL", "\\N", "\\", "'", "#", "e\u0301", "\u3000", "\ufeffx", "NaN", "\t"),
]


async def test_odd_values_arrive_as_they_were_written(do_import: Import, rows_of: Rows) -> None:
    rows = [(f"k{n:04}", a, b) for n, (a, b) in enumerate((a, b) for a in ODD for b in ODD)]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("id", "a", "b"), *rows])
    done = (await do_import(written.getvalue())).result
    assert done is not None
    assert done["rows_rejected"] == 0
    assert rows_of(columns="id, coalesce(a, ''), coalesce(b, '')") == rows
