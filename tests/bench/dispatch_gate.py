"""How many marketing messages a second one worker process sends with every limit at its gate.

A fatigue rule over all signatures counts each person's messages of five windows; ten million
touches of the last 30 days lie there, written in no order of time. The limits are wide, so that
everybody passes: what is measured is counting and writing, not dropping.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.bench.dispatch import measured
from tests.bench.measurement import Measurement, Place
from tests.stage import SHANGHAI, Stage
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import execute
from textwave.storage.touch_weeks import ensure_touch_weeks

DEFAULT_ROWS: Final = 300_000
TOUCHES: Final = 10_000_000
TOUCHES_A_PERSON: Final = 40
DAYS: Final = 30
RULE: Final = """
    INSERT INTO fatigue_rule (workspace_id, name, is_global, per_minute, per_hour, per_day,
                              per_week, per_month)
    VALUES (%(workspace)s, 'everybody', true, 1000, 1000, 1000, 1000, 1000)"""
EARLIER: Final = """
    INSERT INTO touch (workspace_id, mobile, signature_id, campaign_id, message_id, touched_at)
    SELECT %(workspace)s, %(first)s + ((i %% %(people)s)::bigint * 7919) %% 999999937,
           %(signature)s, 0, -i, now() - random() * make_interval(days => %(days)s)
    FROM generate_series(1, %(touches)s) AS i"""


def measure(place: Place, rows: int | None) -> Measurement:
    """Send a promotional campaign of so many messages; more is better."""
    return measured("dispatch", place, rows or DEFAULT_ROWS, MessageType.promotional, _limit)


async def _limit(stage: Stage, count: int) -> None:
    today = datetime.now(UTC).date()
    known = {
        "workspace": stage.founding.workspace_id,
        "signature": stage.ids["signature"],
        "first": SHANGHAI,
        "people": count,
        "days": DAYS,
        "touches": min(TOUCHES, count * TOUCHES_A_PERSON),
    }
    async with stage.ledger.transaction() as connection:
        for days in range(0, DAYS + 7, 7):
            await ensure_touch_weeks(connection, today - timedelta(days=days))
        await execute(connection, RULE, known)
        await execute(connection, EARLIER, known)
    async with stage.ledger.transaction() as connection:
        await connection.execute("ANALYZE touch")
