"""Numbers of a file, read in sets, against the reading of one number."""

from collections.abc import Iterator

import duckdb
import ibis
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textwave.customers.numbers import plain_mainland, read_numbers
from textwave.kit.ids import WorkspaceId
from textwave.kit.mobile import read_mobile
from textwave.storage.compute import DuckDbEngine
from textwave.storage.warehouse import Lake

MARKS = st.sampled_from(["", " ", "-", "\u3000", "\u200b", "(", ")", ".", "/", "x"])
BEGINNINGS = st.sampled_from(
    [
        "",
        "+",
        "00",
        "0",
        "86",
        "+86",
        "0086",
        "１５４",
        "01",
        "010",
        "021",
        "179",
        "12",
        "1790",
        "8",
    ]
)
numbers = st.builds(
    lambda beginning, mark, digits, place: beginning + digits[:place] + mark + digits[place:],
    BEGINNINGS,
    MARKS,
    st.from_regex(r"[0-9]{2,14}", fullmatch=True)
    | st.from_regex(r"1(54|64|69|79|94)[0-9]{8}", fullmatch=True),
    st.integers(0, 10),
)
texts = numbers | st.text(max_size=45).filter(lambda text: "\0" not in text)
KNOWN = [
    *("15412345678", "+86 154-1234-5678", "008615412345678", "１５４12345678", "015412345678"),
    *("+44 7700 900123", "00447700900123", "+1 555 0100", "02112345678", "010-12345678", "12345"),
    *(
        "+15412345678",
        "8615412345678",
        "86154123",
        " ",
        "",
        "1" * 41,
        "154.1234.5678",
        "+44.7700/900123",
    ),
]


@pytest.fixture(scope="module")
def memory() -> Iterator[Lake]:
    """A connection without a warehouse: temporary tables need none."""
    connection = duckdb.connect()
    backend = ibis.duckdb.from_connection(connection)
    yield Lake(backend, WorkspaceId(1), DuckDbEngine().begin(backend, "workspace_1"))
    connection.close()


@pytest.mark.parametrize("region", ["CN", "GB", "US"])
@given(written=st.lists(texts, min_size=1, max_size=60))
@example(written=KNOWN)
@settings(max_examples=25, deadline=None)
def test_a_file_is_read_as_one_number_after_the_other(
    memory: Lake, region: str, written: list[str]
) -> None:
    rows = ", ".join("('{}')".format(text.replace("'", "''")) for text in written)
    values = f"(VALUES {rows}) v(written)"
    left = f"SELECT written FROM {values} WHERE {plain_mainland('written', region)} IS NULL"
    read_numbers(memory, left, region=region)
    found = memory.duckdb.execute(
        f"SELECT v.written, coalesce({plain_mainland('v.written', region)}, n.mobile) "
        f"FROM {values} LEFT JOIN read_number n ON n.written = v.written"
    ).fetchall()
    assert sorted(text for text, _ in found) == sorted(written)
    assert dict(found) == {text: read_mobile(text, region) for text in written}
