"""Rows of an import of opt-outs or denied numbers: taken in blocks, and the lines that were not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textwave.kit.ids import OperationId, PlatformId, SignatureId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements
from textwave.suppression.entries import Broken, Entry

_SQL = load_statements(__package__ or "textwave.suppression", "deny_store.sql")


@dataclass(frozen=True, slots=True)
class Target:
    """What numbers are added to: a signature, else a platform, else the deny list."""

    workspace_id: WorkspaceId
    operation_id: OperationId
    signature_id: SignatureId | None
    platform_id: PlatformId | None
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that was not taken, as it was."""

    line: int
    reason: str
    content: str


async def add_entries(
    connection: Connection, target: Target, entries: Sequence[Entry], now: datetime
) -> int:
    """Block the numbers; return how many a later consent has overtaken."""
    if not entries:
        return 0
    statement = "import_denials" if target.signature_id is None else "import_opt_outs"
    parameters = {
        "workspace_id": target.workspace_id,
        "operation_id": target.operation_id,
        "signature_id": target.signature_id,
        "platform_id": target.platform_id,
        "reason": target.reason,
        "actor": target.actor,
        "now": now,
        "mobiles": [entry.mobile for entry in entries],
        "evidences": [entry.evidence for entry in entries],
        "times": [entry.at for entry in entries],
    }
    overtaken: int = await value(connection, _SQL[statement], parameters)
    return overtaken


async def reject_lines(connection: Connection, target: Target, lines: Sequence[Broken]) -> None:
    """Keep lines that were not taken."""
    if not lines:
        return
    parameters = {
        "workspace_id": target.workspace_id,
        "operation_id": target.operation_id,
        "lines": [broken.line for broken in lines],
        "reasons": [broken.reason for broken in lines],
        "contents": [broken.content for broken in lines],
    }
    await execute(connection, _SQL["reject_lines"], parameters)


async def added_by_import(
    connection: Connection, workspace_id: WorkspaceId, operation_id: OperationId
) -> int:
    """Return how many entries an import has added."""
    key = {"workspace_id": workspace_id, "operation_id": operation_id}
    added: int = await value(connection, _SQL["added_by_import"], key)
    return added


async def rejected_lines(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    after: int = 0,
    limit: int = 100,
) -> list[RejectedLine]:
    """Return a page of lines of an import that were not taken."""
    key = {"workspace_id": workspace_id, "operation_id": operation_id}
    parameters = {**key, "after": after, "limit": limit}
    return await many(connection, RejectedLine, _SQL["rejected_lines"], parameters)


async def forget_rejected_lines(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete lines of imports that ended before a time; return how many. As the owner."""
    parameters = {"before": before, "limit": limit}
    return await execute(connection, _SQL["forget_rejected_lines"], parameters)
