"""Rows of what comes back: the inbox of callbacks, and the merges into messages and counters.

Every merge is set-based: a block of values goes in as arrays, a handful of counts comes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from textwave.kit.ids import CampaignId, PlatformId, ReplyId, SignatureId, WorkspaceId
from textwave.responses.clicks import Judgement, RawClick
from textwave.responses.intent import Intent
from textwave.responses.receipts import CONCLUDED, ReceiptColumns
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses")

REPLY_WINDOW: Final = timedelta(days=7)
_CAMPAIGNS_SEARCHED: Final = 50


@dataclass(frozen=True, slots=True)
class Payload:
    """A stored callback that waits to be merged; `format`: in whose form its body is."""

    id: int
    platform_id: PlatformId
    format: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FinalCount:
    """How many messages of a campaign became delivered (no cause) or failed.

    `was`: the cause with which they had failed before, from no more than silence or doubt; else
    empty.
    """

    campaign_id: CampaignId
    workspace_id: WorkspaceId
    cause: str
    was: str
    count: int


@dataclass(frozen=True, slots=True)
class WaitingCampaign:
    """A campaign with messages that have no final state yet."""

    id: CampaignId
    workspace_id: WorkspaceId


@dataclass(frozen=True, slots=True)
class ExpiredRequests:
    """The last request of a block, and how many messages were given up in it."""

    number: int
    attempt: int
    expired: int


@dataclass(frozen=True, slots=True)
class NamedSignature:
    """A signature that a reply may have been sent to."""

    id: SignatureId
    workspace_id: WorkspaceId
    name: str


@dataclass(frozen=True, slots=True)
class AskedReply:
    """A reply whose message is looked for; `signature` is None where the platform knows none."""

    ordinal: int
    mobile: int
    signature: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TracedReply:
    """The newest message of one signature that a reply can answer."""

    ordinal: int
    workspace_id: WorkspaceId
    signature_id: SignatureId
    campaign_id: CampaignId
    message_id: int


@dataclass(frozen=True, slots=True)
class NewReply:
    """A reply as it is kept."""

    workspace_id: WorkspaceId
    platform_reply_id: str
    signature_id: SignatureId | None
    campaign_id: CampaignId | None
    message_id: int | None
    mobile: int
    content: str
    intent: Intent
    received_at: datetime


@dataclass(frozen=True, slots=True)
class KeptReply:
    """A reply as it is read."""

    id: ReplyId
    platform_id: PlatformId
    platform_reply_id: str
    signature_id: SignatureId | None
    campaign_id: CampaignId | None
    message_id: int | None
    mobile: int
    content: str
    intent: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NamedMessage:
    """The message that a click's token spells under one version of the key."""

    click_id: int
    message_id: int
    version: int


@dataclass(frozen=True, slots=True)
class MergedClick:
    """A click as it was kept."""

    campaign_id: CampaignId | None
    message_id: int | None
    link_id: int
    human: bool
    clicked_at: datetime


async def take_waiting(connection: Connection, *, kind: str, limit: int) -> list[Payload]:
    """Take waiting payloads for this transaction; those that another has are passed over."""
    return await many(connection, Payload, _SQL["take_waiting"], {"kind": kind, "limit": limit})


async def mark_merged(connection: Connection, *, problems: Mapping[int, str | None]) -> None:
    """Mark payloads as merged; a problem says what could not be taken."""
    parameters = {"ids": list(problems), "problems": list(problems.values())}
    await execute(connection, _SQL["mark_merged"], parameters)


async def forget_payloads(
    connection: Connection, *, before: datetime, problems_before: datetime, limit: int
) -> int:
    """Delete merged payloads, later those with a problem; return how many."""
    parameters = {"before": before, "problems_before": problems_before, "limit": limit}
    return await execute(connection, _SQL["forget_payloads"], parameters)


