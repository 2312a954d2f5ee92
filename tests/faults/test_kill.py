"""kill -9 at random moments of a campaign: nothing lost, nothing twice, everybody accounted for.

`make faults` does it a hundred times over 200,000 messages; here it is done a few times over fewer.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.faults.theatre import Workers, sandbox
from tests.stage import Stage, people
from textwave.insights.operations import effect_report
from textwave.insights.store import recount
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import execute, value

MESSAGES = int(os.environ.get("MESSAGES", "3000"))
KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)
LIMIT_SECONDS = 300.0 + KILLS * 10 + MESSAGES / 1000

pytestmark = pytest.mark.slow


async def test_a_campaign_survives_kill_9_at_any_moment(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    trouble = {"unknown_after_accept": 0.05, "throttled": 0.05, "error_500": 0.02}
    calm = {"push": False, "click_rate": 0.0, "answer_milliseconds": 5.0}
    with sandbox(
        tmp_path, templates_file=_templates(tmp_path), receipt_seconds=(0.0, 1.0), **calm, **trouble
    ) as witness:
        stage.platform_url = witness.url
        # slow enough for the kills to fall into the sending, too
        rate = max(500, MESSAGES // KILLS)
        await stage.set(people(MESSAGES), max_batch=50, rate_per_second=rate)
        async with stage.ledger.transaction() as connection:
            await execute(connection, "UPDATE platform SET receipts = 'pull'")
        campaign_id = await stage.campaign()
        await stage.start()

        async def done() -> bool:
            async with stage.ledger.transaction() as connection:
                report = await effect_report(
                    connection, workspace_id=stage.founding.workspace_id, name="Spring"
                )
            return report.state == "completed"

        workers = Workers(tmp_path, urls, SEED)
        ended = await workers.kill_until(done, kills=KILLS, pauses=(0.3, 6.0), limit=LIMIT_SECONDS)
        counts = witness.counts()
    async with stage.ledger.transaction() as connection:
        report = await effect_report(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )
        counted = await recount(connection, campaign_id)
        unanswered = await value(
            connection, "SELECT count(*) FROM request WHERE state <> 'accepted'"
        )
    said = f"seed {SEED}, {workers.kills} kills, {report}"
    assert ended, said
    assert counts["twice"] == 0, said
    refused_by_platform = sum(
        report.failures.get(cause, 0) for cause in ("bad number", "blacklisted")
    )
    assert counts["distinct"] == MESSAGES, said
    assert report.audience == MESSAGES == report.messages + sum(report.drops.values()), said
    assert report.submitted == report.messages - refused_by_platform, said
    assert (report.in_doubt, unanswered) == (0, 0), said
    assert report.messages == report.delivered + report.failed + report.waiting, said
    assert (counted.messages, counted.delivered, counted.failed, counted.drops) == (
        report.messages, report.delivered, report.failed, 0), said  # fmt: skip


def _templates(folder: Path) -> Path:
    """Write a sandbox's shelf with the template T1 approved."""
    from textwave.platforms.sandbox.templates import Template, TemplateShelf

    file = folder / "templates.json"
    TemplateShelf(1, str(file)).put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
    return file
