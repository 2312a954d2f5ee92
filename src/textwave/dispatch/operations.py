"""Sending one batch: gate and prepare in one transaction, send, record in another.

Runs as the owner, one job a batch. What was written before it left is found after a crash and
sent under the same key, or left in doubt where the platform honours no keys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from textwave.campaigns.operations import SEND_TASK
from textwave.content.accounts import OpenPlatform
from textwave.content.store import platform_account
from textwave.content.token_keys import token_keys
from textwave.content.variables import parse
from textwave.dispatch import store
from textwave.dispatch.gate import gate
from textwave.dispatch.requests import (
    HONOURS_KEYS,
    Recipient,
    Request,
    Text,
    Verdict,
    by_request,
    click_tokens,
    compose,
    cut,
    judge,
)
from textwave.dispatch.store import Batch, BatchKey, SendingCampaign, Turn
from textwave.kit.clock import Clock
from textwave.kit.ids import PlatformId
from textwave.platforms.contract import MessageType, Platform, SendAnswer
from textwave.platforms.outcomes import Outcome
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer
from textwave.storage.secrets import Vault

ROUNDS_A_JOB: Final = 4
FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0
LONGEST_BACKOFF_SECONDS: Final = 300.0
AHEAD_SECONDS: Final = 1.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending a batch needs."""

    ledger: Ledger
    vault: Vault
    clock: Clock
    open_platform: OpenPlatform
    concurrency: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A batch past its gate, with its open requests written down."""

    batch: Batch
    text: Text
    platform: Platform
    platform_id: PlatformId
    honours_keys: bool
    requests: list[Request]
    recipients: list[Recipient]


async def send_batch(sender: Sender, key: BatchKey) -> None:
    """Send what of the batch is not answered yet; harmless when run again at any point."""
    prepared = await _prepare(sender, key)
    if prepared is None:
        return
    requests = prepared.requests
    for sending_round in range(ROUNDS_A_JOB):
        answers = await _send_all(sender, prepared, requests)
        verdict = judge(zip(requests, answers, strict=True))
        done = await _record(sender, key, prepared, verdict)
        if done or verdict.pause_reason:
            return
        requests = [r for r in verdict.open if prepared.honours_keys or r not in verdict.in_doubt]
        if not requests:
            return
        if sending_round + 1 < ROUNDS_A_JOB:
            await sender.sleep(_pause(verdict, sending_round))
    await _try_later(sender, key, prepared.batch)


async def _prepare(sender: Sender, key: BatchKey) -> _Prepared | None:
    async with sender.ledger.transaction() as connection:
        campaign = await store.campaign(connection, key)
        if campaign is None or campaign.state != "sending":
            return None
        batch = await store.take_batch(connection, key)
        if batch is None:
            return None
        account = await platform_account(connection, campaign.platform_id)
        recipients = await store.recipients(connection, key, batch)
        honours_keys = account.kind in HONOURS_KEYS
        if batch.previous_state == "waiting":
            recipients = await _gate(sender, connection, key, campaign, batch, recipients)
            requests = cut(
                recipients,
                campaign_first_id=campaign.first_message_id,
                request_size=campaign.request_size,
            )
            await store.add_requests(connection, key, requests)
        else:
            requests = await store.open_requests(connection, key)
        text = await _text(connection, sender.vault, campaign)
        if not requests:
            await store.record(connection, key, batch, Verdict())
            return None
    if not honours_keys and batch.previous_state != "waiting":
        await _leave_in_doubt(sender, key, batch, requests)
        return None
    platform = sender.open_platform(account)
    return _Prepared(batch, text, platform, account.id, honours_keys, requests, recipients)


async def _gate(
    sender: Sender,
    connection: Connection,
    key: BatchKey,
    campaign: SendingCampaign,
    batch: Batch,
    recipients: list[Recipient],
) -> list[Recipient]:
    """Drop who must not be sent to, and return who may."""
    gated = await gate(
        connection,
        campaign=campaign,
        batch=batch,
        recipients=recipients,
        now=sender.clock.now(),
    )
    for reason, ids in gated.dropped.items():
        await store.drop_messages(connection, key, batch, ids, reason)
    return gated.passed


async def _text(connection: Connection, vault: Vault, campaign: SendingCampaign) -> Text:
    keys = {k.version: k for k in await token_keys(connection, vault)}
    return Text(
        installation=campaign.installation,
        campaign_id=campaign.id,
        signature=campaign.signature,
        template_code=campaign.template_code,
        message_type=MessageType(campaign.type),
        template=parse(campaign.content),
        token_key=keys[campaign.token_version],
    )


async def _send_all(
    sender: Sender, prepared: _Prepared, requests: Sequence[Request]
) -> list[SendAnswer]:
    """Send requests at the account's rate, at most `concurrency` at a time."""
    members = by_request(requests, prepared.recipients)
    token_of = click_tokens(prepared.text, prepared.recipients)
    messages = sum(request.size for request in requests)
    turn = await _take_turn(sender, prepared.platform_id, messages)
    places = asyncio.Semaphore(sender.concurrency)
    started = sender.clock.monotonic()

    async def send(request: Request, before: int) -> SendAnswer:
        due = started + turn.wait_seconds + before / turn.rate_per_second
        async with places:
            early = due - sender.clock.monotonic()
            if early > 0:
                await sender.sleep(early)
            recipients = members[request.number, request.attempt]
            composed = compose(prepared.text, request, recipients, token_of)
            return await prepared.platform.send(composed)

    before, sends = 0, list[Awaitable[SendAnswer]]()
    for request in requests:
        sends.append(send(request, before))
        before += request.size
    return list(await asyncio.gather(*sends))


