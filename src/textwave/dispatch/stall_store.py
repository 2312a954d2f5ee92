"""Reading what tells whether campaigns stand still, and noting since when they do."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from textwave.dispatch.stall import Facts
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch", "stall_store.sql")


async def facts(
    connection: Connection,
    workspace_id: WorkspaceId | None = None,
    campaign_ids: Sequence[CampaignId] | None = None,
) -> list[Facts]:
    """Return the facts of campaigns that should move, among those named; none named: of all."""
    ids = None if campaign_ids is None else list(campaign_ids)
    parameters = {"workspace_id": workspace_id, "campaign_ids": ids}
    return await many(connection, Facts, _SQL["facts"], parameters)


async def note(connection: Connection, stalled: Mapping[CampaignId, bool], now: datetime) -> int:
    """Note which sending campaigns stand still; return of how many that is new."""
    parameters = {
        "campaign_ids": list(stalled),
        "stalled": list(stalled.values()),
        "now": now,
    }
    return await execute(connection, _SQL["note"], parameters)
