"""Which dry run of a campaign was the last one."""

from textwave.kit.ids import CampaignId, OperationId, WorkspaceId
from textwave.storage.ledger import Connection, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "rehearsal_store.sql")


async def newest_dry_run(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> OperationId | None:
    """Return the operation of the newest dry run of a campaign; None: there was none."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    found = await value(connection, _SQL["newest_dry_run"], key)
    return None if found is None else OperationId(found)
