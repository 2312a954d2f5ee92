# ruff: noqa: DTZ001 - times in the warehouse are naive, local before and UTC after
"""Times of a file in UTC: the SQL against `zoneinfo`, around clock changes and far from them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from textwave.customers.times import has_offset, in_utc, periods_between, read_time

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
ZONES = (BERLIN, SHANGHAI, ZoneInfo("Africa/Casablanca"), ZoneInfo("Pacific/Apia"))
AROUND_CHANGES = [
    day + timedelta(minutes=minutes)
    for day in (datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(1988, 4, 17))
    for minutes in range(0, 5 * 60, 30)
]
moments = st.one_of(
    st.sampled_from(AROUND_CHANGES),
    st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def converted(
    connection: duckdb.DuckDBPyConnection, zone: ZoneInfo, texts: list[str]
) -> list[datetime]:
    """Read texts as an import does: all together, with the periods that their span needs."""
    rows = ", ".join(f"({place}, '{text}')" for place, text in enumerate(texts))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE read AS SELECT place, z, {read_time('text', 'z')} AS time "
        f"FROM (SELECT *, {has_offset('text')} AS z FROM (VALUES {rows}) t(place, text))"
    )
    span = connection.execute("SELECT min(time), max(time) FROM read").fetchone()
    assert span is not None
    utc = in_utc("time", "z", periods_between(zone, *span))
    return [
        row[0] for row in connection.execute(f"SELECT {utc} FROM read ORDER BY place").fetchall()
    ]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(local=st.lists(moments, min_size=1, max_size=40))
@example(local=AROUND_CHANGES)
@settings(max_examples=15, deadline=None)
def test_local_times_become_utc_as_zoneinfo_says(
    connection: duckdb.DuckDBPyConnection, zone: ZoneInfo, local: list[datetime]
) -> None:
    expected = [
        time.replace(tzinfo=zone, fold=0).astimezone(UTC).replace(tzinfo=None) for time in local
    ]
    assert converted(connection, zone, [time.isoformat(" ") for time in local]) == expected


def test_clock_changes_in_berlin(connection: duckdb.DuckDBPyConnection) -> None:
    texts = ["2026-03-29 01:59:59", "2026-03-29 02:30", "2026-03-29 03:00", "2026-10-25 02:30"]
    assert converted(connection, BERLIN, texts) == [
        datetime(2026, 3, 29, 0, 59, 59),
        datetime(2026, 3, 29, 1, 30),  # there was no 2:30: half an hour after the change
        datetime(2026, 3, 29, 1),
        datetime(2026, 10, 25, 0, 30),  # the first of the two
    ]


def test_a_written_offset_wins_over_the_zone(connection: duckdb.DuckDBPyConnection) -> None:
    texts = ["2026-03-01T08:00:00+02:00", "2026-03-01 08:00:00Z", "2026-03-01 08:00:00-05"]
    assert converted(connection, SHANGHAI, [*texts, "2026-03-01"]) == [
        datetime(2026, 3, 1, 6),
        datetime(2026, 3, 1, 8),
        datetime(2026, 3, 1, 13),
        datetime(2026, 2, 28, 16),
    ]


def test_times_that_stand_for_never_stay(connection: duckdb.DuckDBPyConnection) -> None:
    texts = ["0001-01-01", "2026-03-01", "9999-12-31 23:59:59"]
    rows = ", ".join(f"(TIMESTAMP '{text}')" for text in texts)
    utc = in_utc("t", "false", periods_between(SHANGHAI, *[datetime(2026, 3, 1)] * 2))
    found = connection.execute(f"SELECT ({utc})::VARCHAR FROM (VALUES {rows}) v(t)").fetchall()
    assert [row[0] for row in found] == [
        "0001-01-01 00:00:00",
        "2026-02-28 16:00:00",
        "9999-12-31 23:59:59",
    ]
