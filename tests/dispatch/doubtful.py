"""A campaign over a gateway that honours no keys, and what of it is in doubt."""

from datetime import timedelta
from typing import Any

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from textwave.connections.store import platform_account
from textwave.dispatch.doubt import DoubtCase
from textwave.dispatch.doubt_operations import doubts, end_all_doubts
from textwave.insights.operations import EffectReport
from textwave.kit.ids import CampaignId
from textwave.responses.operations import merge_receipts
from textwave.responses.pull_operations import pull_receipts

SURE = {"receipt_seconds": (0.0, 0.0), "delivered": 1.0, "failed": 0.0, "expired": 0.0,
        "no_receipt": 0.0, "duplicate_receipts": 0.0}  # fmt: skip


async def doubtful(
    show: StartShow, count: int = 60, *, cuts: float = 1.0, **more: Any
) -> tuple[Show, CampaignId]:
    """Send to so many people in requests of 20; a share of requests is cut after it was taken."""
    playing = await show(idempotency=False, unknown_after_accept=cuts, **SURE)
    campaign_id = await playing.planned(count, max_batch=20, **more)
    await playing.execute("UPDATE platform SET capabilities = '{variables,click_tokens}'")
    await playing.send()
    return playing, campaign_id


async def listed(playing: Show) -> list[DoubtCase]:
    """Return all that is in doubt."""
    async with playing.ledger.transaction() as connection:
        return await doubts(connection, playing.workspace_id, limit=1_000)


async def receive(playing: Show, least: int = 1) -> None:
    """Pull receipts until so many came, and merge them as the job does."""
    async with playing.ledger.transaction() as connection:
        account = await platform_account(connection, playing.platform_id)
    platform = playing.sender.open_platform(account)
    pulled = 0
    while pulled < least:
        pulled += await pull_receipts(playing.ledger, platform_id=account.id, platform=platform)
    await merge_receipts(playing.ledger)
    await pass_hours(playing, 0)


async def pass_hours(playing: Show, hours: int) -> int:
    """Settle what can be settled so many hours from now."""
    now = playing.stage.clock.now() + timedelta(hours=hours)
    return await end_all_doubts(playing.ledger, now=now, in_doubt_hours=72)


async def added_up(playing: Show, campaign_id: CampaignId) -> EffectReport:
    """Return the report after holding it against its sums and the rows."""
    report, counted = await playing.report(), await playing.recount(campaign_id)
    assert report.audience == report.messages + sum(report.drops.values())
    assert report.messages == sum(
        (report.delivered, report.failed, report.waiting, report.in_doubt)
    )
    assert sum(report.failures.values()) == report.failed
    assert (counted.messages, counted.delivered, counted.failed, counted.in_doubt) == (
        report.messages, report.delivered, report.failed, report.in_doubt)  # fmt: skip
    return report
