"""What every campaign of these tests has in common: how it is set, watched and counted.

The witness is the platform's own count: what it received, how often, and what it reported.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from tests.faults.theatre import SandboxProcess
from tests.stage import Stage, people
from textwave.insights.operations import EffectReport, effect_report
from textwave.insights.store import Recount, recount
from textwave.kit.ids import CampaignId
from textwave.platforms.sandbox.templates import Template, TemplateShelf
from textwave.storage.ledger import execute, value

# A platform that does what it is asked: no clicks, no replies, and it knows every number.
CALM: dict[str, Any] = {
    "click_rate": 0.0,
    "reply_rate": 0.0,
    "opt_out_reply_rate": 0.0,
    "bad_number": 0.0,
    "blacklisted": 0.0,
    "no_receipt": 0.0,
    "receipt_seconds": (0.0, 0.5),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to be accounted for at the end."""

    report: EffectReport
    counted: Recount
    unanswered: int
    witnessed: dict[str, Any]


def templates(folder: Path) -> Path:
    """Write a sandbox's shelf with the template T1 approved."""
    file = folder / "templates.json"
    TemplateShelf(1, str(file)).put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
    return file


async def begin(
    stage: Stage, platform_url: str, messages: int, *, pulls: bool = False, **more: Any
) -> CampaignId:
    """Set the stage for so many messages and start the campaign “Spring”."""
    stage.platform_url = platform_url
    await stage.set(people(messages), **more)
    if pulls:
        async with stage.ledger.transaction() as connection:
            await execute(connection, "UPDATE platform SET receipts = 'pull'")
    campaign_id = await stage.campaign()
    await stage.start()
    return campaign_id


async def report_of(stage: Stage) -> EffectReport:
    """Return the campaign's report."""
    async with stage.ledger.transaction() as connection:
        return await effect_report(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )


async def ended(stage: Stage) -> bool:
    """Tell whether the campaign is completed and every message has its receipt."""
    try:
        report = await report_of(stage)
    except (psycopg.OperationalError, PoolTimeout):
        return False
    return report.state == "completed" and report.waiting == 0


async def until(holds: Callable[[], Awaitable[Any]], what: str, seconds: float = 90) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"{what}: not in {seconds:.0f} s"
        await asyncio.sleep(0.1)


async def ending(stage: Stage, campaign_id: CampaignId, witness: SandboxProcess) -> Ending:
    """Count everything once more."""
    report = await report_of(stage)
    async with stage.ledger.transaction() as connection:
        counted = await recount(connection, campaign_id)
        unanswered = await value(
            connection, "SELECT count(*) FROM request WHERE state <> 'accepted'"
        )
    return Ending(report, counted, unanswered, witness.counts())


def assert_nothing_lost_nothing_twice(end: Ending, messages: int, said: str = "") -> None:
    """Hold the installation's own counts against each other and against the witness's."""
    report, counted, witnessed = end.report, end.counted, end.witnessed
    said = f"{said} {report} {witnessed}"
    assert witnessed["twice"] == 0, said
    assert witnessed["distinct"] == messages, said
    assert report.audience == messages == report.messages + sum(report.drops.values()), said
    assert (report.in_doubt, end.unanswered) == (0, 0), said
    assert report.messages == report.delivered + report.failed + report.waiting, said
    assert (counted.messages, counted.delivered, counted.failed, counted.drops) == (
        report.messages, report.delivered, report.failed, 0), said  # fmt: skip


def assert_receipts_agree(end: Ending) -> None:
    """Hold what was merged against what the platform reported."""
    told = end.witnessed["statuses"]
    assert end.report.delivered == told["DELIVERED"], end
    assert end.report.failed == told["FAILED"] + told["EXPIRED"], end