async def forget_strays(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete receipts that fit no message; return how many."""
    return await execute(connection, _SQL["forget_strays"], {"before": before, "limit": limit})


async def become_the_one_writer(connection: Connection) -> None:
    """Wait until no other transaction decides about final states."""
    await connection.execute(_SQL["one_writer"])


async def merge_receipts(
    connection: Connection, *, platform_id: PlatformId, columns: ReceiptColumns
) -> tuple[list[FinalCount], int]:
    """Merge final receipts of one platform; return what changed, and how many were strays."""
    parameters = {
        "platform_id": platform_id,
        "message_ids": columns.message_ids,
        "mobiles": columns.mobiles,
        "causes": columns.causes,
        "reported": columns.reported,
        "concluded": list(CONCLUDED),
    }
    counts = await _finals(connection, "merge_receipts", parameters)
    if sum(found.count for found in counts) == columns.count:
        return counts, 0
    cursor = await connection.execute(_SQL["unmerged_receipts"], parameters, prepare=False)
    late, strays = await cursor.fetchone() or (0, 0)
    if late:
        counts += await _finals(connection, "merge_late_receipts", parameters)
    if strays:
        await connection.execute(_SQL["keep_strays"], parameters, prepare=False)
    return counts, strays


async def _finals(
    connection: Connection, name: str, parameters: Mapping[str, Any]
) -> list[FinalCount]:
    # Planned each time: only with the arrays in sight does the planner know how long they are.
    cursor = await connection.execute(_SQL[name], parameters, prepare=False)
    return [FinalCount(*row) for row in await cursor.fetchall()]


async def lock_tallies(connection: Connection, *, campaign_ids: Sequence[CampaignId]) -> None:
    """Lock the counters of campaigns in one order."""
    await execute(connection, _SQL["lock_tallies"], {"campaign_ids": list(campaign_ids)})


async def count_finals(
    connection: Connection, *, finals: Sequence[tuple[CampaignId, int, int, int]]
) -> None:
    """Add (campaign, delivered, failed, submitted) to the counters."""
    await execute(
        connection,
        _SQL["count_finals"],
        {
            "campaign_ids": [row[0] for row in finals],
            "delivered": [row[1] for row in finals],
            "failed": [row[2] for row in finals],
            "submitted": [row[3] for row in finals],
        },
    )


async def count_causes(
    connection: Connection, *, causes: Sequence[tuple[CampaignId, WorkspaceId, str, int]]
) -> None:
    """Add (campaign, workspace, cause, count) to the counters of failures."""
    await execute(
        connection,
        _SQL["count_causes"],
        {
            "campaign_ids": [row[0] for row in causes],
            "workspace_ids": [row[1] for row in causes],
            "causes": [row[2] for row in causes],
            "counts": [row[3] for row in causes],
        },
    )


async def uncount_concluded(
    connection: Connection, *, counts: Mapping[tuple[CampaignId, str], int]
) -> None:
    """Take failures back that were only concluded, by campaign and cause."""
    parameters = {
        "campaign_ids": [campaign_id for campaign_id, _ in counts],
        "causes": [cause for _, cause in counts],
        "counts": list(counts.values()),
    }
    await execute(connection, _SQL["uncount_concluded"], parameters)


async def campaigns_waiting(
    connection: Connection, *, accepted_before: datetime, accepted_after: datetime
) -> list[WaitingCampaign]:
    """Return campaigns in which messages may have waited too long."""
    parameters = {"accepted_before": accepted_before, "accepted_after": accepted_after}
    return await many(connection, WaitingCampaign, _SQL["campaigns_waiting"], parameters)


async def expire_requests(
    connection: Connection,
    *,
    campaign: WaitingCampaign,
    accepted_before: datetime,
    after: tuple[int, int],
    now: datetime,
    limit: int,
) -> ExpiredRequests | None:
    """Give up messages of the next requests after (number, attempt); None when there are none."""
    parameters = {
        "campaign_id": campaign.id,
        "workspace_id": campaign.workspace_id,
        "accepted_before": accepted_before,
        "number": after[0],
        "attempt": after[1],
        "now": now,
        "limit": limit,
    }
    return await one(connection, ExpiredRequests, _SQL["expire_requests"], parameters)


async def cursor_of(connection: Connection, *, platform_id: PlatformId, kind: str) -> str:
    """Return where the last pull of a kind ended; empty before the first."""
    found: str | None = await value(
        connection, _SQL["cursor"], {"platform_id": platform_id, "kind": kind}
    )
    return found or ""


async def move_cursor(
    connection: Connection, *, platform_id: PlatformId, kind: str, after: str, to: str
) -> bool:
    """Move a pull's cursor; False when another pull moved it first."""
    parameters = {"platform_id": platform_id, "kind": kind, "after": after, "next": to}
    return await value(connection, _SQL["take_cursor"], parameters) is not None


async def store_payload(
    connection: Connection, *, platform_id: PlatformId, kind: str, body: bytes, form: str
) -> None:
    """Keep a pulled page as if it had been pushed."""
    parameters = {"platform_id": platform_id, "kind": kind, "body": body, "format": form}
    await value(connection, _SQL["store_payload"], parameters)


async def signatures_named(
    connection: Connection, *, platform_id: PlatformId, names: Sequence[str]
) -> list[NamedSignature]:
    """Return the signatures of a platform that bear one of the names."""
    parameters = {"platform_id": platform_id, "names": list(names)}
    return await many(connection, NamedSignature, _SQL["signatures_named"], parameters)


async def only_workspace(connection: Connection, *, platform_id: PlatformId) -> WorkspaceId | None:
    """Return the workspace of a platform that no other shares, or None."""
    cursor = await connection.execute(_SQL["workspaces_of_platform"], {"platform_id": platform_id})
    rows = await cursor.fetchall()
    return WorkspaceId(rows[0][0]) if len(rows) == 1 else None


async def trace_replies(
    connection: Connection, *, platform_id: PlatformId, asked: Sequence[AskedReply]
) -> list[TracedReply]:
    """Find the newest message of the last 7 days of each signature that a reply can answer."""
    parameters = {
        "platform_id": platform_id,
        "ordinals": [reply.ordinal for reply in asked],
        "mobiles": [reply.mobile for reply in asked],
        "signatures": [reply.signature for reply in asked],
        "times": [reply.received_at for reply in asked],
        "sent_after": min(reply.received_at for reply in asked) - REPLY_WINDOW,
        "window": REPLY_WINDOW,
        "campaigns": _CAMPAIGNS_SEARCHED,
    }
    return await many(connection, TracedReply, _SQL["trace_replies"], parameters)


async def add_replies(
    connection: Connection,
    *,
    platform_id: PlatformId,
    replies: Sequence[NewReply],
    arrivals: Mapping[str, datetime],
) -> dict[str, ReplyId]:
    """Keep replies; return the platform's ids of those that were not known, and ours.

    `arrivals`: when replies came in here, by the platform's ids.
    """
    parameters = {
        "platform_id": platform_id,
        "workspace_ids": [reply.workspace_id for reply in replies],
        "reply_ids": [reply.platform_reply_id for reply in replies],
        "signature_ids": [reply.signature_id for reply in replies],
        "campaign_ids": [reply.campaign_id for reply in replies],
        "message_ids": [reply.message_id for reply in replies],
        "mobiles": [reply.mobile for reply in replies],
        "contents": [reply.content for reply in replies],
        "intents": [str(reply.intent) for reply in replies],
        "times": [reply.received_at for reply in replies],
        "arrivals": [arrivals.get(reply.platform_reply_id) for reply in replies],
    }
    cursor = await connection.execute(_SQL["add_replies"], parameters)
    return {row[0]: ReplyId(row[1]) for row in await cursor.fetchall()}


async def note_opt_outs(connection: Connection, *, reply_ids: Sequence[ReplyId]) -> None:
    """Note which replies blocked a number that was not blocked before."""
    await execute(connection, _SQL["note_opt_outs"], {"reply_ids": list(reply_ids)})


async def count_replies(
    connection: Connection, *, counts: Sequence[tuple[CampaignId, int, int]]
) -> None:
    """Add (campaign, replies, opt-outs) to the counters."""
    parameters = {
        "campaign_ids": [row[0] for row in counts],
        "replies": [row[1] for row in counts],
        "opt_outs": [row[2] for row in counts],
    }
    await execute(connection, _SQL["count_replies"], parameters)


async def replies(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId | None = None,
    intent: Intent | None = None,
    after: ReplyId | None = None,
    limit: int = 100,
) -> list[KeptReply]:
    """Return a page of replies, newest first; `after` is the last id already seen."""
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "campaign_id": campaign_id,
        "intent": intent,
        "after": after,
        "limit": limit,
    }
    return await many(connection, KeptReply, _SQL["replies"], parameters)


