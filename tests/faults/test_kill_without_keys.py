"""kill -9 over a gateway without keys: nothing twice; what is in doubt is listed and settled.

Requests that the gateway took are settled by their receipts. Those whose worker was killed before
they left stay in doubt, because nobody here can know; a person who asks the gateway settles them.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.faults.play import CALM, begin, report_of, templates
from tests.faults.theatre import Workers, sandbox
from tests.stage import Stage
from textwave.dispatch.doubt import SettledAs
from textwave.dispatch.doubt_operations import doubts, end_all_doubts, settle_campaign
from textwave.insights.store import recount
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import execute

MESSAGES = int(os.environ.get("MESSAGES", "2000"))
KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)
LIMIT_SECONDS = 300.0 + KILLS * 10 + MESSAGES / 1000

pytestmark = pytest.mark.slow


async def test_kills_and_cuts_send_nothing_twice_and_all_doubts_are_settled(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    workspace_id = stage.founding.workspace_id
    trouble = {"idempotency": False, "unknown_after_accept": 0.05, "throttled": 0.05}
    with sandbox(
        tmp_path, templates_file=templates(tmp_path), push=False, **(CALM | trouble)
    ) as witness:
        rate = max(500, MESSAGES // KILLS)
        campaign_id = await begin(
            stage, witness.url, MESSAGES, pulls=True, max_batch=50, rate_per_second=rate
        )
        async with stage.ledger.transaction() as connection:
            await execute(connection, "UPDATE platform SET capabilities = '{variables}'")

        async def done() -> bool:
            report = await report_of(stage)
            final = report.delivered + report.failed
            received = witness.counts()["distinct"]
            accounted = report.messages == MESSAGES == final + report.in_doubt
            return accounted and final == report.submitted == received

        workers = Workers(tmp_path, urls, SEED)
        ended = await workers.kill_until(done, kills=KILLS, pauses=(0.3, 6.0), limit=LIMIT_SECONDS)
        counts = witness.counts()
    report = await report_of(stage)
    said = f"seed {SEED}, {workers.kills} kills, {counts['cut_after_accept']} cut, {report}"
    assert ended, said
    assert counts["twice"] == 0, said
    assert report.submitted == counts["distinct"] == MESSAGES - report.in_doubt, said
    async with stage.ledger.transaction() as connection:
        listed = await doubts(connection, workspace_id, limit=1_000)
        assert sum(case.unsettled for case in listed) == report.in_doubt, said
        assert all(case.delivered + case.failed == 0 for case in listed), said
        if listed:
            await settle_campaign(
                connection,
                workspace_id=workspace_id,
                actor="wang",
                campaign="Spring",
                settled_as=SettledAs.NOT_SENT,
            )
    await end_all_doubts(stage.ledger, now=stage.clock.now(), in_doubt_hours=72)
    settled = await report_of(stage)
    assert (settled.state, settled.in_doubt, settled.waiting) == ("completed", 0, 0), said
    assert settled.failures.get("not sent", 0) == report.in_doubt, said
    async with stage.ledger.transaction() as connection:
        counted = await recount(connection, campaign_id)
    assert (counted.messages, counted.delivered, counted.failed, counted.in_doubt) == (
        settled.messages, settled.delivered, settled.failed, 0)  # fmt: skip
