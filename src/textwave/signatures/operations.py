"""What people do with signatures: add those that exist at a platform, ask again, delete.

The platform is asked outside of any transaction. Refused are signatures that it does not know.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textwave.connections import store as connection_store
from textwave.connections.accounts import RATE_MAX, OpenPlatform, PlatformAccount
from textwave.kit.ids import WorkspaceId
from textwave.kit.in_use import InUse
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.kit.states import MoveNotAllowed
from textwave.kit.typed import check_characters
from textwave.platforms.contract import PlatformUnreachable, Review, ReviewState
from textwave.signatures import store
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent, SignatureState
from textwave.signatures.store import Signature
from textwave.signatures.trail import note_change
from textwave.signatures.wording import check_signature
from textwave.storage.ledger import Connection, Ledger

NOT_VERIFIED = "not verified: "


@dataclass(eq=False)
class SignatureMissing(Refusal):
    """The platform does not know a signature that was to be added as an existing one."""

    code: ClassVar[str] = "signature_missing"
    signature: str
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” knows no signature “{self.signature}”. Check the "
            "spelling, or have it approved there first."
        )


async def add_signature(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    now: datetime,
) -> Signature:
    """Add a signature that exists at the platform, in the state that the platform says.

    Where the platform cannot be reached it is `reviewing` and not verified, its reason says so,
    and the review loop asks later.

    Raises:
        SignatureNotAcceptable: typed with brackets, white space, or too long.
        SignatureMissing: the platform does not know it.
        AlreadyExists: the workspace has it.
        PlatformRefused, PlatformAnsweredNonsense: as the platform did.
    """
    check_signature(name)
    check_characters("signature", name)
    async with ledger.transaction(workspace_id) as connection:
        account = await connection_store.platform_named(
            connection, workspace_id=workspace_id, name=platform
        )
    review, verified = await _ask_for_signature(open_platform, account, name)
    async with ledger.transaction(workspace_id) as connection:
        added = await store.add_signature(
            connection,
            workspace_id=workspace_id,
            platform_id=account.id,
            name=name,
            state=SignatureState(review.state),
            reason=review.reason,
            verified=verified,
            now=now,
        )
        if added is None:
            raise AlreadyExists("signature", name)
        detail = {"platform": platform, "state": review.state, "verified": verified}
        await note_change(connection, workspace_id, actor, "signature.add", name, detail)
        return await store.signature_named(
            connection, workspace_id=workspace_id, platform_id=account.id, name=name
        )


async def _ask_for_signature(
    open_platform: OpenPlatform, account: PlatformAccount, name: str
) -> tuple[Review, bool]:
    """Return the state at the platform, and whether the platform decided it."""
    try:
        review = await open_platform(account).signature_review(name)
    except PlatformUnreachable as unreachable:
        return Review(ReviewState.reviewing, NOT_VERIFIED + unreachable.sentence), False
    if review.state is ReviewState.missing:
        raise SignatureMissing(name, account.name)
    return review, review.state is not ReviewState.reviewing


async def ask_again_for_signature(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, platform: str, name: str
) -> Signature:
    """Put a rejected signature under review again, after it was corrected at the platform.

    Raises:
        NotFound, MoveNotAllowed: there is none, or it is not rejected.
    """
    signature = await _signature(connection, workspace_id, platform, name)
    await _move_signature(connection, signature, SignatureEvent.ASK_AGAIN)
    await note_change(
        connection, workspace_id, actor, "signature.ask_again", name, {"platform": platform}
    )
    return await _signature(connection, workspace_id, platform, name)


async def set_signature_rate(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    rate_per_second: int | None,
) -> Signature:
    """Set how many messages a second may leave under a signature; None: as the account takes.

    Raises:
        NotFound: there is none. InvalidValue: the rate is out of its range.
    """
    if rate_per_second is not None and not 1 <= rate_per_second <= RATE_MAX:
        problem = f"must be between 1 and {RATE_MAX:,} messages a second, not {rate_per_second}."
        raise InvalidValue("rate_per_second", problem)
    signature = await _signature(connection, workspace_id, platform, name)
    await store.set_signature_rate(
        connection,
        workspace_id=workspace_id,
        signature_id=signature.id,
        rate_per_second=rate_per_second,
    )
    detail = {"platform": platform, "rate_per_second": rate_per_second}
    await note_change(connection, workspace_id, actor, "signature.rate", name, detail)
    return await _signature(connection, workspace_id, platform, name)


async def delete_signature(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, platform: str, name: str
) -> None:
    """Delete a signature here; at the platform it stays.

    Raises:
        NotFound: there is none. InUse: a campaign under way speaks under it.
    """
    signature = await _signature(connection, workspace_id, platform, name)
    await _move_signature(connection, signature, SignatureEvent.DELETE)
    await note_change(
        connection, workspace_id, actor, "signature.delete", name, {"platform": platform}
    )


async def _signature(
    connection: Connection, workspace_id: WorkspaceId, platform: str, name: str
) -> Signature:
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=platform
    )
    return await store.signature_named(
        connection, workspace_id=workspace_id, platform_id=account.id, name=name
    )


async def _move_signature(
    connection: Connection, signature: Signature, event: SignatureEvent
) -> None:
    state = SIGNATURE_STATES.after(signature.state, event)
    moved = await store.move_signature(
        connection,
        workspace_id=signature.workspace_id,
        signature_id=signature.id,
        sources=SIGNATURE_STATES.sources(event),
        state=state,
    )
    if moved:
        return
    campaign = await store.campaign_using_signature(
        connection, workspace_id=signature.workspace_id, signature_id=signature.id
    )
    if campaign is not None:
        raise InUse("signature", signature.name, campaign)
    found = await _signature(connection, signature.workspace_id, signature.platform, signature.name)
    allowed = tuple(str(event) for event in SIGNATURE_STATES.events(found.state))
    raise MoveNotAllowed("signature", found.state, event, allowed)
