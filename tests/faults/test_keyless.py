"""kill -9 over a platform that knows no idempotency keys: nobody gets anything twice.

What left and was not answered before the kill is in doubt: it is listed, and settled by its
receipts, which come all the same.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.faults.play import CALM, begin, ended, ending, report_of, templates, until
from tests.faults.theatre import Workers, sandbox
from tests.stage import Stage
from textwave.dispatch.doubt import SettledAs
from textwave.dispatch.doubt_operations import settle_campaign
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import execute, value

MESSAGES = min(int(os.environ.get("MESSAGES", "1500")), 50_000)
KILLS = min(int(os.environ.get("KILLS", "3")), 30)
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)

pytestmark = pytest.mark.slow


async def test_nothing_is_sent_twice_and_receipts_settle_what_is_in_doubt(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    with sandbox(
        tmp_path, templates_file=templates(tmp_path), idempotency=False, answer_milliseconds=30.0,
        unknown_after_accept=0.05, **CALM,
    ) as witness:  # fmt: skip
        rate = max(200, MESSAGES // (KILLS * 3))
        campaign_id = await begin(
            stage, witness.url, MESSAGES, pulls=True, max_batch=20, rate_per_second=rate
        )
        async with stage.ledger.transaction() as connection:
            await execute(connection, NO_KEYS)
        workers = Workers(tmp_path, urls, SEED)

        async def settled_by_receipts() -> bool:
            report, received = await report_of(stage), witness.counts()["distinct"]
            never_came = report.in_doubt == MESSAGES - received
            return report.planned and report.waiting == 0 and never_came

        limit = 120 + KILLS * 10 + MESSAGES / 100
        settled = await workers.kill_until(
            settled_by_receipts, kills=KILLS, pauses=(1.0, 4.0), limit=limit
        )
        said = f"seed {SEED}, {workers.kills} kills, {await report_of(stage)}, {witness.counts()}"
        assert settled, said
        if (await report_of(stage)).in_doubt:
            # what left and never arrived has no receipt: a person says so
            await say_not_sent(stage)
        workers.start()
        await until(lambda: ended(stage), said, 60)
        workers.kill()
        end = await ending(stage, campaign_id, witness)
        async with stage.ledger.transaction() as connection:
            doubted = await value(connection, EVER_IN_DOUBT)
    assert end.witnessed["twice"] == 0, said
    assert end.report.audience == MESSAGES == end.report.messages, said
    assert end.report.messages == end.report.delivered + end.report.failed, said
    assert (end.counted.delivered, end.counted.failed) == (
        end.report.delivered, end.report.failed), said  # fmt: skip
    assert end.report.delivered == end.witnessed["statuses"]["DELIVERED"], said
    assert (end.report.in_doubt, doubted > 0) == (0, True), said


async def say_not_sent(stage: Stage) -> None:
    async with stage.ledger.transaction() as connection:
        await settle_campaign(
            connection,
            workspace_id=stage.founding.workspace_id,
            actor="test",
            campaign="Spring",
            settled_as=SettledAs.NOT_SENT,
        )


NO_KEYS = "UPDATE platform SET capabilities = array_remove(capabilities, 'idempotency')"
EVER_IN_DOUBT = "SELECT count(*) FROM request WHERE outcome = 'unknown'"
