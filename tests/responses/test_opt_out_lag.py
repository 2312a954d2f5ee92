"""How long somebody was still sent to after a reply of “T”."""

from datetime import timedelta

import pytest

from tests.responses.conftest import FIRST_MOBILE, NOW, Push, SendCampaign, Sent
from textwave.kit.ids import CampaignId
from textwave.responses.lag_store import OptOutLag, of_campaign
from textwave.responses.operations import measure_opt_out_lags, merge_replies
from textwave.storage.ledger import Ledger, execute, value

LATER = NOW + timedelta(minutes=1)


async def opted_out(ledger: Ledger, sent: Sent, index: int, *, arrived: float = 0) -> None:
    """Write a merged reply of T that arrived so many seconds after NOW."""
    async with ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO reply (workspace_id, platform_id, platform_reply_id, signature_id,"
            " campaign_id, mobile, content, intent, received_at, arrived_at, merged_at)"
            " VALUES (%s, %s, gen_random_uuid()::text, %s, %s, %s, 'T', 'opt out', %s, %s, %s)",
            [
                *(sent.workspace_id, sent.platform_id, sent.signature_id, sent.campaign_id),
                *(FIRST_MOBILE + index, NOW, NOW + timedelta(seconds=arrived)),
                NOW + timedelta(seconds=arrived + 3),
            ],
        )


async def touched(
    ledger: Ledger, sent: Sent, index: int, seconds: float, signature_id: int | None = None
) -> None:
    async with ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO touch (workspace_id, mobile, signature_id, campaign_id, message_id,"
            " touched_at) VALUES (%s, %s, %s, %s, 1, %s)",
            [
                *(sent.workspace_id, FIRST_MOBILE + index, signature_id or sent.signature_id),
                *(sent.campaign_id, NOW + timedelta(seconds=seconds)),
            ],
        )


async def lag(ledger: Ledger, sent: Sent) -> OptOutLag:
    async with ledger.transaction() as connection:
        return await of_campaign(connection, sent.workspace_id, CampaignId(sent.campaign_id))


async def test_the_lag_ends_with_the_last_message_prepared_under_the_signature(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign()
    other = await send_campaign(signature="Another")
    await opted_out(ledger, sent, 0)
    for seconds in (-30, 0.5, 1.25):
        await touched(ledger, sent, 0, seconds)
    await touched(ledger, sent, 0, 2, other.signature_id)
    await touched(ledger, sent, 1, 2.5)
    assert await measure_opt_out_lags(ledger, now=LATER) == 1
    assert await lag(ledger, sent) == OptOutLag(1, 1.25, 1.25)


async def test_nothing_after_the_reply_is_a_lag_of_zero_and_no_campaign_of_another_counts(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent, other = await send_campaign(), await send_campaign()
    await opted_out(ledger, sent, 0)
    await touched(ledger, sent, 0, -5)
    await measure_opt_out_lags(ledger, now=LATER)
    assert await lag(ledger, sent) == OptOutLag(1, 0, 0)
    assert await lag(ledger, other) == OptOutLag(0, 0, 0)


async def test_what_may_still_be_on_its_way_is_waited_for(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign()
    await opted_out(ledger, sent, 0)
    assert await measure_opt_out_lags(ledger, now=NOW + timedelta(seconds=5)) == 0
    await touched(ledger, sent, 0, 2)
    assert await measure_opt_out_lags(ledger, now=LATER) == 1
    assert (await lag(ledger, sent)).largest == pytest.approx(2)


async def test_the_percentile_is_a_lag_that_was_measured(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign(size=200)
    for index in range(100):
        await opted_out(ledger, sent, index)
        await touched(ledger, sent, index, index / 100)
    await measure_opt_out_lags(ledger, now=LATER)
    found = await lag(ledger, sent)
    assert (found.measured, found.largest, found.p99) == (
        100,
        pytest.approx(0.99),
        pytest.approx(0.98),
    )
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE reply SET merged_at = now()")
        assert await value(connection, "SELECT longest_opt_out_lag()") == pytest.approx(0.99)


async def test_a_reply_keeps_when_it_came_in_here_first(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign()
    said = {"replyId": "r", "phoneNumber": str(FIRST_MOBILE), "content": "T", "signName": "Shop",
            "receivedAt": (NOW - timedelta(hours=3)).isoformat()}  # fmt: skip
    await push(sent, [said], [said], kind="replies")
    await merge_replies(ledger)
    async with ledger.transaction() as connection:
        came = "SELECT min(received_at) FROM callback_inbox"
        assert await value(connection, "SELECT arrived_at FROM reply") == await value(
            connection, came
        )
