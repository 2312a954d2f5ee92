"""Windows, late starts and spreading, against clocks that are watched minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.campaigns.timing import (
    Decision,
    Due,
    LateRule,
    TimeUnfit,
    Window,
    check_start,
    check_window,
    due_times,
    late_start,
    opens_at,
    read_moment,
    spread_size,
)
from textwave.kit.refusal import InvalidValue

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AROUND = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)]
TIMES = st.one_of(
    st.times(), st.builds(time, st.integers(0, 3), st.sampled_from([0, 1, 30, 59]))
).map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
DAYS = st.lists(st.integers(1, 7), min_size=1, unique=True).map(lambda days: tuple(sorted(days)))
WINDOWS = st.builds(Window, TIMES, TIMES, DAYS)


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def open_minutes(window: Window, zone: ZoneInfo, begin: datetime, minutes: int) -> list[bool]:
    """Watch a wall clock: it opens and closes when it shows these times, or jumps over them.

    Clocks that go back show times again that were there: neither opens nor closes anything.
    """
    start = begin - 9 * DAY
    wall = furthest = start.astimezone(zone).replace(tzinfo=None)
    opened = False
    told: list[bool] = []
    for minute in range(9 * 1440 + minutes):
        wall = (start + minute * MINUTE).astimezone(zone).replace(tzinfo=None)
        if minute and wall > furthest:
            passed = [furthest + n * MINUTE for n in range(1, (wall - furthest) // MINUTE + 1)]
            for shown in passed:
                if opened and shown.time() == window.closes:
                    opened = False
                if shown.time() == window.opens and shown.isoweekday() in window.days:
                    opened = True
            furthest = wall
        told.append(opened)
    return told[9 * 1440 :]


@settings(max_examples=25, deadline=None)
@given(WINDOWS, st.sampled_from([BERLIN, NEW_YORK]), st.sampled_from(AROUND), st.integers(0, 1439))
def test_a_window_opens_and_closes_as_a_watched_clock_shows(
    window: Window, zone: ZoneInfo, day: date, minute: int
) -> None:
    begin = datetime.combine(day, time(), tzinfo=UTC) - DAY + minute * MINUTE
    told = open_minutes(window, zone, begin, 8 * 1440)
    expected = next(n for n, is_open in enumerate(told) if is_open)
    opening = opens_at(window, zone, begin)
    assert (opening or begin) == begin + expected * MINUTE
    assert (opening is None) == told[0]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    friday_night = Window(time(22), time(2), (5,))
    assert opens_at(friday_night, SHANGHAI, local("2026-12-05T01:59")) is None  # a Saturday
    assert opens_at(friday_night, SHANGHAI, local("2026-12-05T22:30")) == local("2026-12-11T22:00")


def test_days_without_times_are_open_from_midnight_to_midnight() -> None:
    window = check_window(None, None, [6, 7])
    assert opens_at(window, SHANGHAI, local("2026-12-05T00:00")) is None
    assert opens_at(window, SHANGHAI, local("2026-12-06T23:59")) is None
    assert opens_at(window, SHANGHAI, local("2026-12-07T00:00")) == local("2026-12-12T00:00")
    assert check_window(None, None, [1, 2, 3, 4, 5, 6, 7]) is None


@pytest.mark.parametrize(
    ("opens", "closes", "days", "problem"),
    [
        (time(9), time(9), (1,), "never opens: it opens and closes at the same time"),
        (time(9), None, (1,), "one end only"),
        (time(9), time(10), (), "it never opens"),
        (time(9), time(10), (0, 8), "none of 1"),
    ],
)
def test_a_window_that_never_opens_is_refused(
    opens: time, closes: time | None, days: tuple[int, ...], problem: str
) -> None:
    with pytest.raises(InvalidValue, match=problem):
        check_window(opens, closes, days)


def test_a_written_time_is_local_unless_it_has_an_offset() -> None:
    assert read_moment("2026-12-01T09:00", SHANGHAI) == datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert read_moment("2026-12-01T09:00+01:00", SHANGHAI) == datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tomorrow", "is no time"),
        ("2026-12-01", "has no time of day. Write 2026-12-01T09:00"),
        ("2026-03-29T02:30", r"does not exist in Europe/Berlin; .* 2026-03-29T03:00:00\+02:00"),
        ("2026-10-25T02:30", r"happens twice .*02:30:00\+02:00 or .*02:30:00\+01:00"),
        ("0001-01-01T00:00+14:00", "out of all calendars"),
    ],
)
def test_a_time_that_is_not_one_moment_is_refused_and_explained(text: str, problem: str) -> None:
    with pytest.raises(TimeUnfit, match=problem):
        read_moment(text, BERLIN)


def test_a_start_is_ahead_within_a_year_and_in_time_for_its_window() -> None:
    now, window = local("2026-11-30T12:00"), Window(time(9), time(21), (1, 2, 3, 4, 5))

    def check(text: str, late_minutes: int = 60) -> None:
        due = Due(local(text), late_minutes, window=window)
        check_start(text, due, zone=SHANGHAI, now=now)

    check("2026-12-01T08:30")
    with pytest.raises(TimeUnfit, match=r"is past: it is 2026-11-30 12:00 \(Asia/Shanghai\)"):
        check("2026-11-30T12:00")
    with pytest.raises(TimeUnfit, match="more than a year"):
        check("2027-12-02T12:00")
    with pytest.raises(TimeUnfit, match=r"opens next at 2026-12-07 09:00 \(Asia/Shanghai\)"):
        check("2026-12-04T21:00")


NIGHT = "2026-12-02T03:20"


@pytest.mark.parametrize(
    ("rule", "window", "decision", "at", "reason"),
    [
        (LateRule.GO, None, Decision.GO, None, "18 h 20 min late; it went on all the same"),
        (LateRule.CANCEL, None, Decision.CANCEL, None, "18 h 20 min late; it is cancelled"),
        (LateRule.WINDOW, None, Decision.WAIT, "2026-12-02T09:00", "same time of day"),
        (
            LateRule.WINDOW,
            Window(time(8), time(21)),
            Decision.WAIT,
            "2026-12-02T08:00",
            "waits for its sending window",
        ),
        (LateRule.WINDOW, Window(time(3), time(4)), Decision.GO, None, "window is open"),
    ],
)
def test_a_late_start_does_what_its_rule_says_and_says_so(
    rule: LateRule, window: Window | None, decision: Decision, at: str | None, reason: str
) -> None:
    due = Due(local("2026-12-01T09:00"), 60, rule, window)
    start = late_start(due, zone=SHANGHAI, now=local(NIGHT))
    assert (start.decision, start.at) == (decision, local(at) if at else None)
    assert reason in start.reason


def test_a_start_in_time_goes_without_a_word_and_one_too_early_waits() -> None:
    due = Due(local("2026-12-01T09:00"), 60, LateRule.CANCEL)
    in_time = late_start(due, zone=SHANGHAI, now=due.at + timedelta(minutes=60))
    assert (in_time.decision, in_time.reason) == (Decision.GO, "")
    early = late_start(due, zone=SHANGHAI, now=due.at - timedelta(minutes=1))
    assert (early.decision, early.at) == (Decision.WAIT, due.at)


@settings(max_examples=25, deadline=None)
@given(
    WINDOWS,
    st.sampled_from([BERLIN, NEW_YORK]),
    st.sampled_from(AROUND),
    st.integers(0, 1439),
    st.integers(1, 4 * 1440),
)
def test_spread_batches_are_due_after_as_many_open_minutes_as_their_share(
    window: Window, zone: ZoneInfo, day: date, minute: int, spread: int
) -> None:
    begin = datetime.combine(day, time(), tzinfo=UTC) - DAY + minute * MINUTE
    told = open_minutes(window, zone, begin, 35 * 1440) if spread < 120 else []
    shares = [n / spread for n in range(spread)]
    times = due_times(shares, start=begin, spread_minutes=spread, zone=zone, window=window)
    assert all(opens_at(window, zone, moment) is None for moment in times)
    if told and sum(told) >= spread:
        opened = [begin + n * MINUTE for n, is_open in enumerate(told) if is_open]
        tolerance = timedelta(milliseconds=1)
        pairs = zip(times, opened, strict=False)
        assert all(abs(found - expected) < tolerance for found, expected in pairs)


def test_without_a_window_batches_are_due_in_even_steps() -> None:
    start = local("2026-12-01T09:00")
    found = due_times([0, 0.25, 0.5, 0.75], start=start, spread_minutes=120, zone=SHANGHAI)
    assert found == [start + n * timedelta(minutes=30) for n in range(4)]


@pytest.mark.parametrize(
    ("messages", "minutes", "size"), [(600, 1, 100), (600, 60, 10), (600, 120, 5), (10, 600, 1)]
)
def test_what_is_spread_is_due_in_small_pieces(messages: int, minutes: int, size: int) -> None:
    assert spread_size(1000, messages=messages, spread_minutes=minutes) == size
