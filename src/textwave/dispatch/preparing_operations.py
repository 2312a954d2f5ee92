"""Preparing a batch whose turn has come: who gets it is decided and written before anything leaves.

One transaction, and nothing of it holds the campaign's row. What was interrupted before may have
left, so it is in doubt; what certainly has not left is looked at again before it does.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import psycopg
import structlog

from textwave.connections.accounts import PlatformAccount
from textwave.connections.store import platform_account
from textwave.content.token_keys import token_keys
from textwave.content.variables import parse
from textwave.dispatch import store
from textwave.dispatch import turn_store as turns
from textwave.dispatch.gate import Gated, gate, opens_at, stopped
from textwave.dispatch.requests import (
    UNSENT,
    Recipient,
    Request,
    RequestState,
    Text,
    by_request,
    cut,
    fitting,
    resized,
)
from textwave.dispatch.serving import Batch, BatchKey, Turn
from textwave.dispatch.store import SendingCampaign
from textwave.kit.clock import Clock
from textwave.limits.touch_store import give_back
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault

_WORTH_SECONDS: Final = 0.01
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch past its gate: the requests that leave now, written down, and who they are for.

    `apart`: ids within the range of a first attempt that are not of it. `held_until`: when the
    first of those that were held back may go.
    """

    text: Text
    account: PlatformAccount
    requests: list[Request]
    recipients: list[Recipient]
    apart: AbstractSet[int]
    held_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Sendable:
    requests: list[Request]
    recipients: list[Recipient]
    apart: AbstractSet[int] = frozenset()
    held_until: datetime | None = None


async def prepare(
    ledger: Ledger, vault: Vault, clock: Clock, turn: Turn, *, job_id: int
) -> Prepared | None:
    """Write what leaves in this turn; None: the batch was given back, nothing leaves."""
    key, now = turn.key, clock.now()
    async with ledger.transaction() as connection:
        campaign = await store.campaign(connection, key)
        if campaign is None or campaign.state != "sending":
            await _release(connection, turn, job_id=job_id)
            return None
        opening = await opens_at(connection, campaign=campaign, now=now)
        if opening is not None:
            seconds = max((opening - now).total_seconds(), 0.0)
            await _release(connection, turn, job_id=job_id, seconds=seconds)
            return None
        if not await store.begin_batch(connection, key, job_id):
            await _release(connection, turn, job_id=job_id)
            return None
        account = await platform_account(connection, campaign.platform_id)
        if turn.previous_state == "waiting":
            sendable = await _first(connection, turn, campaign, now)
        else:
            sendable = await _again(connection, turn, campaign, account, now)
        text = await _text(connection, vault, campaign)
    await _give_back(ledger, turn, sendable.requests)
    return Prepared(
        text,
        account,
        sendable.requests,
        sendable.recipients,
        sendable.apart,
        sendable.held_until,
    )


async def _first(
    connection: Connection, turn: Turn, campaign: SendingCampaign, now: datetime
) -> _Sendable:
    """Gate the whole batch and write its first requests."""
    key, batch = turn.key, turn.batch
    recipients = await store.recipients(connection, key, batch)
    gated = await _gate(connection, key, campaign, batch, recipients, now)
    requests = cut(
        gated.passed,
        campaign_first_id=campaign.first_message_id,
        request_size=campaign.request_size,
    )
    leaving, later = fitting(requests, turn.messages)
    written = [*leaving, *(replace(request, outcome=UNSENT) for request in later)]
    await store.add_requests(connection, key, written)
    return _Sendable(leaving, gated.passed, gated.held.keys(), _earliest(gated))


async def _again(
    connection: Connection,
    turn: Turn,
    campaign: SendingCampaign,
    account: PlatformAccount,
    now: datetime,
) -> _Sendable:
    """Look again at what is open of a batch: unsent, held back, and in doubt."""
    key, batch = turn.key, turn.batch
    await store.doubt_interrupted(connection, key)
    requests = await store.open_requests(connection, key)
    found = await store.open_recipients(connection, key, batch)
    unsent = [r for r in requests if r.state == RequestState.PREPARED]
    doubtful = [r for r in requests if r.state == RequestState.IN_DOUBT]
    returned = await _returned(connection, key, unsent, found)
    barred = await _bar(connection, key, campaign, batch, unsent, found, now)
    gone = {*returned, *barred.held, *(i for ids in barred.dropped.values() for i in ids)}
    recipients = [recipient for recipient in found.all if recipient.id not in gone]
    if gone:
        before = unsent
        unsent = resized(before, by_request(before, recipients, found.apart))
        await store.resize_requests(connection, key, before, unsent, gone)
    freed, next_opening = await _free(connection, key, campaign, batch, found, now)
    held_until = min((m for m in (_earliest(barred), next_opening) if m), default=None)
    open_ = [*unsent, *freed, *(doubtful if account.honours_keys else [])]
    leaving, _ = fitting(open_, turn.messages)
    await store.leave(connection, key, [r for r in leaving if r.state == RequestState.PREPARED])
    return _Sendable(leaving, recipients, found.apart | returned | barred.held.keys(), held_until)


