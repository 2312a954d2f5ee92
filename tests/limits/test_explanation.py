"""Which window of which rule is full, and until when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from textwave.limits.explanation import CountedTouch, CountingRule, full_windows
from textwave.limits.fatigue import WINDOW_SECONDS, Limits

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def touch(minutes_ago: float, signature: str = "Shop") -> CountedTouch:
    return CountedTouch(1, NOW - timedelta(minutes=minutes_ago), "Spring", signature, "gateway")


def rule(name: str = "everybody", *signatures: str, **limits: int) -> CountingRule:
    counted = frozenset(("gateway", one) for one in signatures) if signatures else None
    return CountingRule(name, Limits(**limits), NOW - timedelta(days=1), counted)


def blocked(*rules: CountingRule, touches: list[CountedTouch], at: datetime = NOW) -> list[str]:
    full = full_windows(rules, touches, platform="gateway", signature="Shop", moment=at)
    return [f"{one.rule} {one.window}" for one in full]


def test_a_rule_of_other_signatures_neither_counts_nor_blocks() -> None:
    others = rule("theirs", "Other", per_day=1)
    assert blocked(others, touches=[touch(5), touch(5, "Other")]) == []
    ours = rule("ours", "Shop", per_day=2)
    assert blocked(ours, touches=[touch(5), touch(6, "Other")]) == []


def test_a_full_window_says_what_fills_it_and_when_the_next_is_allowed() -> None:
    touches = [touch(30), touch(90), touch(60 * 23)]
    [full] = full_windows(
        [rule(per_day=2)], touches, platform="gateway", signature="Shop", moment=NOW
    )
    assert full.touches == tuple(touches)
    # the second newest leaves the window then, and one is left in it
    assert full.until == touches[1].touched_at + timedelta(hours=24)


def test_a_rule_that_was_changed_after_the_moment_says_so() -> None:
    changed = CountingRule("new", Limits(per_day=1), NOW, None)
    moment = NOW - timedelta(hours=1)
    [full] = full_windows(
        [changed], [touch(70)], platform="gateway", signature="Shop", moment=moment
    )
    assert full.rule_changed_since


@given(
    minutes=st.lists(st.integers(0, 60 * 24 * 40), max_size=12),
    limit=st.integers(1, 4),
    window=st.sampled_from(list(WINDOW_SECONDS)),
)
def test_until_is_the_first_moment_at_which_the_window_has_room(
    minutes: list[int], limit: int, window: str
) -> None:
    touches = [touch(ago) for ago in minutes]
    length = timedelta(seconds=WINDOW_SECONDS[window])

    def count(moment: datetime) -> int:
        return sum(moment - length < one.touched_at <= moment for one in touches)

    full = full_windows(
        [rule("everybody", **{window: limit})],
        touches,
        platform="gateway",
        signature="Shop",
        moment=NOW,
    )
    assert bool(full) == (count(NOW) >= limit)
    for one in full:
        assert count(one.until) < limit
        assert count(one.until - timedelta(microseconds=1)) >= limit
