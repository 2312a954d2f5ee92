"""A message of several parts is delivered when all of them are, and failed when one is."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from textwave.responses.operations import forget_payloads, merge_receipts
from textwave.storage.ledger import Ledger, value

from .conftest import NOW, Counters, Push, SendCampaign, Sent, States


def part(sent: Sent, number: int, status: str = "DELIVERED", **more: Any) -> dict[str, Any]:
    reported = (NOW + timedelta(seconds=number)).isoformat()
    return sent.receipt(0, status, part=number, parts=3, reportedAt=reported, **more)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3]))[::2])
async def test_it_is_delivered_with_the_last_part_in_any_order(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States, counters: Counters,
    order: tuple[int, ...],
) -> None:  # fmt: skip
    sent = await send_campaign(2)
    for number in order[:2]:
        await push(sent, [part(sent, number), part(sent, number)])
        await merge_receipts(ledger)
        assert await states(sent) == [("submitted", None), ("submitted", None)]
    await push(sent, [part(sent, order[2])])
    await merge_receipts(ledger)
    assert await states(sent) == [("delivered", None), ("submitted", None)]
    assert (await counters(sent))["delivered"] == 1
    async with ledger.transaction() as connection:
        finished = await value(
            connection, "SELECT finished_at FROM message WHERE state IS NOT NULL"
        )
    assert finished == NOW + timedelta(seconds=3)


async def test_all_parts_at_once_are_a_whole(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    await push(sent, [part(sent, number) for number in (3, 1, 2)])
    await merge_receipts(ledger)
    assert await states(sent) == [("delivered", None)]


async def test_one_failed_part_fails_it(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    failed = part(sent, 2, "FAILED", errorCode="MOBILE_NOT_ON_SERVICE")
    await push(sent, [part(sent, 1), failed], [part(sent, 3)])
    await merge_receipts(ledger)
    assert await states(sent) == [("failed", "phone out of service")]


async def test_without_a_total_the_planned_number_of_parts_counts(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, states: States
) -> None:
    sent = await send_campaign(1)
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE message SET parts = 2")
    for number, state in ((1, "submitted"), (2, "delivered")):
        await push(sent, [part(sent, number) | {"parts": None}])
        await merge_receipts(ledger)
        assert await states(sent) == [(state, None)]


async def test_parts_are_forgotten_when_no_other_can_come(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign(1)
    await push(sent, [part(sent, 1)])
    await merge_receipts(ledger)
    async with ledger.transaction() as connection:
        received = await value(connection, "SELECT received_at FROM delivered_part")
    await forget_payloads(ledger, now=received + timedelta(days=6))
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM delivered_part") == 1
    await forget_payloads(ledger, now=received + timedelta(days=8))
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM delivered_part") == 0
