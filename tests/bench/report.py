"""How long the effect report of a big campaign takes, read as the web login.

The rows are written directly: every message sent, most of them delivered, some refused, silent or
in doubt, with the requests, batches and counters of such a campaign.
"""

import asyncio
import statistics
import time
from typing import Final

import psycopg

from tests.bench.measurement import Measurement, Place
from tests.bench.receipts import MONTH, send_campaign
from textwave.insights.operations import effect_report
from textwave.kit.ids import WorkspaceId, first_message_id
from textwave.storage.ledger import open_ledger

DEFAULT_ROWS: Final = 5_000_000
REQUEST_SIZE: Final = 100
BATCH_SIZE: Final = 2_000
READINGS: Final = 30


def measure(place: Place, rows: int | None) -> Measurement:
    """Read the report of so many messages; less is better, and there is no baseline."""
    count = rows or DEFAULT_ROWS
    send_campaign(place.urls.owner, count)
    _finish(place.urls.owner, count)
    readings = asyncio.run(_readings(place))
    detail = {
        "first_milliseconds": round(readings[0], 2),
        "slowest_milliseconds": round(max(readings[1:]), 2),
    }
    median = round(statistics.median(readings), 2)
    return Measurement("report", median, "ms", None, None, count, detail)


def _finish(owner_url: str, count: int) -> None:
    """Add what sending leaves behind, one request in a thousand in doubt."""
    first = first_message_id(MONTH.date())
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            f"""
            UPDATE campaign SET request_size = {REQUEST_SIZE}, planned_at = now();
            INSERT INTO request (campaign_id, number, workspace_id, batch_number, first_id, last_id,
                                 size, state, answered_at)
            SELECT 1, n, 1, n * {REQUEST_SIZE} / {BATCH_SIZE}, {first} + n * {REQUEST_SIZE},
                   {first} + n * {REQUEST_SIZE} + {REQUEST_SIZE - 1}, {REQUEST_SIZE},
                   CASE n % 1000 WHEN 500 THEN 'in doubt' ELSE 'accepted' END, now()
            FROM generate_series(0::bigint, {count // REQUEST_SIZE - 1}) AS n;
            INSERT INTO batch (campaign_id, number, workspace_id, first_id, last_id, state)
            SELECT 1, n, 1, {first} + n * {BATCH_SIZE},
                   {first} + n * {BATCH_SIZE} + {BATCH_SIZE - 1},
                   CASE WHEN n % 500 = 250 THEN 'prepared' ELSE 'done' END
            FROM generate_series(0::bigint, {count // BATCH_SIZE - 1}) AS n;
            UPDATE message SET state = CASE WHEN id % 20 = 0 THEN 'failed' ELSE 'delivered' END,
                cause = CASE WHEN id % 20 = 0 THEN 'number not in service' END, finished_at = now()
            WHERE id % 4 = 0;
            UPDATE campaign_tally SET audience = {count}, submitted = {count}, parts = {count},
                delivered = {count // 5}, failed = {count // 20}, clicks = 10, replies = 10;
            INSERT INTO campaign_drop_tally (campaign_id, workspace_id, reason, count)
            VALUES (1, 1, 'no number', 7), (1, 1, 'opted out', 9);
            INSERT INTO campaign_failure_tally (campaign_id, workspace_id, cause, count)
            VALUES (1, 1, 'number not in service', {count // 20});
            INSERT INTO platform_workspace (platform_id, workspace_id) VALUES (1, 1);
            """.encode()
        )
        connection.execute("VACUUM ANALYZE")


async def _readings(place: Place) -> list[float]:
    """Return the milliseconds of each reading."""
    workspace_id = WorkspaceId(1)
    readings: list[float] = []
    async with open_ledger(place.urls.web) as ledger:
        for _ in range(READINGS):
            began = time.perf_counter()
            async with ledger.transaction(workspace_id) as connection:
                report = await effect_report(connection, workspace_id=workspace_id, name="c")
            readings.append((time.perf_counter() - began) * 1_000)
            open_messages = report.waiting + report.in_doubt
            if report.messages != report.delivered + report.failed + open_messages:
                raise AssertionError(report)
    return readings
