"""The messages that keyed receipts mean, in one statement a block, and those that mean none."""

from collections.abc import Sequence

from textwave.accounts.store import installation_name
from textwave.kit.ids import PlatformId
from textwave.platforms.contract import Receipt
from textwave.responses.keyed import Asked, asked_of, is_keyed, named
from textwave.storage.ledger import Connection, execute
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses", "keyed_store.sql")
_KEY_KEPT = 300


async def name_messages(
    connection: Connection, platform_id: PlatformId, receipts: Sequence[Receipt]
) -> tuple[list[Receipt], int]:
    """Return the receipts, each with its message's id; keep the strays, and count them."""
    keyed = [receipt for receipt in receipts if is_keyed(receipt)]
    if not keyed:
        return list(receipts), 0
    asked = asked_of(keyed, await installation_name(connection) or "")
    found, strays = named(keyed, await _resolve(connection, platform_id, asked))
    if strays:
        await _keep_strays(connection, platform_id, strays)
    return [receipt for receipt in receipts if not is_keyed(receipt)] + found, len(strays)


async def _resolve(
    connection: Connection, platform_id: PlatformId, asked: Sequence[Asked]
) -> dict[int, int]:
    parameters = {
        "platform_id": platform_id,
        "positions": [one.position for one in asked],
        "campaign_ids": [one.key.campaign_id for one in asked],
        "numbers": [one.key.number for one in asked],
        "attempts": [one.key.attempt for one in asked],
        "mobiles": [one.mobile for one in asked],
    }
    # Planned each time: only with the arrays in sight does the planner know how long they are.
    cursor = connection.cursor(binary=True)
    await cursor.execute(_SQL["resolve"], parameters, prepare=False)
    return dict(await cursor.fetchall())


async def _keep_strays(
    connection: Connection, platform_id: PlatformId, strays: Sequence[Receipt]
) -> None:
    parameters = {
        "platform_id": platform_id,
        "keys": [receipt.request_key[:_KEY_KEPT] for receipt in strays],
        "mobiles": [receipt.mobile for receipt in strays],
        "statuses": [receipt.error_code or receipt.state for receipt in strays],
    }
    await execute(connection, _SQL["keep_strays"], parameters)