async def _gate(
    connection: Connection,
    key: BatchKey,
    campaign: SendingCampaign,
    batch: Batch,
    recipients: Sequence[Recipient],
    now: datetime,
) -> Gated:
    gated = await gate(connection, campaign=campaign, batch=batch, recipients=recipients, now=now)
    await _write(connection, key, batch, gated)
    return gated


async def _write(connection: Connection, key: BatchKey, batch: Batch, gated: Gated) -> None:
    for reason, ids in sorted(gated.dropped.items()):
        await store.drop_messages(connection, key, batch, ids, reason)
    if gated.held:
        await store.hold_messages(connection, key, batch, list(gated.held))


async def _returned(
    connection: Connection,
    key: BatchKey,
    unsent: Sequence[Request],
    found: store.OpenRecipients,
) -> set[int]:
    """Return who was sent to after all, as receipts show, and must not be again."""
    if not found.ended:
        return set()
    members = by_request(unsent, found.all, found.apart)
    ids: set[int] = set()
    for request in unsent:
        group = members[request.number, request.attempt]
        ended = {recipient.id for recipient in group if recipient.id in found.ended}
        fewer = request.size - (len(group) - len(ended))
        if fewer:  # else they were counted before, and are not of its size any more
            await store.tally_returned(connection, key, sorted(ended), fewer)
        ids |= ended
    return ids


async def _bar(
    connection: Connection,
    key: BatchKey,
    campaign: SendingCampaign,
    batch: Batch,
    unsent: Sequence[Request],
    found: store.OpenRecipients,
    now: datetime,
) -> Gated:
    """Drop or hold who must not be sent to now though the gate was passed."""
    members = by_request(unsent, found.all, found.apart)
    everybody = [recipient for group in members.values() for recipient in group]
    recipients = [recipient for recipient in everybody if recipient.id not in found.ended]
    barred = await stopped(connection, campaign=campaign, recipients=recipients, now=now)
    await _write(connection, key, batch, barred)
    ids = [*barred.held, *(i for dropped in barred.dropped.values() for i in dropped)]
    await give_back(connection, key.workspace_id, ids, now=now)
    return barred


async def _free(
    connection: Connection,
    key: BatchKey,
    campaign: SendingCampaign,
    batch: Batch,
    found: store.OpenRecipients,
    now: datetime,
) -> tuple[list[Request], datetime | None]:
    """Gate those who were held back; return requests for who may go, and when the next may."""
    held = [recipient for recipient in found.all if recipient.id in found.held]
    if not held:
        return [], None
    gated = await _gate(connection, key, campaign, batch, held, now)
    numbers = {
        recipient.id: (recipient.id - campaign.first_message_id) // campaign.request_size
        for recipient in gated.passed
    }
    freed = await store.add_attempts(connection, key, batch, numbers) if numbers else []
    return freed, _earliest(gated)


async def _give_back(ledger: Ledger, turn: Turn, requests: Sequence[Request]) -> None:
    """Give back what the turn is not needed for, where that is worth a statement.

    In a transaction of its own: whoever gives turns holds the account's row while he waits for
    batches, so nobody who holds a batch or a tally may wait for that row.
    """
    unneeded = turn.messages - sum(request.size for request in requests)
    if unneeded / turn.pace <= _WORTH_SECONDS:
        return
    try:
        async with ledger.transaction() as connection:
            await turns.give_back(connection, turn, unneeded)
    except psycopg.OperationalError:  # then the account is free a little later
        log.warning("turn not given back", platform=turn.platform_id)


async def _release(
    connection: Connection, turn: Turn, *, job_id: int, seconds: float = 0.0
) -> None:
    await turns.give_back(connection, turn, turn.messages)
    await turns.release(connection, turn.key, job_id=job_id, seconds=seconds)


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


def _earliest(gated: Gated) -> datetime | None:
    return min(gated.held.values(), default=None)
