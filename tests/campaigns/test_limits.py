"""A campaign's window and the workspace's quiet hours together."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from textwave.campaigns.limits import check_opens, opens_at
from textwave.campaigns.timing import Window
from textwave.kit.refusal import InvalidValue
from textwave.limits.quiet import NEVER, Holiday, QuietTimes

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = QuietTimes(time(21), time(9))
EVENING = datetime(2026, 6, 1, 14, tzinfo=UTC)  # Monday 22:00 in Shanghai


def test_both_have_to_be_open() -> None:
    early = Window(time(8), time(10))
    assert opens_at(early, NIGHT, SHANGHAI, EVENING) == datetime(2026, 6, 2, 1, tzinfo=UTC)
    assert opens_at(None, QuietTimes(), SHANGHAI, EVENING) is None


def test_after_a_holiday_the_next_opening_of_the_window_is_waited_for() -> None:
    begins, ends = datetime(2026, 6, 2, 8), datetime(2026, 6, 2, 11)  # noqa: DTZ001 - local
    quiet = QuietTimes(time(21), time(9), (Holiday("off", begins, ends),))
    mornings = Window(time(8), time(10), days=(2, 4))
    assert opens_at(mornings, quiet, SHANGHAI, EVENING) == datetime(2026, 6, 4, 1, tzinfo=UTC)


def test_a_window_within_the_quiet_hours_is_refused() -> None:
    late = Window(time(22), time(8))
    assert opens_at(late, NIGHT, SHANGHAI, EVENING) == NEVER
    with pytest.raises(InvalidValue, match="21:00 to 09:00"):
        check_opens(late, NIGHT, SHANGHAI, EVENING)
    check_opens(Window(time(20), time(8)), NIGHT, SHANGHAI, EVENING)
    check_opens(None, NIGHT, SHANGHAI, EVENING)
