"""Rows of signatures.

Every statement names the workspace, but for what a platform is asked and decides: it is shared by
workspaces, and its word counts in all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.signatures.states import SignatureState
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.signatures")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who speaks, without brackets; `verified`: the platform itself said its state.

    `rate_per_second`: messages a second under it at most; None: as many as the account takes.
    """

    id: SignatureId
    workspace_id: WorkspaceId
    platform_id: PlatformId
    platform: str
    name: str
    state: SignatureState
    reason: str
    verified: bool
    rate_per_second: int | None
    created_at: datetime
    decided_at: datetime | None

    def __post_init__(self) -> None:
        """Take the text of a row as the state it stands for."""
        object.__setattr__(self, "state", SignatureState(self.state))


@dataclass(frozen=True, slots=True)
class Decided:
    """A signature or template that was just approved or rejected."""

    workspace_id: WorkspaceId
    id: int
    name: str
    state: str


async def add_signature(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId,
    name: str,
    state: SignatureState,
    reason: str,
    verified: bool,
    now: datetime,
) -> SignatureId | None:
    """Add a signature; None when the workspace has it already."""
    parameters = {
        "workspace_id": workspace_id,
        "platform_id": platform_id,
        "name": name,
        "state": state,
        "reason": reason,
        "verified": verified,
        "now": now,
    }
    added = await value(connection, _SQL["add_signature"], parameters)
    return None if added is None else SignatureId(added)


async def signatures(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None = None,
    name: str | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[Signature]:
    """Return a page of a workspace's signatures behind the id `after`."""
    parameters = {
        "workspace_id": workspace_id,
        "platform_id": platform_id,
        "name": name,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, Signature, _SQL["signatures"], parameters)


async def signature_named(
    connection: Connection, *, workspace_id: WorkspaceId, platform_id: PlatformId, name: str
) -> Signature:
    """Read a signature.

    Raises:
        NotFound: the workspace has none of that name on that platform.
    """
    found = await signatures(
        connection, workspace_id=workspace_id, platform_id=platform_id, name=name
    )
    if not found:
        raise NotFound("signature", name)
    return found[0]


async def set_signature_rate(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    rate_per_second: int | None,
) -> None:
    """Set how many messages a second may leave under a signature; None: no limit of its own."""
    parameters = {
        "workspace_id": workspace_id,
        "id": signature_id,
        "rate_per_second": rate_per_second,
    }
    await execute(connection, _SQL["set_signature_rate"], parameters)


async def move_signature(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    sources: Sequence[SignatureState],
    state: SignatureState,
) -> bool:
    """Move a signature from one of the states; False when it is in none, or in use."""
    parameters = _move(workspace_id, signature_id, sources, state)
    return await value(connection, _SQL["move_signature"], parameters) is not None


async def campaign_using_signature(
    connection: Connection, *, workspace_id: WorkspaceId, signature_id: SignatureId
) -> str | None:
    """Return the name of a campaign under way that speaks under the signature."""
    key = {"workspace_id": workspace_id, "id": signature_id}
    return await value(connection, _SQL["campaign_using_signature"], key)


async def decide_signatures(
    connection: Connection,
    *,
    platform_id: PlatformId,
    reasons: Mapping[str, str],
    sources: Sequence[SignatureState],
    state: SignatureState,
    now: datetime,
) -> list[Decided]:
    """Decide signatures of a platform, by name with the reason; return those that it moved."""
    parameters = _decision(platform_id, reasons, sources, state, now)
    return await many(connection, Decided, _SQL["decide_signatures"], parameters)


def _move(
    workspace_id: WorkspaceId, id_: int, sources: Sequence[str], state: str
) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "id": id_,
        "sources": [str(source) for source in sources],
        "state": str(state),
    }


def _decision(
    platform_id: PlatformId,
    reasons: Mapping[str, str],
    sources: Sequence[str],
    state: str,
    now: datetime,
) -> dict[str, Any]:
    return {
        "platform_id": platform_id,
        "names": list(reasons),
        "reasons": list(reasons.values()),
        "sources": [str(source) for source in sources],
        "state": str(state),
        "now": now,
    }
