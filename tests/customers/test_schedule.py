from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.customers.schedule import RefreshUnfit, check_refresh, next_refresh, next_time

NEW_YORK = ZoneInfo("America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks change by half an hour


def runs(cron: str, begin: datetime, zone: ZoneInfo, count: int) -> list[str]:
    """The local times of the next runs."""
    moments: list[str] = []
    after = begin
    for _ in range(count):
        after = next_time(cron, after=after, zone=zone)
        moments.append(f"{after.astimezone(zone):%m-%d %H:%M %z}")
    return moments


def test_a_cron_runs_in_the_workspace_s_local_time() -> None:
    before_six = datetime(2026, 3, 9, 21, 59, tzinfo=UTC)
    at_six = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)

    assert next_time("0 6 * * *", after=before_six, zone=SHANGHAI) == at_six
    assert next_time("0 6 * * *", after=at_six, zone=SHANGHAI) == at_six + timedelta(days=1)


def test_a_skipped_local_time_runs_at_the_change_of_the_clock() -> None:
    begin = datetime(2026, 3, 8, 5, tzinfo=UTC)

    assert runs("30 2 * * *", begin, NEW_YORK, 2) == ["03-08 03:00 -0400", "03-09 02:30 -0400"]


def test_a_doubled_local_time_runs_once() -> None:
    begin = datetime(2026, 11, 1, 4, tzinfo=UTC)

    assert runs("30 1 * * *", begin, NEW_YORK, 2) == ["11-01 01:30 -0400", "11-02 01:30 -0500"]


def test_a_change_by_half_an_hour_is_a_change_too() -> None:
    begin = datetime(2026, 10, 3, 12, tzinfo=UTC)

    assert runs("15 2 * * *", begin, LORD_HOWE, 2) == ["10-04 02:30 +1100", "10-05 02:15 +1100"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        (" After_Import ", "after_import"),
        ("0  6 * * *", "0 6 * * *"),
        ("30 8 * * MON", "30 8 * * mon"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_a_refresh_is_kept_in_one_spelling(given: str, kept: str) -> None:
    assert check_refresh(given) == kept


@pytest.mark.parametrize(
    "given",
    ["daily", "@daily", "0 6 * *", "0 6 * * * *", "60 * * * *", "0 0 30 2 *", "r * * * *"],
)
def test_what_is_no_time_is_refused_with_what_would_be(given: str) -> None:
    with pytest.raises(RefreshUnfit, match="such as “0 6"):
        check_refresh(given)


@pytest.mark.parametrize("given", ["* * * * *", "*/4 * * * *", "0,58 * * * *", "1,2 3 * * *"])
def test_more_often_than_every_five_minutes_is_refused(given: str) -> None:
    with pytest.raises(RefreshUnfit, match="more often than every 5 minutes"):
        check_refresh(given)


def test_by_hand_and_after_an_import_have_no_next_time() -> None:
    now = datetime(2026, 3, 9, tzinfo=UTC)

    assert next_refresh("", after=now, zone=SHANGHAI) is None
    assert next_refresh("after_import", after=now, zone=SHANGHAI) is None


@settings(deadline=None)
@given(
    given=st.one_of(
        st.text(max_size=120),
        st.lists(st.sampled_from(["*", "*/7", "1-5", "0", "99999999999", "mon", "-1", "7"]),
                 min_size=5, max_size=5).map(" ".join),
    ),
    hours=st.integers(0, 24 * 365 * 3),
    zone=st.sampled_from([NEW_YORK, SHANGHAI, LORD_HOWE]),
)  # fmt: skip
def test_whatever_is_taken_runs_later_than_now(given: str, hours: int, zone: ZoneInfo) -> None:
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    try:
        refresh = check_refresh(given)
    except RefreshUnfit:
        return
    due = next_refresh(refresh, after=now, zone=zone)
    assert due is None or due > now
