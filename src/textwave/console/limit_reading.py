"""What the pages of limits read: rules, quiet hours, holidays and the allowlist, in one look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from textwave.audiences import store as audiences
from textwave.audiences.store import Sort, Wanted
from textwave.console.visit import Visit
from textwave.limits import allowlist_operations
from textwave.limits import store as limits_store
from textwave.limits.allowlist_store import AllowlistEntry
from textwave.limits.fatigue import WINDOW_SECONDS, CountsBy
from textwave.limits.store import FatigueRule, KeptHoliday, SendingPolicy
from textwave.signatures import store
from textwave.signatures.store import Signature

_MOST_SIGNATURES: Final = 200


@dataclass(frozen=True, slots=True)
class AllowedLimits:
    """All limits of a workspace, and the audiences that could be put on the allowlist."""

    rules: Sequence[FatigueRule]
    policy: SendingPolicy
    holidays: Sequence[KeptHoliday]
    allowlist: Sequence[AllowlistEntry]
    audiences: Sequence[str]

    @property
    def zone(self) -> str:
        """The workspace's time zone."""
        return self.policy.time_zone

    @property
    def changing(self) -> bool:
        """Tell whether the customers of past messages are being looked up."""
        return self.policy.keeps_customers and self.policy.counts_by == CountsBy.NUMBER


async def read_limits_of(visit: Visit) -> AllowedLimits:
    """Read the limits of the visited workspace, private audiences left out."""
    workspace_id = visit.workspace_id
    async with visit.ground.ledger.transaction(workspace_id) as connection:
        entries = await allowlist_operations.entries(connection, workspace_id, visit.viewer)
        listed = {entry.audience for entry in entries}
        named = await audiences.audiences(
            connection, workspace_id, wanted=Wanted(sort=Sort.NAME), viewer=visit.viewer
        )
        return AllowedLimits(
            await limits_store.rules(connection, workspace_id),
            await limits_store.policy(connection, workspace_id),
            await limits_store.holidays(connection, workspace_id),
            entries,
            [audience.name for audience in named if audience.name not in listed],
        )


async def read_signatures(visit: Visit) -> list[Signature]:
    """Read the signatures that a rule, an opt-out or a question can name."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await store.signatures(
            connection, workspace_id=visit.workspace_id, limit=_MOST_SIGNATURES
        )


def ends_in_words(at: datetime, *, begins: bool) -> str:
    """Write an end of a holiday: a whole day as the day that belongs to it, else the time."""
    if at.time() != time():
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at if begins else at - timedelta(days=1):%Y-%m-%d}"


def windows_of(rule: FatigueRule) -> list[tuple[str, int]]:
    """Return the windows that a rule limits, the shortest first."""
    limits = [(window, getattr(rule, window)) for window in WINDOW_SECONDS]
    return [(window, limit) for window, limit in limits if limit]
