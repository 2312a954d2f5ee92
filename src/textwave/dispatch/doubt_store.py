"""Rows of requests in doubt, and of what was said about them; in sets, a campaign at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from textwave.campaigns.endings import NOT_IN_TIME
from textwave.dispatch.doubt import (
    DOUBTED_CAUSES,
    DoubtCase,
    DoubtGroup,
    RequestKey,
    SettledAs,
)
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch", "doubt_store.sql")
_NEVER_LEFT: Final = ["cancelled", NOT_IN_TIME]
_OWN_CAUSES: Final = [*DOUBTED_CAUSES, *_NEVER_LEFT]
"""Causes that no receipt gives."""


@dataclass(frozen=True, slots=True)
class CampaignKey:
    """Which campaign, and whose."""

    workspace_id: WorkspaceId
    campaign_id: CampaignId

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Return the key as parameters of a statement."""
        return {"workspace_id": self.workspace_id, "campaign_id": self.campaign_id, **more}


@dataclass(frozen=True, slots=True)
class Doubted:
    """A request in doubt that is to be settled."""

    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said about a request."""

    number: int
    attempt: int
    settled_as: str
    settled_by: str


async def cases(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    campaign: str | None = None,
    platform: str | None = None,
    after: RequestKey | None = None,
    limit: int = 100,
) -> list[DoubtCase]:
    """Return requests in doubt; `after` is the key that the last page ended with."""
    return await _cases(
        connection, workspace_id, campaign=campaign, platform=platform, after=after, limit=limit
    )


async def case(
    connection: Connection, workspace_id: WorkspaceId, key: RequestKey
) -> DoubtCase | None:
    """Return one request in doubt; None when it is not or no more."""
    found = await _cases(connection, workspace_id, key=key, limit=1)
    return found[0] if found else None


async def groups(connection: Connection, workspace_id: WorkspaceId) -> list[DoubtGroup]:
    """Return how much of each campaign is in doubt."""
    return await many(connection, DoubtGroup, _SQL["groups"], {"workspace_id": workspace_id})


async def many_in_doubt(connection: Connection, workspace_id: WorkspaceId, *, most: int) -> int:
    """Return how many requests are in doubt; not more than `most`."""
    parameters = {"workspace_id": workspace_id, "most": most}
    return int(await value(connection, _SQL["many_in_doubt"], parameters))


async def exists(connection: Connection, workspace_id: WorkspaceId, key: RequestKey) -> bool:
    """Tell whether there is such a request, in doubt or not."""
    parameters = {"workspace_id": workspace_id, **key._asdict()}
    return bool(await value(connection, _SQL["exists"], parameters))


async def say(
    connection: Connection,
    key: CampaignKey,
    request: RequestKey | None,
    *,
    settled_as: SettledAs,
    actor: str,
) -> int:
    """Write down what a person says about a request, or all; return how many nobody had before."""
    parameters = key.parameters(
        settled_as=settled_as,
        actor=actor,
        number=request.number if request else None,
        attempt=request.attempt if request else None,
    )
    return await execute(connection, _SQL["say"], parameters)


async def become_the_one_writer(connection: Connection) -> None:
    """Wait until no other transaction decides about final states."""
    await connection.execute(_SQL["one_writer"])


async def campaigns_in_doubt(connection: Connection) -> list[CampaignKey]:
    """Return the campaigns with requests in doubt, of all workspaces."""
    return await many(connection, CampaignKey, _SQL["campaigns_in_doubt"])


async def doubt_unanswered(connection: Connection, *, before: datetime) -> int:
    """Put requests in doubt that were interrupted and will not be looked at again."""
    return await execute(connection, _SQL["doubt_unanswered"], {"before": before})


async def said(connection: Connection, key: CampaignKey, *, limit: int) -> list[Said]:
    """Take requests of which a person has said what they are."""
    return await many(connection, Said, _SQL["said"], key.parameters(limit=limit))


async def shown_taken(
    connection: Connection, key: CampaignKey, *, before: datetime, limit: int
) -> list[Doubted]:
    """Take requests of which something came back."""
    parameters = key.parameters(before=before, limit=limit, own_causes=_OWN_CAUSES)
    return await many(connection, Doubted, _SQL["shown_taken"], parameters)


async def overdue(
    connection: Connection, key: CampaignKey, *, before: datetime, limit: int
) -> list[Doubted]:
    """Take requests that were prepared before a time."""
    return await many(
        connection, Doubted, _SQL["overdue"], key.parameters(before=before, limit=limit)
    )


async def accept(
    connection: Connection, key: CampaignKey, requests: Sequence[Doubted | Said], *, detail: str
) -> None:
    """Record that requests were taken."""
    parameters = key.parameters(detail=detail, never_left=_NEVER_LEFT, **_columns(requests))
    await execute(connection, _SQL["accept"], parameters)


async def fail(
    connection: Connection,
    key: CampaignKey,
    requests: Sequence[Doubted | Said],
    *,
    cause: str,
    detail: str,
) -> None:
    """Fail the messages of requests that have no final state."""
    parameters = key.parameters(cause=cause, detail=detail, **_columns(requests))
    await execute(connection, _SQL["fail"], parameters)


async def send_again(
    connection: Connection, key: CampaignKey, requests: Sequence[Said], *, detail: str
) -> None:
    """Write later attempts for the messages of requests that have no final state."""
    parameters = key.parameters(detail=detail, **_columns(requests))
    await execute(connection, _SQL["send_again"], parameters)
    await execute(connection, _SQL["wake_batches"], parameters)


async def wake_account(connection: Connection, key: CampaignKey) -> None:
    """Let the campaign's account be served; last in a transaction, as everywhere."""
    await execute(connection, _SQL["wake_account"], key.parameters())


async def close(connection: Connection, key: CampaignKey) -> None:
    """End the batches in which nothing is in doubt any more, and the campaign after its last."""
    await execute(connection, _SQL["hold_tally"], key.parameters())
    await execute(connection, _SQL["close_batches"], key.parameters())
    await execute(connection, _SQL["complete"], key.parameters())


async def _cases(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    campaign: str | None = None,
    platform: str | None = None,
    key: RequestKey | None = None,
    after: RequestKey | None = None,
    limit: int,
) -> list[DoubtCase]:
    behind = after or RequestKey(CampaignId(0), -1, 0)
    parameters = {
        "workspace_id": workspace_id,
        "campaign": campaign,
        "platform": platform,
        "campaign_id": key.campaign_id if key else None,
        "number": key.number if key else None,
        "attempt": key.attempt if key else None,
        "after_campaign": behind.campaign_id,
        "after_number": behind.number,
        "after_attempt": behind.attempt,
        "limit": limit,
    }
    return await many(connection, DoubtCase, _SQL["cases"], parameters)


def _columns(requests: Sequence[Doubted | Said]) -> dict[str, list[int]]:
    return {
        "numbers": [request.number for request in requests],
        "attempts": [request.attempt for request in requests],
    }
