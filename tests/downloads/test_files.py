"""What stands in a downloaded file, block by block."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textwave.audiences.preview import shown_customer
from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType, TableKind
from textwave.downloads.masking import Masking
from textwave.downloads.writing import FileFormat, write_file

TEXT, NUMBER = ColumnType.TEXT, ColumnType.NUMBER
COLUMNS = (
    Column("id", TEXT),
    Column("phone", TEXT),
    Column("note", TEXT),
    Column("amount", NUMBER),
    Column("born", ColumnType.TIME),
    Column("tags", ColumnType.MULTI_VALUE, "|"),
)
TABLE = CustomerTable("customers", TableKind.CUSTOMERS, COLUMNS, "id", mobile_column="phone")
BORN = datetime(1999, 12, 31, 16)  # noqa: DTZ001 - naive UTC, as in the lake
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("phone", pa.string()),
        ("note", pa.string()),
        ("amount", pa.float64()),
        ("born", pa.timestamp("us")),
        ("tags", pa.list_(pa.string())),
    ]
)


def written(path: Path, rows: list[dict[str, Any]], form: FileFormat, *, reveal: bool) -> int:
    masking = Masking(TABLE, "CN", reveal)
    block = pa.RecordBatch.from_pylist(rows, SCHEMA)
    cells = [
        masking.shown(cell, column) for cell, column in zip(block.columns, COLUMNS, strict=True)
    ]
    shown = pa.RecordBatch.from_arrays(cells, schema=SCHEMA)
    blocks = iter([shown.slice(0, 0), shown])
    return write_file(path, blocks, COLUMNS, form, zone=ZoneInfo("Asia/Shanghai"))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def row(**cells: Any) -> dict[str, Any]:
    blank = {"id": "C1", "phone": None, "note": None, "amount": None, "born": None, "tags": None}
    return blank | cells


def test_numbers_are_masked_wherever_they_stand(tmp_path: Path) -> None:
    rows = [
        row(phone="+86 154 1234 5678", note="15412345678", amount=15412345678.0),
        row(phone="nothing", note="call 12", amount=8.5, tags=["15412345678", "a"]),
        row(id="mobile:8615412345678"),
    ]
    written(tmp_path / "f", rows, FileFormat.CSV, reveal=False)
    content = (tmp_path / "f").read_text(encoding="utf-8")
    assert "1541234" not in content.replace(" ", "")
    first, second, third = read_csv(tmp_path / "f")
    assert (first["phone"], first["note"], first["amount"]) == ("*******5678", "*******5678", "")
    assert (second["phone"], second["tags"]) == ("***hing", "*******5678|a")
    assert third["id"] == "mobile:*******5678"


def test_revealed_numbers_are_as_they_were_imported(tmp_path: Path) -> None:
    rows = [row(phone="15412345678", amount=15412345678.0, born=BORN, tags=["a", "b"])]
    written(tmp_path / "f", rows, FileFormat.CSV, reveal=True)
    assert read_csv(tmp_path / "f") == [
        {
            "id": "C1",
            "phone": "15412345678",
            "note": "",
            "amount": "15412345678",
            "born": "2000-01-01",
            "tags": "a|b",
        }
    ]


def test_times_are_the_workspaces_own(tmp_path: Path) -> None:
    rows = [row(born=BORN + timedelta(minutes=90)), row(id="C2", born=datetime(9999, 12, 31, 23))]  # noqa: DTZ001 - naive UTC
    written(tmp_path / "f", rows, FileFormat.CSV, reveal=False)
    assert [found["born"] for found in read_csv(tmp_path / "f")] == [
        "2000-01-01T01:30:00+08:00",
        "9999-12-31T23:00:00Z",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_no_text_is_a_formula_for_a_spreadsheet(tmp_path: Path, start: str) -> None:
    rows = [row(note=f"{start}cmd()", amount=-1.5, tags=[f"{start}x"])]
    written(tmp_path / "f", rows, FileFormat.CSV, reveal=True)
    (found,) = read_csv(tmp_path / "f")
    assert (found["note"], found["tags"]) == (f"'{start}cmd()", f"'{start}x")
    assert found["amount"] == "-1.5"


def test_parquet_keeps_types_and_says_that_times_are_utc(tmp_path: Path) -> None:
    rows = [row(phone="15412345678", amount=2.5, born=BORN, tags=["a", None]), row(id="C2")]
    assert written(tmp_path / "f", rows, FileFormat.PARQUET, reveal=False) == 2
    table = pq.read_table(tmp_path / "f")
    assert str(table.schema.field("born").type) == "timestamp[us, tz=UTC]"
    assert table["phone"].to_pylist() == ["*******5678", None]
    assert table["tags"].to_pylist() == [["a", None], None]


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
NUMBERISH = st.from_regex(r"\+?[0-9 -]{4,15}", fullmatch=True)


@settings(deadline=None)
@given(st.lists(st.tuples(CELL | NUMBERISH, CELL | NUMBERISH), min_size=1, max_size=10))
@example([("+430000", "+43 0000")])  # the shortest numbers of a country
def test_a_file_masks_what_a_preview_masks(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("masked") / "f"
    rows = [row(id=key, note=note) for key, note in cells]
    written(path, rows, FileFormat.PARQUET, reveal=False)
    for found, given_row in zip(pq.read_table(path).to_pylist(), rows, strict=True):
        preview = shown_customer(given_row, table=TABLE, default_region="CN")
        assert (found["id"], found["note"]) == (preview["id"], preview["note"])
