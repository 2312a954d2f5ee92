"""Jobs exist exactly when the change that needs them is committed."""

import pytest

from textwave.storage.ledger import Ledger, value
from textwave.storage.queue import Job, defer

PLAIN = Job("a.task", "queue", {"n": 1})
ONE_AT_MOST = Job("merge", "queue", {}, queueing_lock="merge")


async def jobs(ledger: Ledger) -> int:
    async with ledger.transaction() as connection:
        found: int = await value(connection, "SELECT count(*) FROM procrastinate_jobs")
        return found


async def test_a_job_of_a_transaction_that_fails_is_not_there(ledger: Ledger) -> None:
    async def change() -> None:
        async with ledger.transaction() as connection:
            await defer(connection, PLAIN)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change()
    assert await jobs(ledger) == 0


async def test_many_jobs_are_written_at_once(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        assert await defer(connection, *[PLAIN] * 2_500) == 2_500
    assert await jobs(ledger) == 2_500


async def test_at_most_one_job_waits_under_a_queueing_lock(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        assert await defer(connection, ONE_AT_MOST, PLAIN, ONE_AT_MOST) == 2
    async with ledger.transaction() as connection:
        assert await defer(connection, ONE_AT_MOST) == 0
    assert await jobs(ledger) == 2
