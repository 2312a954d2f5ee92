"""Replies find their signature, campaign and message; the right words opt out at once."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.responses import store
from textwave.responses.intent import Intent
from textwave.responses.operations import merge_replies
from textwave.responses.store import KeptReply
from textwave.storage.ledger import Ledger, value
from textwave.suppression.operations import lift
from textwave.suppression.store import opted_out

from .conftest import FIRST_MOBILE, NOW, Counters, Push, SendCampaign, Sent


def reply(index: int, content: str, **more: Any) -> dict[str, Any]:
    return {
        "replyId": f"r-{index}-{content}",
        "phoneNumber": str(FIRST_MOBILE + index - 86 * 10**11),
        "content": content,
        "signName": "Shop",
        "receivedAt": NOW.isoformat(),
    } | more


async def kept(ledger: Ledger, sent: Sent) -> list[KeptReply]:
    async with ledger.transaction() as connection:
        return await store.replies(connection, workspace_id=sent.workspace_id)


async def blocked(ledger: Ledger, sent: Sent) -> set[int]:
    async with ledger.transaction() as connection:
        everybody = range(FIRST_MOBILE, FIRST_MOBILE + sent.size)
        return await opted_out(connection, SignatureId(sent.signature_id), everybody)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65])
async def test_a_reply_finds_the_message_it_answers_wherever_it_lies(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, size: int
) -> None:
    sent = await send_campaign(size)
    await push(sent, [reply(index, "好的") for index in range(size)], kind="replies")
    await merge_replies(ledger)
    found = {row.mobile: row.message_id for row in await kept(ledger, sent)}
    assert found == {FIRST_MOBILE + i: sent.first_id + i for i in range(size)}


async def test_a_reply_is_found_although_ids_have_gaps(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign(40)
    async with ledger.transaction() as connection:
        await connection.execute("DELETE FROM message WHERE id %% 3 = 1 OR id > %s",
                                 [sent.first_id + 30])  # fmt: skip
        cursor = await connection.execute("SELECT mobile, id FROM message")
        left = dict(await cursor.fetchall())
    await push(sent, [reply(index, "好的") for index in range(40)], kind="replies")
    await merge_replies(ledger)
    rows = await kept(ledger, sent)
    assert {row.mobile: row.message_id for row in rows if row.message_id} == left


async def test_the_newest_message_to_the_number_is_answered(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    await send_campaign(3, accepted_at=NOW - timedelta(hours=2))
    newest = await send_campaign(3)
    await push(newest, [reply(1, "好的")], kind="replies")
    await merge_replies(ledger)
    assert [row.campaign_id for row in await kept(ledger, newest)] == [newest.campaign_id]


async def test_a_campaign_under_another_signature_is_not_answered(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    shop = await send_campaign(3)
    await send_campaign(3, signature="Cafe")
    await push(shop, [reply(1, "好的")], kind="replies")
    await merge_replies(ledger)
    assert [row.campaign_id for row in await kept(ledger, shop)] == [shop.campaign_id]


async def test_the_words_opt_out_once_for_the_signature_and_are_counted(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, counters: Counters
) -> None:
    sent = await send_campaign(3)
    cafe = await send_campaign(3, signature="Cafe")
    said = [reply(0, "T"), reply(0, "T"), reply(0, "退订"), reply(1, "别发了"), reply(2, "谢谢")]
    await push(sent, said, said, kind="replies")
    merged = await merge_replies(ledger)
    assert merged.changed == 4
    assert await blocked(ledger, sent) == {FIRST_MOBILE}
    assert await blocked(ledger, cafe) == set()
    counted = await counters(sent)
    assert (counted["replies"], counted["opt_outs"]) == (4, 1)
    intents = sorted(row.intent for row in await kept(ledger, sent))
    assert intents == ["leaning", "opt out", "opt out", "other"]


async def test_a_repeated_reply_does_not_undo_a_new_consent(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign(1)
    await push(sent, [reply(0, "T")], kind="replies")
    await merge_replies(ledger)
    async with ledger.transaction(sent.workspace_id) as connection:
        await lift(
            connection,
            workspace_id=sent.workspace_id,
            signature_id=SignatureId(sent.signature_id),
            mobile=FIRST_MOBILE,
            evidence="signed in the shop",
            actor="test",
            now=NOW,
        )
    await push(sent, [reply(0, "T")], kind="replies")
    await merge_replies(ledger)
    assert await blocked(ledger, sent) == set()


async def test_without_a_message_the_signature_still_opts_out(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign(1)
    old = (NOW + timedelta(days=30)).isoformat()
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET completed_at = %s", [NOW])
    await push(sent, [reply(0, "T", receivedAt=old)], kind="replies")
    await merge_replies(ledger)
    (row,) = await kept(ledger, sent)
    assert (row.campaign_id, row.signature_id) == (None, sent.signature_id)
    assert await blocked(ledger, sent) == {FIRST_MOBILE}


async def test_a_reply_to_an_extend_code_finds_its_signature_by_the_message(
    ledger: Ledger, send_campaign: SendCampaign, push: Push
) -> None:
    sent = await send_campaign(2)
    await push(sent, [reply(1, "T", signName=None, extendCode="07")], kind="replies")
    await merge_replies(ledger)
    assert await blocked(ledger, sent) == {FIRST_MOBILE + 1}


async def test_a_name_shared_by_two_workspaces_opts_out_where_the_message_came_from(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, other_workspace: WorkspaceId
) -> None:
    ours = await send_campaign(2)
    theirs = await send_campaign(2, workspace=other_workspace, first_mobile=FIRST_MOBILE + 10)
    await push(ours, [reply(11, "T")], kind="replies")
    await merge_replies(ledger)
    assert await kept(ledger, ours) == []
    (row,) = await kept(ledger, theirs)
    assert row.campaign_id == theirs.campaign_id


async def test_a_name_shared_by_two_workspaces_is_silent_in_both_when_nobody_knows(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, other_workspace: WorkspaceId
) -> None:
    ours = await send_campaign(1, first_mobile=FIRST_MOBILE + 50)
    theirs = await send_campaign(1, workspace=other_workspace, first_mobile=FIRST_MOBILE + 60)
    await push(ours, [reply(0, "T")], kind="replies")
    await merge_replies(ledger)
    assert await blocked(ledger, ours) == await blocked(ledger, theirs) == {FIRST_MOBILE}


async def test_a_reply_that_no_workspace_can_be_told_for_leaves_a_trace(
    ledger: Ledger, send_campaign: SendCampaign, push: Push, other_workspace: WorkspaceId
) -> None:
    sent = await send_campaign(1)
    await send_campaign(1, workspace=other_workspace)
    await push(sent, [reply(77, "T", signName="Nobody"), reply(0, "好")], kind="replies")
    merged = await merge_replies(ledger)
    assert (merged.changed, merged.strays) == (1, 1)
    async with ledger.transaction() as connection:
        problem = await value(connection, "SELECT problem FROM callback_inbox")
    assert "r-77-T" in problem


async def test_replies_are_read_in_pages_and_by_intent(
    ledger: Ledger, web_ledger: Ledger, send_campaign: SendCampaign, push: Push,
    other_workspace: WorkspaceId,
) -> None:  # fmt: skip
    sent = await send_campaign(5)
    await push(sent, [reply(i, "别发了" if i % 2 else "好") for i in range(5)], kind="replies")
    await merge_replies(ledger)
    async with web_ledger.transaction(sent.workspace_id) as connection:
        read = partial(store.replies, connection, workspace_id=sent.workspace_id, limit=2)
        first = await read()
        second = await read(after=first[-1].id)
        leaning = await read(intent=Intent.leaning)
    assert len({row.id for row in first + second}) == 4
    assert {row.intent for row in leaning} == {"leaning"}
    async with web_ledger.transaction(other_workspace) as connection:
        assert await store.replies(connection, workspace_id=sent.workspace_id) == []
