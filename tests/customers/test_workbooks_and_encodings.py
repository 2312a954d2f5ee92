"""Files as people save them: workbooks, and texts in the encodings of their countries."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from tests.customers.conftest import Import

CHINESE = "客户编号,手机,城市\n1,15412345678,上海\n2,15412345679,北京\n3,,广州市天河区\n"
JAPANESE = "id,都市,名前\n1,東京,山田太郎\n2,大阪,すずきはなこ\n3,なごや,たなか\n"
GERMAN = "id,city,name\n" + "1,Zürich,Müller\n2,Köln,Jäger\n3,Düsseldorf,Größe\n" * 4


async def test_the_first_sheet_of_a_workbook_becomes_a_table(
    do_import: Import, rows_of: Callable[..., list[Any]], tmp_path: Path
) -> None:
    book = Workbook()
    sheet: Any = book.active
    for row in (
        [],
        ["id", "phone", "since", "points"],
        [1, 15412345678, date(2026, 2, 28), 1.5],
        [],
        ["2", "154-1234-5679"],
    ):
        sheet.append(row)
    book.save(tmp_path / "people.xlsx")
    ended = await do_import(tmp_path / "people.xlsx", customer_column="id", mobile_column="phone")
    assert ended.problem is None
    rows = rows_of("customers")
    assert [row[0] for row in rows] == ["1", "2"]
    assert [row[-2] for row in rows] == [8615412345678, 8615412345679]
    assert [row[3] for row in rows] == [1.5, None]


@pytest.mark.parametrize(
    ("text", "encoding"), [(CHINESE, "gb18030"), (CHINESE, "utf-16"), (JAPANESE, "cp932")]
)
async def test_a_text_that_is_surely_in_one_encoding_is_read_and_the_encoding_said(
    do_import: Import, rows_of: Callable[..., list[Any]], text: str, encoding: str
) -> None:
    ended = await do_import(text.encode(encoding))
    assert (ended.result or {})["encoding"] == encoding
    city = text.splitlines()[1].split(",")[-1 if text is CHINESE else 1]
    assert city in rows_of("customers")[0]


async def test_an_encoding_of_europe_is_guessed_for_the_user_but_not_used(
    do_import: Import,
) -> None:
    ended = await do_import(GERMAN.encode("cp1252"))
    problem = ended.problem or {}
    assert problem["code"] == "encoding_wrong"
    assert "looks like" in problem["sentence"]


async def test_a_utf_8_file_that_was_cut_is_not_taken_for_another_encoding(
    do_import: Import,
) -> None:
    ended = await do_import(CHINESE.encode()[:-2])
    assert (ended.problem or {})["code"] == "encoding_wrong"


async def test_columns_may_be_apart_by_the_mark_that_hive_exports_use(
    do_import: Import, rows_of: Callable[..., list[Any]]
) -> None:
    ended = await do_import("id\x01city\na\x01Hangzhou, Xihu\n")
    assert ended.problem is None
    assert rows_of("customers")[0][:2] == ("a", "Hangzhou, Xihu")
