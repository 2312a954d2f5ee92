"""What a dry run expects of fatigue and quiet hours, beside the plan that it is sure of."""

from datetime import datetime
from typing import Any, Final

from textwave.campaigns import store
from textwave.campaigns.brief import Brief
from textwave.campaigns.timing import shown
from textwave.limits.forecast import Asked, Forecast
from textwave.limits.forecast_operations import forecast
from textwave.limits.quiet import WhenQuiet
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Ledger

_ESTIMATE: Final = (
    "An estimate: what fatigue rules and quiet hours would drop, or let wait, of these messages if "
    "they were all sent at {moment}. It is decided anew for each message before it leaves."
)
_UNLIMITED: Final = "Notifications are not limited by fatigue rules and quiet hours."


async def expected(ledger: Ledger, brief: Brief, people: Asked, now: datetime) -> dict[str, Any]:
    """Return the estimate as a part of a dry run's result."""
    if brief.type == MessageType.notification:
        return _written(Forecast(), _UNLIMITED)
    async with ledger.transaction() as connection:
        [campaign] = await store.campaigns(connection, brief.workspace_id, name=brief.name)
    found = await forecast(
        ledger,
        workspace_id=brief.workspace_id,
        signature_id=brief.signature_id,
        quiet=WhenQuiet(campaign.quiet),
        asked=people,
        now=now,
    )
    return _written(found, _ESTIMATE.format(moment=shown(now, brief.zone)))


def _written(found: Forecast, note: str) -> dict[str, Any]:
    return {
        "expected_drops": found.drops,
        "expected_waiting": found.waiting,
        "expected_note": note,
    }
