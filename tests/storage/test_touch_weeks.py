"""Weeks of touches are there before they are needed and go when no window looks back so far."""

from datetime import UTC, date, datetime, timedelta

from textwave.storage.ledger import Connection, Ledger, execute, value
from textwave.storage.touch_weeks import drop_touch_weeks, ensure_touch_weeks

WEDNESDAY = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def add(connection: Connection, at: datetime) -> None:
    await execute(
        connection,
        "INSERT INTO touch (workspace_id, mobile, signature_id, campaign_id, message_id,"
        " touched_at) VALUES (1, 8615412345678, 1, 1, 1, %s)",
        [at],
    )


async def weeks(connection: Connection) -> list[str]:
    found: list[str] = await value(
        connection,
        "SELECT array_agg(inhrelid::regclass::text ORDER BY 1) FROM pg_inherits"
        " WHERE inhparent = 'touch'::regclass",
    )
    return [name for name in found if name != "touch_other"]


async def test_this_week_and_two_more_are_made_once(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        await ensure_touch_weeks(connection, WEDNESDAY.date())
        await ensure_touch_weeks(connection, WEDNESDAY.date() + timedelta(days=1))
        assert await weeks(connection) == [
            "touch_2026_06_29", "touch_2026_07_06", "touch_2026_07_13",
        ]  # fmt: skip


async def test_a_week_whose_touches_came_before_it_was_made_stays_among_the_others(
    ledger: Ledger,
) -> None:
    async with ledger.transaction() as connection:
        await add(connection, WEDNESDAY)
        await ensure_touch_weeks(connection, WEDNESDAY.date())
        assert await weeks(connection) == ["touch_2026_07_06", "touch_2026_07_13"]
        assert await value(connection, "SELECT count(*) FROM touch") == 1


async def test_touches_are_kept_for_as_long_as_a_window_looks_back(ledger: Ledger) -> None:
    sunday = datetime(2026, 7, 5, 23, 59, tzinfo=UTC)
    async with ledger.transaction() as connection:
        await ensure_touch_weeks(connection, date(2026, 7, 1))
        await add(connection, sunday)
        await add(connection, sunday - timedelta(days=60))
        assert await drop_touch_weeks(connection, now=sunday + timedelta(days=30)) == []
        assert await value(connection, "SELECT count(*) FROM touch") == 1
        dropped = await drop_touch_weeks(connection, now=sunday + timedelta(days=31, minutes=1))
        assert dropped == ["touch_2026_06_29"]
        assert await value(connection, "SELECT count(*) FROM touch") == 0
