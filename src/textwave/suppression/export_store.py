"""Rows of opt-outs and of the deny list as they are exported: a stream in blocks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.storage.ledger import Connection
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.suppression", "deny_store.sql")


@dataclass(frozen=True, slots=True)
class Exported:
    """What is exported: opt-outs, perhaps of one platform or signature, or the deny list."""

    kind: Literal["opt-outs", "deny list"]
    platform_id: PlatformId | None = None
    signature_id: SignatureId | None = None
    with_lifted: bool = False


class ExportRow(NamedTuple):
    """One entry; no signature: of all signatures of the platform; no platform: deny list."""

    mobile: int
    platform: str
    signature: str
    source: str
    reason: str
    evidence: str
    happened_at: datetime
    lifted_at: datetime | None
    lifted_evidence: str


async def export_blocks(
    connection: Connection, workspace_id: WorkspaceId, exported: Exported, *, block_rows: int
) -> AsyncIterator[list[ExportRow]]:
    """Yield all entries in blocks; the transaction must stay open meanwhile."""
    parameters = {
        "workspace_id": workspace_id,
        "kind": exported.kind,
        "platform_id": exported.platform_id,
        "signature_id": exported.signature_id,
        "with_lifted": exported.with_lifted,
    }
    async with connection.cursor(name="export") as cursor:
        await cursor.execute(_SQL["export"], parameters)
        while rows := await cursor.fetchmany(block_rows):
            yield [ExportRow(*row) for row in rows]
