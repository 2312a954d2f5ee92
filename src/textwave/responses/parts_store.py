"""Messages of several parts that have a receipt each: delivered when all parts are.

A part that failed fails its message at once; delivered ones are remembered until the last is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textwave.kit.ids import PlatformId
from textwave.platforms.contract import Receipt, ReceiptState
from textwave.storage.ledger import Connection, execute, many
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses", "parts_store.sql")


@dataclass(frozen=True, slots=True)
class _Complete:
    message_id: int
    reported_at: datetime


async def join_parts(
    connection: Connection, platform_id: PlatformId, receipts: Sequence[Receipt]
) -> list[Receipt]:
    """Return the receipts of whole messages: those given, and those that are complete by these."""
    delivered = [r for r in receipts if r.part is not None and r.state is ReceiptState.delivered]
    if not delivered:
        return list(receipts)
    await _keep(connection, platform_id, delivered)
    sample = {receipt.message_id: receipt for receipt in delivered}
    parameters = {"platform_id": platform_id, "message_ids": list(sample)}
    complete = await many(connection, _Complete, _SQL["complete"], parameters)
    whole = [r for r in receipts if r.part is None or r.state is not ReceiptState.delivered]
    return whole + [_of_all(sample[found.message_id], found) for found in complete]


async def forget_parts(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete parts that came before a time; return how many."""
    return await execute(connection, _SQL["forget"], {"before": before, "limit": limit})


async def _keep(
    connection: Connection, platform_id: PlatformId, delivered: Sequence[Receipt]
) -> None:
    parameters = {
        "platform_id": platform_id,
        "message_ids": [receipt.message_id for receipt in delivered],
        "parts": [receipt.part for receipt in delivered],
        "totals": [receipt.parts for receipt in delivered],
        "reported": [receipt.reported_at for receipt in delivered],
    }
    await execute(connection, _SQL["keep"], parameters)


def _of_all(part: Receipt, found: _Complete) -> Receipt:
    return Receipt(
        part.message_id, part.mobile, part.state, part.error_code, part.parts, found.reported_at
    )
