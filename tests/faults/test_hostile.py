"""A campaign over a platform that answers anything but what it should: nothing lost, nothing twice.

`make faults` sends more messages; every misdeed is met many times.
"""

import os
import secrets
from pathlib import Path

import pytest

from tests.faults.hostile import MISDEEDS, hostile
from tests.faults.play import (
    CALM,
    assert_nothing_lost_nothing_twice,
    assert_receipts_agree,
    begin,
    ended,
    ending,
    report_of,
    templates,
    until,
)
from tests.faults.theatre import Workers, sandbox
from tests.stage import Stage
from textwave.campaigns.operations import resume_campaign
from textwave.storage.embedded import DatabaseUrls

MESSAGES = min(int(os.environ.get("MESSAGES", "800")), 50_000)
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)
REQUEST_SIZE = 10

pytestmark = pytest.mark.slow


async def test_a_campaign_ends_well_whatever_its_platform_answers(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    async with hostile("", seed=SEED, share=0.4) as it:
        with sandbox(tmp_path, templates_file=templates(tmp_path), **CALM) as witness:
            it.platform_url = witness.url
            campaign_id = await begin(stage, it.url, MESSAGES, pulls=True, max_batch=REQUEST_SIZE)
            workers = Workers(tmp_path, urls, SEED, send_timeout_seconds=1.0)
            workers.start()

            async def over() -> bool:
                if (await report_of(stage)).state == "paused":
                    await resume(stage)
                return await ended(stage)

            await until(over, f"seed {SEED}: the end", 240 + MESSAGES / 50)
            assert workers.alive
            workers.kill()
            end = await ending(stage, campaign_id, witness)
    said = f"seed {SEED}, {it.done}"
    assert_nothing_lost_nothing_twice(end, MESSAGES, said)
    assert_receipts_agree(end)
    assert it.led_astray == 0, said
    assert it.done.keys() - {"honest"} == MISDEEDS.keys(), said


@pytest.mark.parametrize("misdeed", ["HTML", "wrong platform name", "500", "reset before"])
async def test_a_platform_that_only_misbehaves_is_named_as_the_reason_until_it_is_mended(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path, misdeed: str
) -> None:
    async with hostile("", seed=SEED, share=1.0, misdeeds=(misdeed,)) as it:
        with sandbox(tmp_path, templates_file=templates(tmp_path), **CALM) as witness:
            it.platform_url = witness.url
            campaign_id = await begin(stage, it.url, 100, pulls=True, max_batch=REQUEST_SIZE)
            workers = Workers(tmp_path, urls, SEED, send_timeout_seconds=1.0)
            workers.start()

            async def said_why() -> bool:
                report = await report_of(stage)
                why = report.reason if report.state == "paused" else report.trouble
                return report.state in ("sending", "paused") and bool(why)

            await until(said_why, "a reason", 60)
            it.share = 0.0
            if (await report_of(stage)).state == "paused":
                await resume(stage)
            await until(lambda: ended(stage), "the end", 120)
            workers.kill()
            end = await ending(stage, campaign_id, witness)
    assert_nothing_lost_nothing_twice(end, 100, str(it.done))


async def resume(stage: Stage) -> None:
    async with stage.ledger.transaction() as connection:
        await resume_campaign(
            connection, workspace_id=stage.founding.workspace_id, actor="test", name="Spring"
        )
