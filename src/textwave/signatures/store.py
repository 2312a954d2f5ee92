"""Rows of signatures.

Every statement names the workspace, but for what a platform is asked and decides: it is shared by
workspaces, and its word counts in all of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from psycopg.types.json import Jsonb

from textwave.connections.accounts import PlatformKind
from textwave.connections.reviews import Decided, UnderReview
from textwave.kit.carriers import Carrier
from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.platforms.contract import CarrierReview, CarrierState, Review, ReviewState
from textwave.signatures.papers import Papers
from textwave.signatures.states import SignatureState
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
NO_CARRIERS: Final[Mapping[Carrier, CarrierReview]] = MappingProxyType({})
_SQL = load_statements(__package__ or "textwave.signatures")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who speaks, without brackets; `verified`: the platform itself said its state.

    `papers`: what it was created with; None: it existed at the platform. `carriers`: how its
    registration stands. `submitted_at`: since when the platform has it under review; while it waits
    to be handed over, `reason` says what keeps it. `rate_per_second`: messages a second under it
    at most; None: as many as the account takes.
    """

    id: SignatureId
    workspace_id: WorkspaceId
    platform_id: PlatformId
    platform: str
    kind: PlatformKind
    name: str
    state: SignatureState
    reason: str
    verified: bool
    rate_per_second: int | None
    papers: Papers | None
    carriers: Mapping[Carrier, CarrierReview]
    created_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    last_sent_at: datetime | None

    def __post_init__(self) -> None:
        """Take the texts and objects of a row as what they stand for."""
        object.__setattr__(self, "kind", PlatformKind(self.kind))
        object.__setattr__(self, "state", SignatureState(self.state))
        object.__setattr__(self, "papers", _read_papers(self.papers))
        object.__setattr__(self, "carriers", _read_carriers(self.carriers))


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
    papers: Papers | None = None,
    carriers: Mapping[Carrier, CarrierReview] = NO_CARRIERS,
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
        "papers": None if papers is None else Jsonb(asdict(papers)),
        "carriers": Jsonb(_write_carriers(carriers)),
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


async def signature(
    connection: Connection, *, workspace_id: WorkspaceId, signature_id: SignatureId
) -> Signature:
    """Read a signature, also a deleted one.

    Raises:
        NotFound: the workspace has none of that id.
    """
    key = {"workspace_id": workspace_id, "id": signature_id}
    found = await one(connection, Signature, _SQL["signature"], key)
    if found is None:
        raise NotFound("signature", str(signature_id))
    return found


async def approved_signature(
    connection: Connection, *, workspace_id: WorkspaceId, platform_id: PlatformId, name: str = ""
) -> str | None:
    """Return the name of an approved signature: of that one, or of the first one added."""
    key = {"workspace_id": workspace_id, "platform_id": platform_id, "name": name}
    return await value(connection, _SQL["approved_signature"], key)


async def move_signature(
    connection: Connection,
    *,
    signature: Signature,
    sources: Sequence[SignatureState],
    state: SignatureState,
    now: datetime,
    papers: Papers | None = None,
) -> bool:
    """Move a signature from one of the states; False when it is in none, or in use.

    With papers it waits to be handed over with them.
    """
    parameters = {
        "workspace_id": signature.workspace_id,
        "id": signature.id,
        "sources": [str(source) for source in sources],
        "state": str(state),
        "papers": None if papers is None else Jsonb(asdict(papers)),
        "hands_over": papers is not None,
        "now": now,
    }
    return await value(connection, _SQL["move_signature"], parameters) is not None


async def campaign_using_signature(connection: Connection, signature: Signature) -> str | None:
    """Return the name of a campaign under way that speaks under the signature."""
    return await value(connection, _SQL["campaign_using_signature"], _key(signature))


async def is_shared(connection: Connection, signature: Signature) -> bool:
    """Tell whether other workspaces speak under the signature too."""
    key = {"platform_id": signature.platform_id, "name": signature.name}
    shared: bool = await value(connection, _SQL["signature_is_shared"], key)
    return shared


async def is_held(connection: Connection, signature: Signature) -> bool:
    """Tell whether any workspace still has a signature of that name there; for workers."""
    key = {"platform_id": signature.platform_id, "name": signature.name}
    held: bool = await value(connection, _SQL["signature_is_held"], key)
    return held


async def signature_handed_over(
    connection: Connection, signature: Signature, *, now: datetime
) -> bool:
    """Note that the platform has it; False when it is not waiting for that."""
    parameters = {**_key(signature), "now": now}
    return await value(connection, _SQL["signature_handed_over"], parameters) is not None


async def signature_delayed(connection: Connection, signature: Signature, reason: str) -> None:
    """Say why the platform does not have the papers yet."""
    await execute(connection, _SQL["signature_delayed"], {**_key(signature), "reason": reason})


async def reject_signature(
    connection: Connection,
    signature: Signature,
    *,
    reason: str,
    sources: Sequence[SignatureState],
    state: SignatureState,
    now: datetime,
) -> list[Decided]:
    """Reject one signature that the platform did not take."""
    parameters = {
        **_key(signature),
        "reason": reason,
        "sources": [str(source) for source in sources],
        "state": str(state),
        "now": now,
    }
    return await many(connection, Decided, _SQL["reject_signature"], parameters)


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
    parameters = {
        "platform_id": platform_id,
        "names": list(reasons),
        "reasons": list(reasons.values()),
        "sources": [str(source) for source in sources],
        "state": str(state),
        "now": now,
    }
    return await many(connection, Decided, _SQL["decide_signatures"], parameters)


async def keep_registrations(
    connection: Connection,
    *,
    platform_id: PlatformId,
    reviews: Mapping[str, Review],
    now: datetime,
) -> None:
    """Keep what carriers say of signatures of a platform, by name.

    A review that is not approved is what the platform says of one that is approved here.
    """
    parameters = {
        "platform_id": platform_id,
        "names": list(reviews),
        "carriers": [Jsonb(_write_carriers(review.carriers)) for review in reviews.values()],
        "troubles": [_trouble(review) for review in reviews.values()],
        "now": now,
    }
    await execute(connection, _SQL["keep_registrations"], parameters)


async def to_ask(
    connection: Connection,
    *,
    registering: Collection[PlatformKind],
    now: datetime,
    after: int,
    limit: int,
) -> list[UnderReview]:
    """Return a page of what platforms are to be asked about now, of all workspaces."""
    parameters = {
        "registering": [str(kind) for kind in registering],
        "now": now,
        "after": after,
        "limit": limit,
    }
    return await many(connection, UnderReview, _SQL["to_ask"], parameters)


def _trouble(review: Review) -> str:
    if review.state is ReviewState.approved:
        return ""
    return f"The platform says now that it is {review.state}. {review.reason}".rstrip()


def _key(signature: Signature) -> dict[str, int]:
    return {"workspace_id": signature.workspace_id, "id": signature.id}


def _read_papers(kept: Any) -> Papers | None:
    return None if kept is None else Papers(**kept)


def _read_carriers(kept: Mapping[Any, Any]) -> dict[Carrier, CarrierReview]:
    return {
        Carrier(name): CarrierReview(CarrierState(said["state"]), said["reason"])
        for name, said in kept.items()
    }


def _write_carriers(reviews: Mapping[Carrier, CarrierReview]) -> dict[str, dict[str, str]]:
    return {
        str(carrier): {"state": str(review.state), "reason": review.reason}
        for carrier, review in reviews.items()
    }
