"""A reply to an extend code is meant for one signature, which replies themselves teach."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from textwave.kit.ids import SignatureId
from textwave.responses.operations import merge_replies
from textwave.storage.ledger import Ledger, value
from textwave.suppression.store import opted_out

from .conftest import FIRST_MOBILE, Push, SendCampaign, Sent

Blocked = Callable[[Sent], Awaitable[set[int]]]


def reply(index: int, content: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "phone_number": str(FIRST_MOBILE + index - 86 * 10**11),
        "content": content,
        "send_time": "2026-03-10 20:00:00",
        "dest_code": code,
        "sequence_id": f"{index}-{content}-{code}",
    } | more


@pytest.fixture
def blocked(ledger: Ledger) -> Blocked:
    async def read(sent: Sent) -> set[int]:
        async with ledger.transaction() as connection:
            everybody = range(FIRST_MOBILE, FIRST_MOBILE + 100)
            return await opted_out(connection, SignatureId(sent.signature_id), everybody)

    return read


async def test_until_a_code_is_known_all_that_wrote_are_silent_and_then_only_its_signature(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, blocked: Blocked
) -> None:
    shop = await send_campaign(10)
    cafe = await send_campaign(3, signature="Cafe")  # its newest messages go to the first three
    await push(shop, [reply(0, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    assert await blocked(shop) == await blocked(cafe) == {FIRST_MOBILE}

    told = [reply(index, "好", "1069") for index in (4, 5, 6)]  # only the shop wrote to them
    await push(shop, told, kind="replies", form="aliyun")
    await merge_replies(ledger)
    await push(shop, [reply(1, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    assert await blocked(shop) == {FIRST_MOBILE, FIRST_MOBILE + 1}
    assert await blocked(cafe) == {FIRST_MOBILE}
    async with ledger.transaction() as connection:
        answered = "SELECT campaign_id FROM reply ORDER BY id DESC LIMIT 1"
        assert await value(connection, answered) == shop.campaign_id


async def test_a_known_code_opts_out_without_any_message(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, blocked: Blocked
) -> None:
    shop = await send_campaign(5)
    told = [reply(index, "好", "1069") for index in range(3)]
    await push(shop, [*told, reply(50, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    assert await blocked(shop) == set()  # not known yet when it came, and nobody wrote to it
    await push(shop, [reply(51, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    assert await blocked(shop) == {FIRST_MOBILE + 51}


async def test_repeated_pushes_and_doubtful_evidence_teach_nothing(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, blocked: Blocked
) -> None:
    shop = await send_campaign(10)
    cafe = await send_campaign(3, signature="Cafe")
    once = [reply(4, "好", "1069"), reply(5, "好", "1069")]
    for _ in range(3):
        await push(shop, once, kind="replies", form="aliyun")
        await merge_replies(ledger)
    await push(shop, [reply(1, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    assert await blocked(shop) == await blocked(cafe) == {FIRST_MOBILE + 1}


async def test_an_opt_out_of_several_signatures_is_one_opt_out_of_the_campaign(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    await send_campaign(1)
    newest = await send_campaign(1, signature="Cafe")
    await push(newest, [reply(0, "T", "1069")], kind="replies", form="aliyun")
    await merge_replies(ledger)
    async with ledger.transaction() as connection:
        counted = "SELECT opt_outs FROM campaign_tally WHERE campaign_id = %s"
        assert await value(connection, counted, [newest.campaign_id]) == 1
