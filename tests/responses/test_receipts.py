"""Receipts become final states, once, whatever order and company they come in."""

from datetime import timedelta

import psycopg
import pytest

from textwave.responses.operations import expire_receipts, merge_receipts
from textwave.storage.ledger import Ledger, value

from .conftest import FIRST_MOBILE, NOW, Counters, Push, SendCampaign, States


async def test_a_receipt_gives_its_message_a_final_state_and_a_cause(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters
) -> None:
    sent = await send_campaign(4)
    failed = sent.receipt(1, "FAILED", errorCode="MOBILE_NOT_ON_SERVICE")
    await push(sent, [sent.receipt(0), failed, sent.receipt(2, "EXPIRED")])
    merged = await merge_receipts(ledger)
    assert (merged.taken, merged.changed, merged.strays) == (1, 3, 0)
    assert await states(sent) == [
        ("delivered", None),
        ("failed", "phone out of service"),
        ("failed", "expired"),
        ("submitted", None),
    ]
    assert (await counters(sent))["delivered"] == 1


async def test_duplicates_and_late_contradictions_change_nothing(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters
) -> None:
    sent = await send_campaign(2)
    await push(sent, [sent.receipt(0), sent.receipt(0)], [sent.receipt(0)])
    await merge_receipts(ledger)
    await push(sent, [sent.receipt(0, "FAILED"), sent.receipt(0)])
    merged = await merge_receipts(ledger)
    assert (merged.changed, merged.strays) == (0, 0)
    assert (await states(sent))[0] == ("delivered", None)
    assert (await counters(sent))["delivered"] == 1


