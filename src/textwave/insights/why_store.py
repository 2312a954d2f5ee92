"""Rows about one number: what it was sent, what not, its opt-outs, and what fatigue counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textwave.kit.ids import CampaignId, PlatformId, WorkspaceId
from textwave.limits.explanation import CountedTouch, CountingRule
from textwave.limits.fatigue import LONGEST_WINDOW_SECONDS, CountsBy, Limits
from textwave.limits.store import rules
from textwave.storage.ledger import Connection, many
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.insights", "why_store.sql")
_MOST_TOUCHES: Final = 2_000


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message to the number, as far as it has come.

    `prepared_at` and what follows are of the last request that had it; None before there was one.
    `finished_at` is when it was delivered or failed.
    """

    campaign_id: CampaignId
    campaign: str
    type: str
    platform: str
    signature: str
    variant: str | None
    message_id: int
    state: str
    cause: str | None
    attempt: int | None
    prepared_at: datetime | None
    answered_at: datetime | None
    outcome: str | None
    finished_at: datetime | None
    clicked_at: datetime | None


@dataclass(frozen=True, slots=True)
class DroppedMessage:
    """A message that the number did not get, and what the campaign says of the reason."""

    campaign_id: CampaignId
    campaign: str
    type: str
    platform: str
    signature: str
    reason: str
    dropped_at: datetime | None
    control_share_milli: int | None
    control_size: int | None
    excluded: list[str] | None


@dataclass(frozen=True, slots=True)
class Block:
    """An opt-out of a signature, of a platform (no signature), or the deny list (no platform)."""

    platform_id: PlatformId | None
    platform: str | None
    signature: str | None
    source: str
    reason: str
    evidence: str
    blocked_at: datetime
    lifted_at: datetime | None
    lifted_evidence: str | None

    def holds(self, moment: datetime) -> bool:
        """Tell whether it was in force at a moment."""
        over = self.lifted_at is not None and self.lifted_at <= moment
        return self.blocked_at <= moment and not over


async def campaigns_before(
    connection: Connection, workspace_id: WorkspaceId, *, before: int, most: int
) -> list[int]:
    """Return the newest so many planned campaigns before one."""
    parameters = {"workspace_id": workspace_id, "before": before, "most": most}
    cursor = await connection.execute(_SQL["campaigns_before"], parameters)
    return [row[0] for row in await cursor.fetchall()]


async def sent(
    connection: Connection, workspace_id: WorkspaceId, mobile: int, campaign_ids: Sequence[int]
) -> list[SentMessage]:
    """Return the messages of a number in these campaigns, newest first."""
    parameters = _of_number(workspace_id, mobile, campaign_ids)
    return await many(connection, SentMessage, _SQL["sent"], parameters)


async def dropped(
    connection: Connection, workspace_id: WorkspaceId, mobile: int, campaign_ids: Sequence[int]
) -> list[DroppedMessage]:
    """Return the drops of a number in these campaigns, newest first."""
    parameters = _of_number(workspace_id, mobile, campaign_ids)
    return await many(connection, DroppedMessage, _SQL["dropped"], parameters)


async def blocks(connection: Connection, workspace_id: WorkspaceId, mobile: int) -> list[Block]:
    """Return every opt-out and entry of a number, oldest first."""
    key = {"workspace_id": workspace_id, "mobile": mobile}
    return await many(connection, Block, _SQL["blocks"], key)


async def touches(
    connection: Connection,
    workspace_id: WorkspaceId,
    mobile: int,
    *,
    counts_by: CountsBy,
    now: datetime,
) -> list[CountedTouch]:
    """Return what fatigue counts for whoever has the number, newest first.

    Looks back over twice the longest window: drops of the last 30 days can be explained.
    """
    parameters = {
        "workspace_id": workspace_id,
        "mobile": mobile,
        "after": now - 2 * timedelta(seconds=LONGEST_WINDOW_SECONDS),
        "limit": _MOST_TOUCHES,
    }
    return await many(connection, CountedTouch, _SQL[f"touches_by_{counts_by}"], parameters)


async def counting_rules(connection: Connection, workspace_id: WorkspaceId) -> list[CountingRule]:
    """Return the fatigue rules with the signatures that each counts."""
    return [
        CountingRule(
            rule.name,
            Limits(rule.per_minute, rule.per_hour, rule.per_day, rule.per_week, rule.per_month),
            rule.changed_at,
            None
            if rule.is_global
            else frozenset(zip(rule.platforms, rule.signatures, strict=True)),
        )
        for rule in await rules(connection, workspace_id)
    ]


def _of_number(
    workspace_id: WorkspaceId, mobile: int, campaign_ids: Sequence[int]
) -> dict[str, object]:
    return {
        "workspace_id": workspace_id,
        "mobile": mobile,
        "campaign_ids": list(campaign_ids),
    }
