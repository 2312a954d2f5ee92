"""The gate: who of a batch may be sent to now, who never, who later; when a campaign may at all.

Decides within the transaction that prepares the batch, so that nothing can change between the
decision and the request. It writes nothing about messages: what it says is written by its caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textwave.campaigns.plan import OPTED_OUT
from textwave.dispatch.requests import Recipient
from textwave.dispatch.store import Batch, SendingCampaign
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection
from textwave.suppression.store import opted_out


@dataclass(slots=True)
class Gated:
    """What the gate says of each recipient.

    `passed`: may be sent to now, in order of id. `dropped`: ids of messages that never go, by
    reason. `held`: ids of messages that wait, with the moment when each may go.
    """

    passed: list[Recipient]
    dropped: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    held: dict[int, datetime] = field(default_factory=dict[int, datetime])


async def gate(
    connection: Connection,
    *,
    campaign: SendingCampaign,
    batch: Batch,
    recipients: Sequence[Recipient],
    now: datetime,
) -> Gated:
    """Say who of a batch may be sent to now; nobody who opted out before this moment."""
    _ = batch, now
    gated = Gated(list(recipients))
    if campaign.type == MessageType.notification or not recipients:
        return gated
    mobiles = [recipient.mobile for recipient in recipients]
    blocked = await opted_out(connection, campaign.signature_id, mobiles)
    if blocked:
        gated.passed = [r for r in recipients if r.mobile not in blocked]
        gated.dropped[OPTED_OUT] = [r.id for r in recipients if r.mobile in blocked]
    return gated


async def opens_at(
    connection: Connection, *, campaign: SendingCampaign, now: datetime
) -> datetime | None:
    """Return when the whole campaign may send again; None: it may now."""
    _ = connection, campaign, now
    return None
