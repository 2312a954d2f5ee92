"""Rows of opt-out lags: what a person was still sent after a reply of “T” had come in.

The gate reads opt-outs in the transaction that prepares, so a lag is the time until the reply was
merged. A message counts from its preparation on; one that certainly never left does not.
"""

from dataclasses import dataclass
from datetime import datetime

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses", "lag_store.sql")


@dataclass(frozen=True, slots=True)
class OptOutLag:
    """Seconds from replies of “T” to the last message prepared for the person, of so many."""

    measured: int
    largest: float
    p99: float


async def measure(connection: Connection, *, merged_before: datetime, limit: int) -> int:
    """Measure opt-outs merged before a time; return how many."""
    parameters = {"merged_before": merged_before, "limit": limit}
    return await execute(connection, _SQL["measure"], parameters)


async def of_campaign(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> OptOutLag:
    """Return the lags of a campaign's opt-outs."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await one(connection, OptOutLag, _SQL["of_campaign"], key) or OptOutLag(0, 0, 0)
