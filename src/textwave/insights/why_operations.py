"""Why somebody got a message, or did not, and what would happen to one more right now."""

from datetime import datetime
from typing import Final

from textwave.campaigns.moved_store import newest_moved_month
from textwave.connections.store import platform_named
from textwave.insights import why_store as store
from textwave.insights.why import Known, RightNow, Why, explained, right_now
from textwave.kit.ids import WorkspaceId
from textwave.kit.mobile import Mobile, masked
from textwave.limits import allowlist_store
from textwave.limits import store as limits_store
from textwave.limits.fatigue import CountsBy
from textwave.signatures.store import signature_named
from textwave.storage.ledger import Connection

CAMPAIGNS_A_PAGE: Final = 1_000
_NEWEST: Final = 2**62


async def why(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    mobile: Mobile,
    now: datetime,
    platform: str | None = None,
    signature: str | None = None,
    before: int | None = None,
) -> Why:
    """Explain what became of a number in the newest campaigns, or those before one.

    With a platform and a signature also what would happen now to a marketing message under it.

    Raises:
        NotFound: there is no such platform or signature.
    """
    campaign_ids = await store.campaigns_before(
        connection, workspace_id, before=before or _NEWEST, most=CAMPAIGNS_A_PAGE
    )
    policy = await limits_store.policy(connection, workspace_id)
    known = Known(
        await store.blocks(connection, workspace_id, mobile),
        await store.touches(
            connection, workspace_id, mobile, counts_by=CountsBy(policy.counts_by), now=now
        ),
        await store.counting_rules(connection, workspace_id),
    )
    drops = await store.dropped(connection, workspace_id, mobile, campaign_ids)
    verdict = None
    if platform is not None and signature is not None:
        verdict = await _right_now(
            connection, workspace_id, mobile, (platform, signature), known, now
        )
    return Why(
        mobile=masked(mobile),
        sent=tuple(await store.sent(connection, workspace_id, mobile, campaign_ids)),
        not_sent=tuple(explained(drop, known) for drop in drops),
        blocks=tuple(known.blocks),
        now=verdict,
        next=campaign_ids[-1] if len(campaign_ids) == CAMPAIGNS_A_PAGE else None,
        moved_until=await newest_moved_month(connection, workspace_id=workspace_id),
    )


async def _right_now(
    connection: Connection,
    workspace_id: WorkspaceId,
    mobile: Mobile,
    named: tuple[str, str],
    known: Known,
    now: datetime,
) -> RightNow:
    platform, signature = named
    account = await platform_named(connection, workspace_id=workspace_id, name=platform)
    speaker = await signature_named(
        connection, workspace_id=workspace_id, platform_id=account.id, name=signature
    )
    on_list = await allowlist_store.on_list(connection, workspace_id, [mobile])
    return right_now(
        platform,
        signature,
        mobile,
        known=known,
        limits=await limits_store.in_force(connection, workspace_id, speaker.id),
        on_allowlist=bool(on_list),
        now=now,
    )
