"""Which campaigns have a text of their own, and which names are free for it."""

from collections.abc import Sequence

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "own_text_store.sql")


async def taken_names(
    connection: Connection, workspace_id: WorkspaceId, names: Sequence[str]
) -> set[str]:
    """Return those of the names that templates have."""
    key = {"workspace_id": workspace_id, "names": list(names)}
    return set(await value(connection, _SQL["taken_names"], key))


async def set_own_text(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId, *, own: bool
) -> None:
    """Keep whether the campaign's template was written from within it."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id, "own_text": own}
    await execute(connection, _SQL["set_own_text"], key)
