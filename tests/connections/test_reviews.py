from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.connections.reviews import ApplicationTurn, Pace, next_turn, pause_before

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@settings(deadline=None)
@given(
    waits=st.lists(st.integers(0, 30_000), min_size=1, max_size=60),
    per_day=st.integers(1, 7),
    apart=st.integers(0, 4_000),
)
def test_turns_keep_the_pace_and_none_waits_longer_than_it_must(
    waits: list[int], per_day: int, apart: int
) -> None:
    pace = Pace(per_day, apart, CHINA)
    now, last = NOW, None
    given_at: list[datetime] = []
    for seconds in waits:
        now += timedelta(seconds=seconds)
        last = next_turn(pace, last, now)
        assert last.last_at == earliest(pace, given_at, now)
        given_at.append(last.last_at)
    days = [at.astimezone(CHINA).date() for at in given_at]
    assert max(map(days.count, days)) <= per_day


def earliest(pace: Pace, given_at: list[datetime], now: datetime) -> datetime:
    """Look at every turn given so far, one by one."""
    at = max([now, *(turn + timedelta(seconds=pace.seconds_apart) for turn in given_at)])
    while sum(
        turn.astimezone(CHINA).date() == at.astimezone(CHINA).date() for turn in given_at
    ) >= (pace.per_day):
        tomorrow = at.astimezone(CHINA).date() + timedelta(days=1)
        at = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=CHINA)
    return at


def test_the_hundred_and_first_of_a_day_goes_at_midnight_of_the_platform() -> None:
    pace = Pace(100, 30, CHINA)
    evening = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
    last = ApplicationTurn(evening, evening.astimezone(CHINA).date(), 100)
    assert next_turn(pace, last, evening).last_at == datetime(2026, 3, 2, tzinfo=CHINA)


def test_pauses_grow_to_five_minutes() -> None:
    pauses = [pause_before(attempt).total_seconds() for attempt in (0, 1, 8, 9, 99)]
    assert pauses == [1, 2, 256, 300, 300]
