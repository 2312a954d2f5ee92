"""What people do with signatures: add those that a platform has, create, edit, delete.

The platform is asked outside of any transaction, and told by jobs. Refused are signatures that it
does not know, and papers where it takes none.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from textwave.accounts.trail import note_change
from textwave.connections import store as connection_store
from textwave.connections.accounts import RATE_MAX, OpenPlatform, PlatformAccount
from textwave.kit.ids import WorkspaceId
from textwave.kit.in_use import InUse
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.kit.states import MoveNotAllowed
from textwave.kit.typed import check_characters
from textwave.platforms.contract import NotOffered, PlatformUnreachable, Review, ReviewState
from textwave.signatures import store
from textwave.signatures.papers import CREATING, KEPT_WHILE_REVIEWED, Papers, check_papers
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent, SignatureState
from textwave.signatures.store import Signature
from textwave.signatures.wording import check_signature
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer

HAND_OVER_TASK = "signatures.hand_over"
WITHDRAW_TASK = "signatures.withdraw"
QUEUE = "content"
NOT_VERIFIED = "not verified: "
NOBODY_TO_ASK = "The platform cannot be asked. Look in its console whether it is approved."


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


@dataclass(eq=False)
class SignatureUnderReview(Refusal):
    """The platform deletes no signature that it has under review."""

    code: ClassVar[str] = "signature_under_review"
    signature: str
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” reviews the signature “{self.signature}” and deletes "
            "it only when that is decided. Wait for the decision, or delete it here alone."
        )


@dataclass(eq=False)
class SignatureShared(Refusal):
    """Another workspace speaks under the signature that was to be deleted at the platform."""

    code: ClassVar[str] = "signature_shared"
    signature: str
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"Another workspace uses the signature “{self.signature}” of the platform "
            f"“{self.platform}” too. Delete it here alone; the last one can delete it there."
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
    and the review loop asks later. One that cannot be asked at all is taken at the user's word.

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
            carriers=review.carriers,
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
    except NotOffered:
        return Review(ReviewState.approved, NOT_VERIFIED + NOBODY_TO_ASK), False
    if review.state is ReviewState.missing:
        raise SignatureMissing(name, account.name)
    return review, review.state is not ReviewState.reviewing


async def create_signature(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    papers: Papers,
    now: datetime,
) -> Signature:
    """Create a signature with its papers: a job hands it to the platform's reviewers.

    Raises:
        SignatureNotAcceptable, InvalidValue: name or papers would be sent back.
        NotOffered: the platform takes no new signatures from Textwave.
        AlreadyExists: the workspace has it.
    """
    account = await _creating_account(connection, workspace_id, platform)
    check_papers(name, papers)
    added = await store.add_signature(
        connection,
        workspace_id=workspace_id,
        platform_id=account.id,
        name=name,
        state=SignatureState.REVIEWING,
        reason="",
        verified=False,
        now=now,
        papers=papers,
    )
    if added is None:
        raise AlreadyExists("signature", name)
    made = await _signature(connection, workspace_id, platform, name)
    await defer(connection, signature_job(HAND_OVER_TASK, made))
    detail = {"platform": platform, "papers": asdict(papers)}
    await note_change(connection, workspace_id, actor, "signature.create", name, detail)
    return made


async def edit_signature(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    papers: Papers,
    now: datetime,
) -> Signature:
    """Give a rejected signature other papers and hand it to the reviewers again.

    Raises:
        NotFound, MoveNotAllowed: there is none, or it is not rejected.
        SignatureNotAcceptable, InvalidValue, NotOffered: as for a new one.
    """
    await _creating_account(connection, workspace_id, platform)
    check_papers(name, papers)
    signature = await _signature(connection, workspace_id, platform, name)
    await _move_signature(connection, signature, SignatureEvent.EDIT, now, papers)
    await defer(connection, signature_job(HAND_OVER_TASK, signature))
    detail = {"platform": platform, "papers": asdict(papers)}
    await note_change(connection, workspace_id, actor, "signature.edit", name, detail)
    return await _signature(connection, workspace_id, platform, name)


async def ask_again_for_signature(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    now: datetime,
) -> Signature:
    """Put a rejected signature under review again, after it was corrected at the platform.

    Raises:
        NotFound, MoveNotAllowed: there is none, or it is not rejected.
    """
    signature = await _signature(connection, workspace_id, platform, name)
    await _move_signature(connection, signature, SignatureEvent.ASK_AGAIN, now)
    detail = {"platform": platform}
    await note_change(connection, workspace_id, actor, "signature.ask_again", name, detail)
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
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    platform: str,
    name: str,
    now: datetime,
    at_platform: bool = False,
) -> None:
    """Delete a signature here; with `at_platform` a job deletes it there too, for good.

    Raises:
        NotFound: there is none. InUse: a campaign under way speaks under it.
        NotOffered, SignatureUnderReview, SignatureShared: it cannot be deleted at the platform.
    """
    signature = await _signature(connection, workspace_id, platform, name)
    if at_platform:
        await _check_withdrawable(connection, signature)
    await _move_signature(connection, signature, SignatureEvent.DELETE, now)
    if at_platform:
        await defer(connection, signature_job(WITHDRAW_TASK, signature))
    detail = {"platform": platform, "at_platform": at_platform}
    await note_change(connection, workspace_id, actor, "signature.delete", name, detail)


def signature_job(
    task: str, signature: Signature, *, attempt: int = 0, at: datetime | None = None
) -> Job:
    """Return a job about a signature; two about the same one never run at the same time."""
    args: dict[str, int] = {"workspace_id": signature.workspace_id, "signature_id": signature.id}
    if attempt:
        args["attempt"] = attempt
    return Job(task=task, queue=QUEUE, args=args, lock=f"signature {signature.id}", at=at)


async def _creating_account(
    connection: Connection, workspace_id: WorkspaceId, platform: str
) -> PlatformAccount:
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=platform
    )
    if account.kind not in CREATING:
        raise NotOffered(platform, "creating signatures")
    return account


async def _check_withdrawable(connection: Connection, signature: Signature) -> None:
    if signature.kind not in CREATING:
        raise NotOffered(signature.platform, "deleting signatures")
    if signature.state is SignatureState.REVIEWING and signature.kind in KEPT_WHILE_REVIEWED:
        raise SignatureUnderReview(signature.name, signature.platform)
    if await store.is_shared(connection, signature):
        raise SignatureShared(signature.name, signature.platform)


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
    connection: Connection,
    signature: Signature,
    event: SignatureEvent,
    now: datetime,
    papers: Papers | None = None,
) -> None:
    state = SIGNATURE_STATES.after(signature.state, event)
    sources = SIGNATURE_STATES.sources(event)
    if await store.move_signature(
        connection, signature=signature, sources=sources, state=state, now=now, papers=papers
    ):
        return
    campaign = await store.campaign_using_signature(connection, signature)
    if campaign is not None and state is SignatureState.DELETED:
        raise InUse("signature", signature.name, campaign)
    found = await _signature(connection, signature.workspace_id, signature.platform, signature.name)
    allowed = tuple(str(event) for event in SIGNATURE_STATES.events(found.state))
    raise MoveNotAllowed("signature", found.state, event, allowed)
