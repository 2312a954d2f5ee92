"""When the batches of a plan are due: within the sending window, spread over the given time."""

from datetime import datetime

from textwave.campaigns import schedule_store
from textwave.campaigns.brief import Brief
from textwave.campaigns.schedule_store import WaitingBatch
from textwave.campaigns.timing import due_times, opens_at
from textwave.storage.ledger import Connection


async def spread_batches(connection: Connection, brief: Brief, *, now: datetime) -> None:
    """Say when each waiting batch is due, counted from now; part of its caller's transaction.

    Batches that wait for something else (due at infinity) are left alone. Of several variants each
    is spread over the whole time.
    """
    if not brief.spread_minutes and opens_at(brief.window, brief.zone, now) is None:
        return
    batches = await schedule_store.waiting_batches(connection, brief)
    shares = _shares(batches)
    order = sorted(range(len(batches)), key=lambda place: shares[place])
    times = due_times(
        [shares[place] for place in order],
        start=now,
        spread_minutes=brief.spread_minutes,
        zone=brief.zone,
        window=brief.window,
    )
    numbers = [batches[place].number for place in order]
    await schedule_store.set_due(connection, brief, dict(zip(numbers, times, strict=True)))


def _shares(batches: list[WaitingBatch]) -> list[float]:
    """Return which share of its variant's messages goes before each batch."""
    totals: dict[int | None, int] = {}
    before: list[int] = []
    for batch in batches:
        before.append(totals.get(batch.variant, 0))
        totals[batch.variant] = before[-1] + batch.size
    return [count / totals[one.variant] for count, one in zip(before, batches, strict=True)]
