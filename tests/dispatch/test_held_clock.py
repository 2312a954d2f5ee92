"""Somebody who hangs while holding what a workspace's campaigns wait for does not stop them."""

from datetime import UTC, datetime

import psycopg
import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.dispatch.test_limits import limit, planned, received
from tests.stage import people
from textwave.kit.clock import FixedClock
from textwave.limits import touch_store
from textwave.storage.ledger import may_stand_still, open_ledger, value

NOON = datetime(2031, 6, 1, 4, tzinfo=UTC)


async def test_a_batch_goes_on_when_whoever_has_the_clock_hangs(show: StartShow) -> None:
    playing = await show()
    await planned(playing, people(5), FixedClock(NOON))
    await limit(playing, per_day=1)
    with pytest.raises(psycopg.Error, match="idle-in-transaction"):
        await hang(playing)
    assert len(await received(playing)) == 5


async def hang(playing: Show) -> None:
    """Hold the clock and do nothing while the campaign is served."""
    async with (
        open_ledger(playing.ledger.url, idle_seconds=0.3) as hanging,
        hanging.transaction() as connection,
    ):
        await touch_store.take_clock(connection, playing.workspace_id, now=NOON)
        await playing.serve()
        await value(connection, "SELECT 1")


async def test_a_batch_that_waits_for_the_clock_too_long_is_put_off_and_says_why(
    show: StartShow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touch_store, "_WAIT_SECONDS", 0.1)
    playing = await show()
    await planned(playing, people(5), FixedClock(NOON))
    await limit(playing, per_day=1)
    async with playing.ledger.transaction() as connection:
        await touch_store.take_clock(connection, playing.workspace_id, now=NOON)
        await playing.serve()
    trouble = await playing.value("SELECT trouble FROM batch WHERE held_by IS NULL")
    assert "fatigue rules" in trouble
    await playing.pass_time()
    await playing.send()
    assert len(await received(playing)) == 5


async def test_a_job_that_waits_for_the_warehouse_may_stand_still(show: StartShow) -> None:
    playing = await show()
    async with open_ledger(playing.ledger.url, idle_seconds=0.2) as patient:
        async with patient.transaction() as connection:
            await may_stand_still(connection)
            shown = "SELECT current_setting('idle_in_transaction_session_timeout')"
            assert await value(connection, shown) == "0"
        async with patient.transaction() as connection:
            assert await value(connection, shown) == "200ms"
