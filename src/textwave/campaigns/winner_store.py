"""Rows of variants while they are tried: what came of them, and the rest that waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textwave.campaigns.shares import Choice, Result
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "winner_store.sql")
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class CampaignKey:
    """A campaign in its workspace."""

    campaign_id: CampaignId
    workspace_id: WorkspaceId

    @property
    def parameters(self) -> dict[str, int]:
        """The key as parameters of a statement."""
        return {"campaign_id": self.campaign_id, "workspace_id": self.workspace_id}


@dataclass(frozen=True, slots=True)
class ToCount:
    """A campaign whose variants are to be counted, and the counters for which that will hold."""

    campaign_id: CampaignId
    workspace_id: WorkspaceId
    figures: str

    @property
    def key(self) -> CampaignKey:
        """Which campaign."""
        return CampaignKey(self.campaign_id, self.workspace_id)


@dataclass(frozen=True, slots=True)
class Rest:
    """The messages that have not got the winner's text yet."""

    next_id: int
    last_id: int
    winner: int


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message of the rest, with the values of all variants' variables."""

    id: int
    variables: list[str]
    parts: int


async def undecided(
    connection: Connection, now: datetime, *, campaign_id: CampaignId | None = None
) -> list[CampaignKey]:
    """Return campaigns, or that one, whose tests have had their time."""
    parameters = {"now": now, "campaign_id": campaign_id, "limit": _MOST_AT_ONCE}
    return await many(connection, CampaignKey, _SQL["undecided"], parameters)


async def choose(connection: Connection, key: CampaignKey, choice: Choice, now: datetime) -> bool:
    """Write the winner; False when there is one, or nothing is being sent."""
    parameters = {"number": choice.number, "reason": choice.reason, "now": now}
    return await execute(connection, _SQL["choose"], {**key.parameters, **parameters}) == 1


async def waits_for_winner(connection: Connection, key: CampaignKey) -> bool:
    """Tell whether messages of the campaign wait for the winner."""
    return bool(await value(connection, _SQL["waits_for_winner"], key.parameters))


async def count_variants(connection: Connection, key: CampaignKey, *, of: str) -> None:
    """Count each variant's messages from the rows; `of` says which counters that belongs to."""
    await execute(connection, _SQL["count_variants"], {**key.parameters, "of": of})


async def to_count(connection: Connection) -> list[ToCount]:
    """Return campaigns whose counters have moved since their variants were counted."""
    return await many(connection, ToCount, _SQL["to_count"], {"limit": _MOST_AT_ONCE})


async def results(connection: Connection, key: CampaignKey) -> list[Result]:
    """Return what came of the variants, as it was counted last."""
    return await many(connection, Result, _SQL["results"], key.parameters)


async def rest(connection: Connection, key: CampaignKey) -> Rest | None:
    """Hold the rest of a campaign that has a winner; None when it is not under way any more."""
    return await one(connection, Rest, _SQL["rest"], key.parameters)


async def messages(
    connection: Connection, key: CampaignKey, first_id: int, last_id: int
) -> list[PlannedMessage]:
    """Return messages in order of id."""
    span = {"first_id": first_id, "last_id": last_id}
    return await many(connection, PlannedMessage, _SQL["messages"], {**key.parameters, **span})


async def set_texts(
    connection: Connection,
    key: CampaignKey,
    parts: dict[int, int],
    *,
    places: Sequence[int],
    more_parts: int,
) -> None:
    """Write parts by message, and the values at `places` (from 0) in place of all of them."""
    if not parts:
        return
    ids = list(parts)
    changed = {"ids": ids, "parts": list(parts.values()), "first_id": ids[0], "last_id": ids[-1]}
    written = {"places": [place + 1 for place in places], "more_parts": more_parts}
    await execute(connection, _SQL["set_texts"], {**key.parameters, **changed, **written})


async def settle(connection: Connection, key: CampaignKey, last_id: int) -> None:
    """Write up to which id the rest has the winner's text."""
    await execute(connection, _SQL["settle"], {**key.parameters, "last_id": last_id})


async def release(connection: Connection, key: CampaignKey, now: datetime) -> int:
    """Let the rest go with the winner's text; return how many batches that are."""
    return await execute(connection, _SQL["release"], {**key.parameters, "now": now})


async def unreleased(connection: Connection) -> list[CampaignKey]:
    """Return campaigns with a winner whose rest still waits."""
    return await many(connection, CampaignKey, _SQL["unreleased"], {"limit": _MOST_AT_ONCE})
