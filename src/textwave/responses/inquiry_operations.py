"""Asking platforms for requests in doubt, where keys are not honoured.

What a platform has is settled as sent, with the receipts it has; what it does not know stays in
doubt with that as evidence, for a person. Bounded a minute, an account; a silent one is left alone.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

import structlog

from textwave.connections.accounts import OpenPlatform
from textwave.connections.store import platform_account
from textwave.dispatch import doubt_store
from textwave.dispatch.doubt_store import CampaignKey, Doubted
from textwave.platforms.contract import (
    NotOffered,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Trace,
)
from textwave.responses import inquiry_store, store
from textwave.responses.formats import BodyFormat
from textwave.responses.inquiry import NOT_KNOWN, TAKEN, Inquiry, again_at, said
from textwave.responses.jobs import MERGE_RECEIPTS
from textwave.responses.pulled import body_of
from textwave.storage.ledger import Ledger
from textwave.storage.queue import defer

REQUESTS_AT_ONCE: Final = 20
"""How many requests an account is asked for in a minute at most."""
_ACCOUNTS_AT_ONCE: Final = 8
log = structlog.get_logger(__name__)


async def look_up_doubts(ledger: Ledger, open_platform: OpenPlatform, *, now: datetime) -> int:
    """Ask for what is in doubt and due; return how many requests were found to be taken."""
    async with ledger.transaction() as connection:
        due = await inquiry_store.due(connection, now=now, most=REQUESTS_AT_ONCE)
    places = asyncio.Semaphore(_ACCOUNTS_AT_ONCE)

    async def ask(inquiries: Sequence[Inquiry]) -> int:
        async with places:
            return await _ask_account(ledger, open_platform, inquiries, now)

    accounts = [list(group) for _, group in groupby(due, lambda inquiry: inquiry.platform_id)]
    # One account's trouble must not keep the others waiting
    taken = await asyncio.gather(*map(ask, accounts), return_exceptions=True)
    for failure in taken:
        if isinstance(failure, BaseException):
            raise failure
    return sum(count for count in taken if isinstance(count, int))


async def _ask_account(
    ledger: Ledger, open_platform: OpenPlatform, inquiries: Sequence[Inquiry], now: datetime
) -> int:
    """Ask one account for its requests, until it gives no answer; return how many it had."""
    async with ledger.transaction() as connection:
        account = await platform_account(connection, inquiries[0].platform_id)
    platform = open_platform(account)
    taken = 0
    for inquiry in inquiries:
        try:
            taken += await _ask(ledger, platform, inquiry, now)
        except NotOffered as refusal:
            async with ledger.transaction() as connection:
                await inquiry_store.note(
                    connection, inquiry, now=now, due_at=None, answer=said(refusal)
                )
        except (PlatformUnreachable, PlatformRefused, PlatformAnsweredNonsense) as refusal:
            log.warning("request not looked up", platform=account.name, code=refusal.code)
            await _note(ledger, inquiry, said(refusal), now)
            break
    return taken


async def _ask(ledger: Ledger, platform: Platform, inquiry: Inquiry, now: datetime) -> bool:
    trace = await platform.look_up(inquiry.question)
    if trace.taken:
        await _settle(ledger, inquiry, trace, now)
    else:
        await _note(ledger, inquiry, NOT_KNOWN, now)
    return trace.taken


async def _note(ledger: Ledger, inquiry: Inquiry, answer: str, now: datetime) -> None:
    due_at = again_at(inquiry.asked + 1, now)
    async with ledger.transaction() as connection:
        await inquiry_store.note(connection, inquiry, now=now, due_at=due_at, answer=answer)


async def _settle(ledger: Ledger, inquiry: Inquiry, trace: Trace, now: datetime) -> None:
    """Record that a request was taken, and keep the receipts that the platform has of it."""
    campaign = CampaignKey(inquiry.workspace_id, inquiry.key.campaign_id)
    which = Doubted(inquiry.key.number, inquiry.key.attempt)
    detail = f"the platform was asked at {now:%Y-%m-%d %H:%M} UTC: {TAKEN}"
    async with ledger.transaction() as connection:
        await doubt_store.become_the_one_writer(connection)
        await doubt_store.accept(connection, campaign, [which], detail=detail)
        await inquiry_store.note(connection, inquiry, now=now, due_at=None, answer=TAKEN)
        if trace.receipts:
            await store.store_payload(
                connection,
                platform_id=inquiry.platform_id,
                kind="receipts",
                body=body_of(trace.receipts),
                form=BodyFormat.PULLED,
            )
            await defer(connection, MERGE_RECEIPTS)
        await doubt_store.close(connection, campaign)
        await doubt_store.wake_account(connection, campaign)
    log.info("request was taken", campaign=inquiry.key.campaign_id, number=inquiry.key.number)