async def test_of_two_final_receipts_read_together_the_earlier_reported_wins(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    later = (NOW + timedelta(seconds=1)).isoformat()
    await push(sent, [sent.receipt(0, "FAILED", reportedAt=later)], [sent.receipt(0)])
    await merge_receipts(ledger)
    assert await states(sent) == [("delivered", None)]


async def test_an_unknown_status_changes_nothing(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    await push(sent, [sent.receipt(0, "UNKNOWN")])
    await merge_receipts(ledger)
    assert await states(sent) == [("submitted", None)]


async def test_a_receipt_may_come_before_the_platforms_own_answer(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1, request_state="prepared")
    await push(sent, [sent.receipt(0)])
    await merge_receipts(ledger)
    assert await states(sent) == [("delivered", None)]


async def test_a_receipt_settles_a_message_in_doubt(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(2, request_state="in doubt")
    await push(sent, [sent.receipt(1, "REJECTED")])
    await merge_receipts(ledger)
    assert await states(sent) == [("in doubt", None), ("failed", "rejected by the carrier")]


async def test_what_fits_no_message_of_the_platform_is_kept_as_a_stray(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(2)
    foreign = await send_campaign(1, platform="other-gateway")
    wrong_number = sent.receipt(0, phoneNumber="15499999999")
    await push(
        sent, [sent.receipt(500), wrong_number, foreign.receipt(0), sent.receipt(1), wrong_number]
    )
    merged = await merge_receipts(ledger)
    assert (merged.changed, merged.strays) == (1, 3)
    assert await states(sent) == [("submitted", None), ("delivered", None)]
    assert await states(foreign) == [("submitted", None)]
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM stray_receipt") == 3


async def test_a_receipt_with_a_wrong_number_does_not_hide_the_right_one(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    wrong = sent.receipt(0, "FAILED", phoneNumber="15499999999", reportedAt="2026-03-01T00:00:00Z")
    await push(sent, [wrong, sent.receipt(0)])
    merged = await merge_receipts(ledger)
    assert (merged.changed, merged.strays) == (1, 1)
    assert await states(sent) == [("delivered", None)]


async def test_a_malformed_payload_is_marked_and_never_tried_again(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    await push(sent, b'[{"messageId": 1}]', b"\xff not json", [sent.receipt(0)])
    assert (await merge_receipts(ledger)).taken == 3
    assert (await merge_receipts(ledger)).taken == 0
    assert await states(sent) == [("delivered", None)]
    async with ledger.transaction() as connection:
        problems = await value(
            connection, "SELECT count(*) FROM callback_inbox WHERE problem IS NOT NULL"
        )
    assert problems == 2


async def test_a_crash_in_the_middle_leaves_the_payload_waiting(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters
) -> None:
    sent = await send_campaign(3)
    await push(sent, [sent.receipt(0), sent.receipt(1, "FAILED")])
    async with ledger.transaction() as connection:
        # the counters refuse, after the messages were changed and before the payload is marked
        await connection.execute(
            "ALTER TABLE campaign_failure_tally ADD CONSTRAINT broken CHECK (count < 0) NOT VALID"
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="broken"):
        await merge_receipts(ledger)
    assert await states(sent) == [("submitted", None)] * 3
    async with ledger.transaction() as connection:
        await connection.execute("ALTER TABLE campaign_failure_tally DROP CONSTRAINT broken")
    assert (await merge_receipts(ledger)).changed == 2
    assert (await counters(sent))["failed"] == 1


async def test_a_burst_is_merged_in_blocks_to_the_last_receipt(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, counters: Counters
) -> None:
    sent = await send_campaign(3000)
    backwards = [sent.receipt(index) for index in reversed(range(3000))]
    await push(sent, *(backwards[start : start + 50] for start in range(0, 3000, 50)))
    merged = await merge_receipts(ledger)
    assert (merged.taken, merged.changed) == (60, 3000)
    assert (await counters(sent))["delivered"] == 3000


async def test_two_workspaces_share_a_platform_and_each_keeps_its_counts(
    ledger: Ledger,
    send_campaign: SendCampaign,
    push: Push,
    counters: Counters,
    other_workspace: int,
) -> None:
    ours = await send_campaign(2)
    theirs = await send_campaign(2, workspace=other_workspace)
    await push(ours, [theirs.receipt(0), ours.receipt(1, "FAILED"), theirs.receipt(1)])
    await merge_receipts(ledger)
    assert (await counters(ours))["failed"] == 1
    assert (await counters(theirs))["delivered"] == 2


async def test_silence_for_too_long_is_a_failure(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters
) -> None:
    sent = await send_campaign(9, accepted_at=NOW - timedelta(hours=73))
    young = await send_campaign(2, accepted_at=NOW - timedelta(hours=71))
    doubtful = await send_campaign(
        2, accepted_at=NOW - timedelta(hours=73), request_state="in doubt"
    )
    await push(sent, [sent.receipt(0)])
    await merge_receipts(ledger)
    assert await expire_receipts(ledger, now=NOW, no_receipt_hours=72) == 8
    assert await expire_receipts(ledger, now=NOW, no_receipt_hours=72) == 0
    assert await states(sent) == [("delivered", None)] + [("failed", "no receipt")] * 8
    assert await states(young) == [("submitted", None)] * 2
    assert await states(doubtful) == [("in doubt", None)] * 2
    assert (await counters(sent))["no receipt"] == 8


async def test_a_real_receipt_wins_over_the_silence_before_it(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters
) -> None:
    sent = await send_campaign(3, accepted_at=NOW - timedelta(hours=73))
    await expire_receipts(ledger, now=NOW, no_receipt_hours=72)
    await push(sent, [sent.receipt(0), sent.receipt(1, "FAILED", errorCode="BAD_NUMBER")])
    assert (await merge_receipts(ledger)).changed == 2
    assert await states(sent) == [
        ("delivered", None),
        ("failed", "bad number"),
        ("failed", "no receipt"),
    ]
    counted = await counters(sent)
    assert (counted["delivered"], counted["failed"], counted["no receipt"]) == (1, 2, 1)


async def test_a_message_accepted_at_a_later_attempt_expires_with_that_attempt(
    ledger: Ledger, send_campaign: SendCampaign, states: States
) -> None:
    sent = await send_campaign(4, accepted_at=NOW - timedelta(hours=73))
    async with ledger.transaction() as connection:
        for index, state in ((0, "submitted"), (1, "retrying"), (2, "submitted")):
            await connection.execute(
                "UPDATE message SET state = %s WHERE id = %s", [state, sent.first_id + index]
            )
        for attempt, index, hours in ((1, 0, 73), (2, 2, 71)):
            await connection.execute(
                "INSERT INTO request (campaign_id, number, attempt, workspace_id, batch_number,"
                " first_id, last_id, message_ids, size, state, answered_at) SELECT campaign_id,"
                " number, %s, workspace_id, 0, first_id, last_id, %s, 1, 'accepted', %s FROM"
                " request WHERE campaign_id = %s AND number = 0 AND attempt = 0",
                [attempt, [sent.first_id + index], NOW - timedelta(hours=hours), sent.campaign_id],
            )
    assert await expire_receipts(ledger, now=NOW, no_receipt_hours=72) == 2
    assert await states(sent) == [
        ("failed", "no receipt"),
        ("retrying", None),
        ("submitted", None),
        ("failed", "no receipt"),
    ]


async def test_who_has_unsubscribed_at_the_platform_is_opted_out_of_the_signature(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign()
    refused = {"errorCode": "UNSUBSCRIBED"}
    blacklisted = {"errorCode": "BLACKLISTED"}
    receipts = [
        sent.receipt(0, "FAILED", **refused),
        sent.receipt(1, "FAILED", **blacklisted),
        sent.receipt(2),
    ]
    await push(sent, receipts, receipts)
    await merge_receipts(ledger)
    async with ledger.transaction() as connection:
        cursor = await connection.execute("SELECT signature_id, mobile, source FROM opt_out")
        assert await cursor.fetchall() == [(sent.signature_id, FIRST_MOBILE, "platform")]
