"""Reading the counters of a campaign, and counting them again from the rows."""

from dataclasses import dataclass
from datetime import datetime

from textwave.campaigns.moved_store import check_in_ledger
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Connection, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.insights")


@dataclass(frozen=True, slots=True)
class Counters:
    """What the ledger keeps up to date for a campaign."""

    id: CampaignId
    name: str
    state: str
    reason: str
    created_at: datetime
    started_at: datetime | None
    planned_at: datetime | None
    completed_at: datetime | None
    price_milli: int
    currency: str
    planned: bool
    audience: int
    messages: int
    parts: int
    submitted: int
    delivered: int
    failed: int
    clicks: int
    human_clicks: int
    clickers: int
    replies: int
    opt_outs: int
    last_answer_at: datetime | None


@dataclass(frozen=True, slots=True)
class Named:
    """A count under a name: a drop reason or a failure cause."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class VariantEffect:
    """What came of one variant; the rest has no template until the winner is chosen.

    `share` is of the tested part, or for the rest of all. Clicks and clickers are people's.
    """

    name: str
    template: str | None
    share: float
    messages: int
    submitted: int
    delivered: int
    failed: int
    clicks: int
    clickers: int
    click_rate: float
    wins: bool
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recount:
    """The figures of a campaign counted from its rows."""

    messages: int
    drops: int
    parts: int
    delivered: int
    failed: int
    in_doubt: int
    clicks: int
    clickers: int
    replies: int


async def counters(connection: Connection, workspace_id: WorkspaceId, name: str) -> Counters:
    """Read a campaign's counters.

    Raises:
        NotFound: there is no campaign of that name.
    """
    parameters = {"workspace_id": workspace_id, "name": name}
    found = await one(connection, Counters, _SQL["campaign"], parameters)
    if found is None:
        raise NotFound("campaign", name)
    return found


async def drops(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> dict[str, int]:
    """Return how many were dropped, by reason."""
    return await _named(connection, "drops", workspace_id, campaign_id)


async def variants(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> list[VariantEffect]:
    """Return what came of each variant, the rest behind them."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await many(connection, VariantEffect, _SQL["variants"], key)


async def failures(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> dict[str, int]:
    """Return how many failed, by cause."""
    return await _named(connection, "failures", workspace_id, campaign_id)


async def in_doubt(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> int:
    """Return how many messages may or may not have been sent."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    count: int = await value(connection, _SQL["in_doubt"], key)
    return count


async def trouble(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> str:
    """Return what sending waits for, or an empty text."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await value(connection, _SQL["trouble"], key) or ""


async def recount(connection: Connection, campaign_id: CampaignId) -> Recount:
    """Count a campaign from its rows; as the owner.

    Raises:
        MessagesMoved: the rows have left the ledger; the counters are all there is here.
    """
    workspace_id = await value(connection, _SQL["workspace_of"], {"campaign_id": campaign_id})
    await check_in_ledger(connection, workspace_id=workspace_id, campaign_id=campaign_id)
    counted = await one(connection, Recount, _SQL["recount"], {"campaign_id": campaign_id})
    if counted is None:
        raise NotFound("campaign", str(campaign_id))
    return counted


async def _named(
    connection: Connection, statement: str, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> dict[str, int]:
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    rows = await many(connection, Named, _SQL[statement], key)
    return {row.name: row.count for row in rows}
