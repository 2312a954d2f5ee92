"""Any table that Python's csv module writes is staged as that module reads it back."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import duckdb
import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.layout import decide_layout
from textwave.customers.request import ImportRequest
from textwave.customers.staging import kept_rows, stage
from textwave.customers.upload import FileUnreadable, examine
from textwave.kit.ids import WorkspaceId
from textwave.storage.compute import DuckDbEngine
from textwave.storage.warehouse import Lake

PIECES = (
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\r",
    " ",
    ";",
    "\t",
    "\\",
    "'",
    "#",
    "上海",
    "😀",
    "e\u0301",
)
values = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)
tables = st.lists(st.tuples(values, values), min_size=1, max_size=30)
# with line feeds alone as line ends, the module leaves a carriage return unquoted, which is no CSV
endings = st.sampled_from(
    [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]
)
delimiters = st.sampled_from([",", ";", "\t"])


@pytest.fixture(scope="module")
def memory() -> Iterator[Lake]:
    """A connection without a warehouse: staging needs none."""
    connection = duckdb.connect()
    backend = ibis.duckdb.from_connection(connection)
    yield Lake(backend, WorkspaceId(1), DuckDbEngine().begin(backend, "workspace_1"))
    connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


def staged(memory: Lake, folder: Path, text: str, delimiter: str) -> list[tuple[str, ...]]:
    path = folder / "upload"
    path.write_bytes(text.encode())
    types = dict.fromkeys("ab", ColumnType.TEXT)
    request = ImportRequest(str(path), "x.csv", "t", TableKind.CUSTOMERS, types=types)
    with examine(path, "x.csv", encoding=None, delimiter=delimiter, seen=lambda _: None) as upload:
        layout = decide_layout(
            request, upload.header, upload.sample, existing=None, delimiter=delimiter
        )
        rows = stage(memory, upload, layout, folder / "staged", region="CN")
        assert (rows.misshapen, rows.layout) == (0, layout)
        query = kept_rows(rows, {}, customers=False, doubles=False)
        cells = ", ".join(f"coalesce({name}, '')" for name in ("id", "a", "b"))
        return memory.duckdb.execute(f"SELECT {cells} FROM ({query}) ORDER BY id").fetchall()


@given(table=tables, ending=endings, delimiter=delimiters)
@settings(max_examples=25, deadline=None)
def test_a_written_table_is_staged_as_it_reads(
    memory: Lake,
    folder: Path,
    table: list[tuple[str, str]],
    ending: tuple[str, Literal[0, 1]],
    delimiter: str,
) -> None:
    rows = [(f"k{number:03}", *cells) for number, cells in enumerate(table)]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=ending[0], quoting=ending[1])
    writer.writerows([("id", "a", "b"), *rows])
    text = written.getvalue()
    read_back = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    assert staged(memory, folder, text, delimiter) == [tuple(row) for row in read_back]


@given(value=values, place=st.integers(0, 12))
@settings(max_examples=10, deadline=None)
def test_a_nul_anywhere_is_refused(memory: Lake, folder: Path, value: str, place: int) -> None:
    cell = (value[:place] + "\0" + value[place:]).replace('"', '""')
    with pytest.raises(FileUnreadable, match="NUL byte"):
        staged(memory, folder, f'id,a,b\nk,"{cell}",x\n', ",")
