"""How long months of messages stay in the ledger."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from textwave.insights.retention import due_months, oldest_kept

FEBRUARY = date(2026, 2, 1)


def test_the_present_month_and_thirteen_before_it_stay() -> None:
    assert oldest_kept(date(2026, 11, 22), months=13) == date(2025, 10, 1)


def test_zero_months_keep_everything() -> None:
    assert due_months([date(2020, 1, 1)], today=date(2026, 1, 1), months=0) == []


def test_older_months_go_the_oldest_first() -> None:
    known = [FEBRUARY, date(2025, 12, 1), date(2025, 11, 1), date(2026, 1, 1)]
    due = due_months(known, today=date(2026, 2, 28), months=1)
    assert due == [date(2025, 11, 1), date(2025, 12, 1)]


@given(st.dates(date(2021, 1, 1), date(2100, 12, 31)), st.integers(1, 12))
def test_as_many_months_stay_as_a_calendar_says(today: date, months: int) -> None:
    first = today.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    assert oldest_kept(today, months=months) == first
