"""Which long-running operations somebody may look at: none about a private audience of another.

An operation is about the audiences that its request names, by itself or in a rule. To those who see
everything all operations are shown.
"""

from collections.abc import Mapping
from typing import Any

from textwave.audiences import store
from textwave.audiences.references import references
from textwave.audiences.rule import read_rule
from textwave.audiences.visibility import Viewer
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage import progress
from textwave.storage.ledger import Connection


async def check_seen(
    connection: Connection, *, workspace_id: WorkspaceId, operation_id: OperationId, viewer: Viewer
) -> None:
    """Refuse an operation about an audience that the viewer does not see.

    Raises:
        NotFound: there is no such operation for the viewer.
    """
    kept = await progress.read(connection, workspace_id=workspace_id, operation_id=operation_id)
    if viewer.is_administrator:
        return
    named = _audiences(kept.request)
    if not named <= await store.names_seen(connection, workspace_id, named, viewer):
        raise NotFound("operation", str(operation_id))


def _audiences(request: Mapping[str, Any]) -> frozenset[str]:
    alone = {request.get("audience"), request.get("against")}
    named = {name for name in alone if isinstance(name, str)} | set(request.get("audiences", ()))
    rule = request.get("rule")
    return frozenset(named) | (references(read_rule(rule)).audiences if rule else frozenset())
