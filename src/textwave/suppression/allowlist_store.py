"""Rows of the allowlist: audiences to whom no limit but opt-outs and the deny list applies."""

from collections.abc import Sequence

from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Connection
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.suppression", "allowlist_store.sql")


async def on_list(
    connection: Connection, workspace_id: WorkspaceId, mobiles: Sequence[int]
) -> set[int]:
    """Return those of the numbers that no limit applies to."""
    key = {"workspace_id": workspace_id, "mobiles": list(mobiles)}
    cursor = await connection.execute(_SQL["on_list"], key)
    return {row[0] for row in await cursor.fetchall()}
