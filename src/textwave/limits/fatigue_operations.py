"""Counting and writing touches in the transaction that prepares messages.

The count and the touches are one step for everybody else: whoever counts holds the workspace's
clock until its touches are committed, so that fatigue is exact under any number of campaigns.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from textwave.limits import touch_store
from textwave.limits.fatigue import CountsBy, blocked, lowest_of, most_for_one
from textwave.limits.store import LimitsInForce
from textwave.limits.touch_store import Counting, Touched
from textwave.storage.ledger import Connection


async def touch(
    connection: Connection,
    touched: Touched,
    *,
    messages: Sequence[tuple[int, int]],
    exempt: Collection[int],
    limits: LimitsInForce,
    now: datetime,
) -> set[int]:
    """Write the touches of messages; return the ids of those that would be one too many.

    `messages`: id and number in the order in which they go. Numbers that are `exempt` are counted
    and never blocked.
    """
    if not messages:
        return set()
    counting = Counting(
        limits.counts_by, limits.global_limits, limits.signature_limits, limits.signature_ids
    )
    keys: dict[int, int] = {}
    if limits.keeps_customers:
        ids = [message_id for message_id, _ in messages]
        keys = await touch_store.customer_keys(connection, touched.workspace_id, ids)
    if counting.window_seconds == 0:
        moment = await touch_store.share_clock(connection, touched.workspace_id, now=now)
        too_many = set[int]()
    else:
        moment = await touch_store.take_clock(connection, touched.workspace_id, now=now)
        asked = _persons(messages, keys, counting.counts_by)
        too_many = await _too_many(connection, touched, asked, counting, moment)
        too_many -= {message_id for message_id, mobile in messages if mobile in exempt}
    going = [message for message in messages if message[0] not in too_many]
    await touch_store.add_touches(
        connection, touched, messages=going, customer_keys=keys, moment=moment
    )
    return too_many


def _persons(
    messages: Sequence[tuple[int, int]], keys: dict[int, int], counts_by: CountsBy
) -> Sequence[tuple[int, int]]:
    """Return messages with the person that each counts for."""
    if counts_by is CountsBy.NUMBER:
        return messages
    return [(message_id, keys[message_id]) for message_id, _ in messages if message_id in keys]


async def _too_many(
    connection: Connection,
    touched: Touched,
    asked: Sequence[tuple[int, int]],
    counting: Counting,
    moment: datetime,
) -> set[int]:
    persons = [person for _, person in asked]
    rooms = await touch_store.rooms(
        connection,
        touched.workspace_id,
        counting=counting,
        persons=persons,
        fewer_than=most_for_one(persons),
        moment=moment,
    )
    return blocked(asked, rooms, lowest=lowest_of(counting.limits, counting.own_limits))
