"""Clicks find their message by the token; people and programs are told apart by named rules."""

from datetime import timedelta

import pytest

from textwave.content.tokens import TokenKey, tokens
from textwave.kit.ids import WorkspaceId
from textwave.responses.clicks import HUMAN, RawClick, judge
from textwave.responses.operations import merge_clicks
from textwave.storage.ledger import Ledger, many, value

from .conftest import NOW, Counters, SendCampaign, Sent

OLD_KEY = TokenKey(1, b"0123456789abcdef")
KEY = TokenKey(2, b"fedcba9876543210")
PHONE = "Mozilla/5.0 (Linux; Android 14; V2301) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"


async def add_link(ledger: Ledger, workspace_id: int, code: str = "rksqdc") -> int:
    async with ledger.transaction() as connection:
        link_id: int = await value(
            connection,
            "INSERT INTO short_link (workspace_id, name, code, long_url, expires_at)"
            " VALUES (%s, %s, %s, 'https://shop.example/', 'infinity') RETURNING id",
            [workspace_id, code, code],
        )
        return link_id


async def use_key(ledger: Ledger, sent: Sent, key: TokenKey) -> None:
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO token_key (version, sealed_secret) VALUES (%s, '') ON CONFLICT DO NOTHING",
            [key.version],
        )
        await connection.execute(
            "UPDATE campaign SET token_version = %s WHERE id = %s", [key.version, sent.campaign_id]
        )


async def click(
    ledger: Ledger, link_id: int, token: str, *, seconds: float = 0, method: str = "GET",
    agent: str = PHONE,
) -> None:  # fmt: skip
    async with ledger.transaction() as connection:
        await connection.execute(
            "SELECT record_clicks(ARRAY[%s::bigint], ARRAY[%s], ARRAY[%s], ARRAY[%s], ARRAY[%s])",
            [link_id, token, method, agent, NOW + timedelta(seconds=seconds)],
        )


async def test_a_token_gives_the_click_to_its_message_and_counts_the_clicker_once(
    ledger: Ledger, send_campaign: SendCampaign, counters: Counters
) -> None:
    sent = await send_campaign(3)
    await use_key(ledger, sent, KEY)
    link_id = await add_link(ledger, sent.workspace_id)
    mine, other = tokens([sent.first_id, sent.first_id + 2], KEY)
    await click(ledger, link_id, mine, seconds=9)
    await click(ledger, link_id, mine, seconds=5)
    await click(ledger, link_id, other, method="HEAD")
    merged = await merge_clicks(ledger, keys=[KEY, OLD_KEY])
    await click(ledger, link_id, mine, seconds=60)
    await merge_clicks(ledger, keys=[KEY, OLD_KEY])
    assert (merged.taken, merged.strays) == (3, 0)
    counted = await counters(sent)
    assert (counted["clicks"], counted["human_clicks"], counted["clickers"]) == (4, 3, 1)
    async with ledger.transaction() as connection:
        first = await value(
            connection, "SELECT clicked_at FROM message WHERE id = %s", [sent.first_id]
        )
        totals = await connection.execute("SELECT total_clicks, human_clicks FROM short_link")
        assert await totals.fetchone() == (4, 3)
    assert first == NOW + timedelta(seconds=5)


async def test_unknown_and_foreign_tokens_count_for_the_link_only(
    ledger: Ledger, send_campaign: SendCampaign, counters: Counters, other_workspace: WorkspaceId
) -> None:
    sent = await send_campaign(2)
    await use_key(ledger, sent, KEY)
    theirs = await send_campaign(2, workspace=other_workspace)
    await use_key(ledger, theirs, KEY)
    link_id = await add_link(ledger, sent.workspace_id)
    strangers = [
        *tokens([theirs.first_id], KEY),
        *tokens([sent.first_id], OLD_KEY),
        *tokens([sent.first_id + 900], KEY),
        "",
        "short",
        "密钥密钥密钥密钥",
    ]
    for seconds, token in enumerate(strangers):
        await click(ledger, link_id, token, seconds=seconds)
    merged = await merge_clicks(ledger, keys=[KEY, OLD_KEY])
    assert (merged.taken, merged.strays) == (6, 6)
    assert (await counters(sent))["clicks"] == (await counters(theirs))["clicks"] == 0
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT total_clicks FROM short_link") == 6


async def test_opening_a_link_never_changes_consent(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign(1)
    await use_key(ledger, sent, KEY)
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO opt_out (workspace_id, signature_id, mobile, source) SELECT workspace_id,"
            " %s, mobile, 'by hand' FROM message",
            [sent.signature_id],
        )
    await click(ledger, await add_link(ledger, sent.workspace_id), *tokens([sent.first_id], KEY))
    await merge_clicks(ledger, keys=[KEY])
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM opt_out WHERE lifted_at IS NULL") == 1


async def test_the_rule_that_judged_is_kept_with_the_click(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign(1)
    link_id = await add_link(ledger, sent.workspace_id)
    await click(ledger, link_id, "", agent="")
    await merge_clicks(ledger, keys=[KEY])
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT judged_by FROM click") == "no user agent"
        assert await many(connection, RawClick, "SELECT * FROM click_inbox") == []


@pytest.mark.parametrize(
    ("agent", "rule"),
    [
        (PHONE, HUMAN),
        ("Mozilla/5.0 MicroMessenger/8.0", HUMAN),
        ("Mozilla/5.0 (Linux; CUBOT X30) Chrome/100 Mobile", HUMAN),
        ("", "no user agent"),
        ("facebookexternalhit/1.1", "link preview"),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", "crawler"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "crawler"),
        ("curl/8.5", "program"),
        ("Mozilla/5.0 Proofpoint", "security scanner"),
    ],
)
def test_programs_are_told_by_their_user_agent(agent: str, rule: str) -> None:
    (judgement,) = judge([RawClick(1, 1, "", "GET", agent, NOW)])
    assert (judgement.rule, judgement.human) == (rule, rule == HUMAN)


def test_haste_is_no_persons() -> None:
    moments = (0, 0.4, 2, 2.9, 4)
    clicks = [
        RawClick(i, 1, "aaaaaaaa", "GET", PHONE, NOW + timedelta(seconds=s))
        for i, s in enumerate(moments)
    ]
    assert [judgement.human for judgement in judge(clicks)] == [True, False, True, False, True]
