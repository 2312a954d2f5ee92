"""Rows of extend codes: whose each is, and what replies told of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.responses.codes import LEAST_SEEN, Written
from textwave.storage.ledger import Connection, execute, many
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses", "code_store.sql")


@dataclass(frozen=True, slots=True)
class _Known:
    code: str
    workspace_id: WorkspaceId
    signature_id: SignatureId


async def codes_known(
    connection: Connection, *, platform_id: PlatformId, codes: Sequence[str]
) -> dict[str, Written]:
    """Return whose codes are, as far as it is known."""
    if not codes:
        return {}
    parameters = {"platform_id": platform_id, "codes": list(codes), "least": LEAST_SEEN}
    found = await many(connection, _Known, _SQL["codes_known"], parameters)
    return {known.code: Written(known.workspace_id, known.signature_id) for known in found}


async def learn_codes(
    connection: Connection, *, platform_id: PlatformId, told: Counter[tuple[str, Written]]
) -> None:
    """Count what replies told of codes."""
    if not told:
        return
    ordered = sorted(told.items(), key=lambda item: (item[0][0], item[0][1].signature_id))
    parameters = {
        "platform_id": platform_id,
        "codes": [code for (code, _), _ in ordered],
        "signature_ids": [written.signature_id for (_, written), _ in ordered],
        "workspace_ids": [written.workspace_id for (_, written), _ in ordered],
        "counts": [count for _, count in ordered],
    }
    await execute(connection, _SQL["learn_codes"], parameters)