async def take_clicks(connection: Connection, *, limit: int) -> list[RawClick]:
    """Take raw clicks out of the inbox, in the order in which they came."""
    clicks = await many(connection, RawClick, _SQL["take_clicks"], {"limit": limit})
    return sorted(clicks, key=lambda click: click.id)


async def merge_clicks(
    connection: Connection,
    *,
    clicks: Sequence[RawClick],
    judgements: Sequence[Judgement],
    named: Sequence[NamedMessage],
) -> list[MergedClick]:
    """Keep judged clicks, each with the message that its token names, if it names one."""
    parameters = {
        "ids": [click.id for click in clicks],
        "link_ids": [click.link_id for click in clicks],
        "humans": [judgement.human for judgement in judgements],
        "rules": [judgement.rule for judgement in judgements],
        "times": [click.clicked_at for click in clicks],
        "token_clicks": [name.click_id for name in named],
        "token_messages": [name.message_id for name in named],
        "token_versions": [name.version for name in named],
    }
    cursor = await connection.execute(_SQL["merge_clicks"], parameters, prepare=False)
    return [MergedClick(*row) for row in await cursor.fetchall()]


async def first_clicks(
    connection: Connection, *, clicks: Sequence[MergedClick]
) -> dict[CampaignId, int]:
    """Remember first human clicks of messages; return how many new clickers a campaign has."""
    parameters = {
        "message_ids": [click.message_id for click in clicks],
        "times": [click.clicked_at for click in clicks],
    }
    cursor = await connection.execute(_SQL["first_clicks"], parameters, prepare=False)
    return {CampaignId(row[0]): row[1] for row in await cursor.fetchall()}


async def count_clicks(
    connection: Connection, *, counts: Sequence[tuple[CampaignId, int, int, int]]
) -> None:
    """Add (campaign, clicks, human clicks, clickers) to the counters."""
    parameters = {
        "campaign_ids": [row[0] for row in counts],
        "clicks": [row[1] for row in counts],
        "human_clicks": [row[2] for row in counts],
        "clickers": [row[3] for row in counts],
    }
    await execute(connection, _SQL["count_clicks"], parameters)


async def count_link_clicks(
    connection: Connection, *, counts: Sequence[tuple[int, int, int]]
) -> None:
    """Add (link, clicks, human clicks) to the links' counters."""
    parameters = {
        "link_ids": [row[0] for row in counts],
        "clicks": [row[1] for row in counts],
        "human_clicks": [row[2] for row in counts],
    }
    await execute(connection, _SQL["count_link_clicks"], parameters)