async def _take_turn(sender: Sender, platform_id: PlatformId, messages: int) -> Turn:
    """Wait for the account's next free moment and take it."""
    while True:
        async with sender.ledger.transaction() as connection:
            turn = await store.take_turn(
                connection, platform_id, messages, ahead_seconds=AHEAD_SECONDS
            )
            if turn is not None:
                return turn
            taken = await store.seconds_until_free(connection, platform_id)
        await sender.sleep(min(max(taken - AHEAD_SECONDS, 0.05), LONGEST_PAUSE_SECONDS))


async def _record(sender: Sender, key: BatchKey, prepared: _Prepared, verdict: Verdict) -> bool:
    async with sender.ledger.transaction() as connection:
        done = await store.record(connection, key, prepared.batch, verdict)
    if verdict.pause_reason:
        # Its own transaction: pausing takes the campaign's row, recording holds the tally's.
        async with sender.ledger.transaction() as connection:
            paused = await store.pause(connection, key, verdict.pause_reason)
        log.warning("campaign paused", campaign=key.campaign_id, paused=paused)
    return done


async def _leave_in_doubt(
    sender: Sender, key: BatchKey, batch: Batch, requests: Sequence[Request]
) -> None:
    """Record that nobody knows whether these left; receipts or a person settle them."""
    answer = SendAnswer(Outcome.unknown, detail="interrupted; the platform honours no keys")
    verdict = judge((request, answer) for request in requests)
    async with sender.ledger.transaction() as connection:
        await store.record(connection, key, batch, verdict)


async def _try_later(sender: Sender, key: BatchKey, batch: Batch) -> None:
    """Give the place to others and come back after a growing pause."""
    seconds = min(LONGEST_BACKOFF_SECONDS, 2.0 ** min(batch.attempts, 10))
    await defer_batch(sender.ledger, key, at=sender.clock.now() + timedelta(seconds=seconds))
    log.warning("batch waits", campaign=key.campaign_id, batch=key.batch, seconds=seconds)


async def defer_batch(ledger: Ledger, key: BatchKey, *, at: datetime | None = None) -> None:
    """Defer the job of one batch."""
    lock = f"batch-{key.campaign_id}-{key.batch}"
    async with ledger.transaction() as connection:
        await defer(connection, Job(SEND_TASK, "dispatch", key.parameters(), lock=lock, at=at))


async def defer_forgotten(ledger: Ledger) -> int:
    """Give a job to open batches that have none; return how many. A safety net."""
    async with ledger.transaction() as connection:
        forgotten = await store.forgotten_batches(connection)
    for one in forgotten:
        await defer_batch(ledger, BatchKey(one.workspace_id, one.campaign_id, one.number))
    return len(forgotten)


def _pause(verdict: Verdict, sending_round: int) -> float:
    growing = FIRST_PAUSE_SECONDS * 2**sending_round
    return min(LONGEST_PAUSE_SECONDS, max(growing, verdict.retry_after_seconds))
