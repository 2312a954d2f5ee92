"""Merging what came back into messages and counters, in bounded blocks until nothing waits.

A block is one transaction: its payloads are marked as merged exactly when its changes are there.
A payload that cannot be read is marked with its problem and never tried again.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from textwave.content.tokens import TokenKey, message_ids
from textwave.dispatch.doubt import DOUBTED_CAUSES
from textwave.kit.ids import CampaignId, PlatformId, ReplyId, WorkspaceId
from textwave.platforms.contract import Reply, ReviewNotice
from textwave.responses import lag_store, store
from textwave.responses.clicks import RawClick, judge
from textwave.responses.code_store import codes_known, learn_codes
from textwave.responses.codes import codes_in, learned
from textwave.responses.formats import BodyFormat, read_body
from textwave.responses.keyed_store import name_messages
from textwave.responses.parts_store import forget_parts, join_parts
from textwave.responses.receipts import (
    NO_RECEIPT,
    columns_of,
    final_receipts,
    unsubscribed_ids,
)
from textwave.responses.store import (
    AskedReply,
    FinalCount,
    MergedClick,
    NamedMessage,
    Payload,
    TracedReply,
)
from textwave.responses.tracing import PlacedReply, place, wrote
from textwave.storage.ledger import Connection, Ledger
from textwave.suppression.store import OptOutSource, add_opt_outs, block_unsubscribed

ApplyReviews = Callable[[Connection, PlatformId, Sequence[ReviewNotice]], Awaitable[object]]

_RECEIPT_PAYLOADS: Final = 40
_PAYLOADS: Final = 10
_CLICKS: Final = 5_000
_REQUESTS: Final = 20
PAYLOADS_KEPT: Final = timedelta(days=7)
PROBLEMS_KEPT: Final = timedelta(days=90)
"""Payloads that could not be merged, and receipts that fit no message."""
_LONGEST_LOOK_BACK: Final = timedelta(days=30)
_FORGOTTEN_AT_ONCE: Final = 1_000
_SETTLED: Final = timedelta(seconds=10)
_LAGS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: payloads or clicks taken, values changed, and values that fit nothing."""

    taken: int = 0
    changed: int = 0
    strays: int = 0

    def __add__(self, other: "Merged") -> "Merged":
        return Merged(
            self.taken + other.taken, self.changed + other.changed, self.strays + other.strays
        )


async def merge_receipts(ledger: Ledger) -> Merged:
    """Merge all waiting receipts; the job `responses.merge_receipts`."""
    return await _until_nothing_waits(ledger, _merge_receipt_block)


async def merge_replies(ledger: Ledger) -> Merged:
    """Merge all waiting replies, opting out who asks for it; the job `responses.merge_replies`."""
    return await _until_nothing_waits(ledger, _merge_reply_block)


async def merge_reviews(ledger: Ledger, *, apply: ApplyReviews) -> Merged:
    """Hand all waiting review notices to `apply`; the job `responses.merge_reviews`."""

    async def merge_block(connection: Connection) -> Merged:
        payloads = await store.take_waiting(connection, kind="reviews", limit=_PAYLOADS)
        read, problems = _read(payloads, "reviews")
        for platform_id, notices in read.items():
            await apply(connection, platform_id, notices)
        await store.mark_merged(connection, problems=problems)
        return Merged(taken=len(payloads), changed=sum(map(len, read.values())))

    return await _until_nothing_waits(ledger, merge_block)


async def merge_clicks(ledger: Ledger, *, keys: Sequence[TokenKey]) -> Merged:
    """Merge all waiting clicks; the job `responses.merge_clicks`. `keys` are all token keys."""

    async def merge_block(connection: Connection) -> Merged:
        return await _merge_click_block(connection, keys)

    return await _until_nothing_waits(ledger, merge_block)


