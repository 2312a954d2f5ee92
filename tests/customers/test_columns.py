"""What is guessed of a file from the names and the first values of its columns."""

import pytest

from textwave.customers.columns import (
    Column,
    ColumnType,
    Part,
    TableKind,
    guess_part,
    guess_separator,
    guess_type,
    is_time,
)
from textwave.customers.layout import ColumnMissing, ExistingTable, TableDiffers, decide_layout
from textwave.customers.naming import HeaderInvalid, TableNameInvalid, check_table_name, read_header
from textwave.customers.request import ImportMode, ImportRequest


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2.5", "1e3", "+4", ".5", ""], ColumnType.NUMBER),
        (["007", "1"], ColumnType.TEXT),
        (["1234567890123456"], ColumnType.TEXT),
        (["1,000"], ColumnType.TEXT),
        (["2026-03-01", "2026/3/1", "2026-03-01 10:30", "2026-03-01T10:30:00+08:00"], "time"),
        (["2026-13-01", "2026-03-01"], ColumnType.TEXT),
        (["2026-02-30"], ColumnType.TEXT),
        (["01.03.2026"], ColumnType.TEXT),
        (["yes", "no"], ColumnType.TEXT),
        (["", " "], ColumnType.TEXT),
    ],
)
def test_a_type_is_guessed_from_values(values: list[str], expected: str) -> None:
    assert guess_type("x", values).type == expected


def test_one_odd_value_in_a_hundred_does_not_change_a_guess() -> None:
    assert guess_type("x", ["1"] * 99 + ["?"]).type is ColumnType.NUMBER
    assert guess_type("x", ["1"] * 98 + ["?"] * 2).type is ColumnType.TEXT


@pytest.mark.parametrize("name", ["tags", "Tag", "标签", "兴趣"])
def test_tags_hold_several_values(name: str) -> None:
    assert guess_type(name, ["a;b", "c"]) == Column(name, ColumnType.MULTI_VALUE, ";")


def test_the_separator_is_the_most_frequent_one() -> None:
    assert guess_separator(["a、b", "c、d", "e|f"]) == "、"
    assert guess_separator(["a"]) == ","


@pytest.mark.parametrize(
    ("part", "names", "expected"),
    [
        (Part.CUSTOMER, ["name", "Customer ID"], "Customer ID"),
        (Part.CUSTOMER, ["id", "user_id"], "user_id"),
        (Part.CUSTOMER, ["姓名", "会员编号"], "会员编号"),
        (Part.CUSTOMER, ["name"], None),
        (Part.MOBILE, ["电话", "手机号码"], "手机号码"),
        (Part.MOBILE, ["Phone-Number", "Mobile"], "Mobile"),
        (Part.TIME, ["created_at", "下单时间"], "created_at"),
        (Part.TIME, ["订单日期"], "订单日期"),
        (Part.AMOUNT, ["price", "实付金额"], "price"),
        (Part.AMOUNT, ["订单金额（元）", "金额"], "金额"),
    ],
)
def test_a_part_is_guessed_from_names(part: Part, names: list[str], expected: str | None) -> None:
    assert guess_part(part, names, {}) == expected


def test_numbers_are_known_by_their_values_too() -> None:
    sample = {"a": ["x", "y"], "b": ["15412345678", "+44 7700"], "c": ["16412345678", ""]}
    assert guess_part(Part.MOBILE, ["a", "b", "c"], sample) == "c"


@pytest.mark.parametrize(
    "text", ["2026-03-01", "2026/3/1", "2026-3-1 9:05", "2026-03-01T09:05:00Z"]
)
def test_times_begin_with_the_year(text: str) -> None:
    assert is_time(text)


@pytest.mark.parametrize("text", ["2026-03/01", "1.3.2026", "20260301", "2026-03-01 25:00", "12"])
def test_other_writings_are_no_times(text: str) -> None:
    assert not is_time(text)


def test_a_header_is_trimmed_and_keeps_its_script() -> None:
    assert read_header([" id ", "手机号", "Näme"]) == ("id", "手机号", "Näme")


@pytest.mark.parametrize("cells", [[""], ["a", ""], ["a", "A"], ["a", "b\x07"], ["1", "2"]])
def test_a_header_without_plain_names_is_refused(cells: list[str]) -> None:
    with pytest.raises(HeaderInvalid):
        read_header(cells)


@pytest.mark.parametrize("name", ["", "Orders", "1st", "textwave_x", "rejected_row", "a" * 61])
def test_a_table_name_is_short_and_plain(name: str) -> None:
    with pytest.raises(TableNameInvalid):
        check_table_name(name)


def request(
    mode: ImportMode = ImportMode.REPLACE, *, amount_column: str | None = None
) -> ImportRequest:
    return ImportRequest(
        "/x", "x.csv", "orders", TableKind.ORDERS, mode, amount_column=amount_column
    )


ORDERS = {"user_id": ["a"], "time": ["2026-03-01"], "amount": ["12"], "price": ["x"]}


def test_a_declared_column_beats_a_guess() -> None:
    layout = decide_layout(
        request(amount_column="price"), tuple(ORDERS), ORDERS, existing=None, delimiter=","
    )
    assert dict(layout.parts) == {"customer": "user_id", "time": "time", "amount": "price"}
    assert layout.guessed_parts == {Part.CUSTOMER, Part.TIME}
    assert [column.type.value for column in layout.columns] == ["text", "time", "number", "number"]


def test_a_guessed_column_must_hold_what_its_part_needs() -> None:
    sample = ORDERS | {"amount": ["much"]}
    layout = decide_layout(request(), tuple(sample), sample, existing=None, delimiter=",")
    assert Part.AMOUNT not in layout.parts


def test_rows_are_added_as_the_table_is() -> None:
    columns = (Column("user_id", ColumnType.TEXT), Column("amount", ColumnType.TEXT))
    existing = ExistingTable(TableKind.ORDERS, columns, {Part.CUSTOMER: "user_id"})
    names = ("amount", "user_id")
    layout = decide_layout(
        request(ImportMode.APPEND), names, ORDERS, existing=existing, delimiter=","
    )
    assert layout.columns == columns[::-1]
    assert (dict(layout.parts), layout.guessed_types) == ({Part.CUSTOMER: "user_id"}, frozenset())
    with pytest.raises(TableDiffers):
        decide_layout(
            request(ImportMode.APPEND), names[:1], ORDERS, existing=existing, delimiter=","
        )


def test_a_declared_column_that_is_missing_is_named() -> None:
    with pytest.raises(ColumnMissing, match="There is no column “paid” for amount"):
        decide_layout(
            request(amount_column="paid"), tuple(ORDERS), ORDERS, existing=None, delimiter=","
        )


def test_the_only_column_of_times_is_the_time() -> None:
    one = {"page": ["shoes"], "visited_at": ["2026-01-01 10:00:00"]}
    two = one | {"left_at": ["2026-01-01 11:00:00"]}

    assert guess_part(Part.TIME, list(one), one) == "visited_at"
    assert guess_part(Part.TIME, list(two), two) is None
