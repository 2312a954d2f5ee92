"""Who changed what, for the audit log."""

from collections.abc import Mapping

from textwave.accounts.store import audit
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Connection


async def note_change(
    connection: Connection,
    workspace_id: WorkspaceId,
    actor: str,
    action: str,
    name: str,
    detail: Mapping[str, object],
) -> None:
    """Write the change down in the transaction that made it."""
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=action,
        object_name=name,
        detail=detail,
    )