async def expire_receipts(ledger: Ledger, *, now: datetime, no_receipt_hours: int) -> int:
    """Fail messages accepted so many hours ago of which nothing was heard; return how many.

    Looks at campaigns that were completed less than 30 days before the limit. A receipt that
    comes later still wins.
    """
    accepted_before = now - timedelta(hours=no_receipt_hours)
    async with ledger.transaction() as connection:
        campaigns = await store.campaigns_waiting(
            connection,
            accepted_before=accepted_before,
            accepted_after=accepted_before - _LONGEST_LOOK_BACK,
        )
    expired = 0
    for campaign in campaigns:
        position: tuple[int, int] | None = (-1, 0)
        while position is not None:
            position, count = await _expire_block(ledger, campaign, accepted_before, position, now)
            expired += count
    return expired


async def measure_opt_out_lags(ledger: Ledger, *, now: datetime) -> int:
    """Measure how long people were still sent to after a reply of “T”; return how many.

    Only opt-outs that were merged some seconds ago: what was being prepared then is committed.
    """
    measured = 0
    while True:
        async with ledger.transaction() as connection:
            count = await lag_store.measure(
                connection, merged_before=now - _SETTLED, limit=_LAGS_AT_ONCE
            )
        measured += count
        if count < _LAGS_AT_ONCE:
            return measured


async def forget_payloads(ledger: Ledger, *, now: datetime) -> int:
    """Delete payloads that are merged and old, old strays and old parts; return how many."""
    before, problems_before = now - PAYLOADS_KEPT, now - PROBLEMS_KEPT
    forgotten = 0
    while True:
        async with ledger.transaction() as connection:
            payloads = await store.forget_payloads(
                connection,
                before=before,
                problems_before=problems_before,
                limit=_FORGOTTEN_AT_ONCE,
            )
            strays = await store.forget_strays(
                connection, before=problems_before, limit=_FORGOTTEN_AT_ONCE
            )
            parts = await forget_parts(connection, before=before, limit=_FORGOTTEN_AT_ONCE)
        forgotten += payloads + strays + parts
        if max(payloads, strays, parts) < _FORGOTTEN_AT_ONCE:
            return forgotten


async def _until_nothing_waits(
    ledger: Ledger, merge_block: Callable[[Connection], Awaitable[Merged]]
) -> Merged:
    total = Merged()
    while True:
        async with ledger.transaction() as connection:
            merged = await merge_block(connection)
        if not merged.taken:
            return total
        total += merged


def _read(
    payloads: Iterable[Payload],
    kind: str,
    note: Callable[[Payload, Sequence[Any]], None] = lambda *_: None,
) -> tuple[dict[PlatformId, list[Any]], dict[int, str | None]]:
    """Return the items by platform in the order of their coming, and each payload's problem."""
    read: dict[PlatformId, list[Any]] = defaultdict(list)
    problems: dict[int, str | None] = {}
    for payload in payloads:
        items, problems[payload.id] = read_body(BodyFormat(payload.format), kind, payload.body)
        read[payload.platform_id].extend(items)
        note(payload, items)
    return read, problems


async def _merge_receipt_block(connection: Connection) -> Merged:
    payloads = await store.take_waiting(connection, kind="receipts", limit=_RECEIPT_PAYLOADS)
    if not payloads:
        return Merged()
    read, problems = _read(payloads, "receipts")
    await store.become_the_one_writer(connection)
    counts: list[FinalCount] = []
    strays = 0
    for platform_id, receipts in read.items():
        known, nameless = await name_messages(connection, platform_id, receipts)
        strays += nameless
        final = final_receipts(await join_parts(connection, platform_id, known))
        if final:
            merged, unknown = await store.merge_receipts(
                connection, platform_id=platform_id, columns=columns_of(final)
            )
            counts += merged
            strays += unknown
            await block_unsubscribed(connection, unsubscribed_ids(final))
    await _count_finals(connection, counts)
    await store.mark_merged(connection, problems=problems)
    changed = sum(found.count for found in counts)
    return Merged(taken=len(payloads), changed=changed, strays=strays)


async def _count_finals(connection: Connection, counts: Sequence[FinalCount]) -> None:
    delivered: Counter[CampaignId] = Counter()
    failed: Counter[CampaignId] = Counter()
    unsent: Counter[CampaignId] = Counter()
    concluded: Counter[tuple[CampaignId, str]] = Counter()
    causes: Counter[tuple[CampaignId, WorkspaceId, str]] = Counter()
    for found in counts:
        if found.cause:
            failed[found.campaign_id] += found.count
            causes[found.campaign_id, found.workspace_id, found.cause] += found.count
        else:
            delivered[found.campaign_id] += found.count
        if found.was:
            failed[found.campaign_id] -= found.count
            concluded[found.campaign_id, found.was] += found.count
            unsent[found.campaign_id] += found.count if found.was in DOUBTED_CAUSES else 0
    campaigns = sorted(delivered.keys() | failed.keys())
    if not campaigns:
        return
    await store.lock_tallies(connection, campaign_ids=campaigns)
    finals = [(key, delivered[key], failed[key], unsent[key]) for key in campaigns]
    await store.count_finals(connection, finals=finals)
    if causes:
        await store.count_causes(connection, causes=[(*k, count) for k, count in causes.items()])
    if concluded:
        await store.uncount_concluded(connection, counts=concluded)


async def _expire_block(
    ledger: Ledger,
    campaign: store.WaitingCampaign,
    accepted_before: datetime,
    after: tuple[int, int],
    now: datetime,
) -> tuple[tuple[int, int] | None, int]:
    """Give up messages of the next requests; return the position reached and how many."""
    async with ledger.transaction() as connection:
        await store.become_the_one_writer(connection)
        block = await store.expire_requests(
            connection,
            campaign=campaign,
            accepted_before=accepted_before,
            after=after,
            now=now,
            limit=_REQUESTS,
        )
        if block is None:
            return None, 0
        if block.expired:
            count = FinalCount(
                campaign.id, campaign.workspace_id, NO_RECEIPT, was="", count=block.expired
            )
            await _count_finals(connection, [count])
        return (block.number, block.attempt), block.expired


async def _merge_reply_block(connection: Connection) -> Merged:
    payloads = await store.take_waiting(connection, kind="replies", limit=_PAYLOADS)
    arrivals: dict[PlatformId, dict[str, datetime]] = defaultdict(dict)

    def arrived(payload: Payload, replies: Sequence[Reply]) -> None:
        for reply in replies:
            arrivals[payload.platform_id].setdefault(reply.reply_id, payload.received_at)

    read, problems = _read(payloads, "replies", arrived)
    changed = strays = 0
    for platform_id, replies in read.items():
        once = list({reply.reply_id: reply for reply in reversed(replies)}.values())[::-1]
        new, homeless = await _keep_replies(connection, platform_id, once, arrivals[platform_id])
        changed += new
        strays += len(homeless)
        if homeless:
            _say_homeless(problems, payloads, platform_id, homeless)
    await store.mark_merged(connection, problems=problems)
    return Merged(taken=len(payloads), changed=changed, strays=strays)


def _say_homeless(
    problems: dict[int, str | None],
    payloads: Iterable[Payload],
    platform_id: PlatformId,
    homeless: Sequence[Reply],
) -> None:
    """Leave a trace at the payloads of replies that no workspace can be told for."""
    ids = ", ".join(reply.reply_id for reply in homeless)
    for payload in payloads:
        if payload.platform_id == platform_id and problems[payload.id] is None:
            problems[payload.id] = f"No workspace is known for these replies of the block: {ids}"


async def _keep_replies(
    connection: Connection,
    platform_id: PlatformId,
    replies: Sequence[Reply],
    arrivals: Mapping[str, datetime],
) -> tuple[int, list[Reply]]:
    """Keep replies of one platform; return how many were new, and those that belong nowhere."""
    if not replies:
        return 0, []
    asked = [
        AskedReply(ordinal, reply.mobile, reply.signature, reply.received_at)
        for ordinal, reply in enumerate(replies)
    ]
    traced: dict[int, list[TracedReply]] = defaultdict(list)
    for found in await store.trace_replies(connection, platform_id=platform_id, asked=asked):
        traced[found.ordinal].append(found)
    codes = await codes_known(connection, platform_id=platform_id, codes=codes_in(replies))
    names = sorted({reply.signature for reply in replies if reply.signature})
    placed, homeless = place(
        replies,
        traced=traced,
        named=await store.signatures_named(connection, platform_id=platform_id, names=names),
        codes=codes,
        only_workspace=await store.only_workspace(connection, platform_id=platform_id),
    )
    new_ids = await store.add_replies(
        connection,
        platform_id=platform_id,
        replies=[found.reply for found in placed],
        arrivals=arrivals,
    )
    new = [found for found in placed if found.reply.platform_reply_id in new_ids]
    told = learned(replies, {position: wrote(found) for position, found in traced.items()}, new_ids)
    await learn_codes(connection, platform_id=platform_id, told=told)
    await _opt_out(connection, new, new_ids)
    return len(new), homeless


async def _opt_out(
    connection: Connection, new: Sequence[PlacedReply], reply_ids: Mapping[str, ReplyId]
) -> None:
    """Block who asked for it, and count replies and opt-outs of campaigns."""
    blocked = [opt_out for found in new for opt_out in found.blocked]
    fresh = await add_opt_outs(connection, source=OptOutSource.reply, opt_outs=blocked)
    replies: Counter[CampaignId] = Counter()
    opt_outs: Counter[CampaignId] = Counter()
    opting_out: list[ReplyId] = []
    for found in new:
        campaign_id = found.reply.campaign_id
        if campaign_id is None:
            continue
        replies[campaign_id] += 1
        newly = {(opt_out.signature_id, opt_out.mobile) for opt_out in found.blocked} & fresh
        if newly:
            fresh -= newly
            opt_outs[campaign_id] += 1
            opting_out.append(reply_ids[found.reply.platform_reply_id])
    campaigns = sorted(replies)
    if campaigns:
        await store.lock_tallies(connection, campaign_ids=campaigns)
        counts = [(key, replies[key], opt_outs[key]) for key in campaigns]
        await store.count_replies(connection, counts=counts)
    if opting_out:
        await store.note_opt_outs(connection, reply_ids=opting_out)


async def _merge_click_block(connection: Connection, keys: Sequence[TokenKey]) -> Merged:
    clicks = await store.take_clicks(connection, limit=_CLICKS)
    if not clicks:
        return Merged()
    merged = await store.merge_clicks(
        connection, clicks=clicks, judgements=judge(clicks), named=_named(clicks, keys)
    )
    clickers = await store.first_clicks(
        connection, clicks=[click for click in merged if click.human and click.message_id]
    )
    await _count_clicks(connection, merged, clickers)
    strays = sum(1 for click in merged if click.message_id is None)
    return Merged(taken=len(clicks), changed=len(merged), strays=strays)


def _named(clicks: Sequence[RawClick], keys: Sequence[TokenKey]) -> list[NamedMessage]:
    """Return the message that each token spells, under each version of the key."""
    with_token = [click for click in clicks if click.token]
    texts = [click.token for click in with_token]
    return [
        NamedMessage(click.id, found, key.version)
        for key in keys
        for click, found in zip(with_token, message_ids(texts, key), strict=True)
        if found is not None
    ]


async def _count_clicks(
    connection: Connection, merged: Sequence[MergedClick], clickers: Mapping[CampaignId, int]
) -> None:
    campaign_total = Counter(c.campaign_id for c in merged if c.campaign_id is not None)
    campaign_human = Counter(c.campaign_id for c in merged if c.campaign_id and c.human)
    campaigns = sorted(campaign_total)
    await store.lock_tallies(connection, campaign_ids=campaigns)
    await store.count_clicks(
        connection,
        counts=[(k, campaign_total[k], campaign_human[k], clickers.get(k, 0)) for k in campaigns],
    )
    link_total = Counter(click.link_id for click in merged)
    link_human = Counter(click.link_id for click in merged if click.human)
    links = [(key, link_total[key], link_human[key]) for key in sorted(link_total)]
    await store.count_link_clicks(connection, counts=links)
