"""Jobs that hand signatures to their platforms and bring the decisions home; for workers.

A decision counts in every workspace that has the signature. Nothing here is sent twice: before a
signature is created the platform is asked whether it has it, from an attempt whose end was lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog

from textwave.accounts.store import audit
from textwave.connections import store as connection_store
from textwave.connections.accounts import OpenPlatform, PlatformAccount
from textwave.connections.asking_operations import Asking
from textwave.connections.reviews import LAST_ATTEMPT, Decided, UnderReview, pause_before
from textwave.kit.ids import PlatformId, SignatureId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import (
    NotOffered,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Review,
    ReviewState,
    SignatureSubmission,
)
from textwave.platforms.outcomes import DISPOSITIONS
from textwave.signatures import store
from textwave.signatures.operations import HAND_OVER_TASK, signature_job
from textwave.signatures.papers import submission_of
from textwave.signatures.registration import REGISTERING
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent, SignatureState
from textwave.signatures.store import Signature
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import defer

PAGE: Final = 100
GIVEN_UP: Final = "The platform did not take the papers for hours. Submit them again. Last: "
GONE: Final = "The platform does not know it any more. Submit or add it again."
log = structlog.get_logger()


async def hand_over_signature(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    now: datetime,
    attempt: int = 0,
) -> None:
    """Hand a created or edited signature to its platform; run again it does nothing more.

    When the platform does not answer, the job defers itself with growing pauses.
    """
    async with ledger.transaction() as connection:
        signature = await store.signature(
            connection, workspace_id=workspace_id, signature_id=signature_id
        )
        account = await connection_store.platform_account(connection, signature.platform_id)
    if signature.state is not SignatureState.REVIEWING or signature.submitted_at is not None:
        return
    if signature.papers is None:
        return
    submission = submission_of(signature.name, signature.papers)
    try:
        await _submit(open_platform(account), submission)
    except (PlatformUnreachable, PlatformAnsweredNonsense) as trouble:
        await _try_later(ledger, signature, trouble, now, attempt)
    except PlatformRefused as refused:
        if DISPOSITIONS[refused.outcome].retryable:
            await _try_later(ledger, signature, refused, now, attempt)
        else:
            await _reject(ledger, signature, refused.sentence, now)
    except NotOffered as refused:
        await _reject(ledger, signature, refused.sentence, now)
    else:
        async with ledger.transaction() as connection:
            await store.signature_handed_over(connection, signature, now=now)


async def withdraw_signature(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
) -> None:
    """Delete a signature at its platform, after it was deleted here; harmless to repeat.

    Raises:
        PlatformUnreachable, PlatformAnsweredNonsense: to be tried again. A refusal is logged and
            is the end: it may be gone there already.
    """
    async with ledger.transaction() as connection:
        signature = await store.signature(
            connection, workspace_id=workspace_id, signature_id=signature_id
        )
        account = await connection_store.platform_account(connection, signature.platform_id)
        held = await store.is_held(connection, signature)
    if signature.state is not SignatureState.DELETED or held:
        return
    try:
        await open_platform(account).delete_signature(signature.name)
    except PlatformRefused as refused:
        log.warning("signature not withdrawn", signature=signature_id, code=refused.platform_code)
    except NotOffered as refused:
        log.warning("signature not withdrawn", signature=signature_id, code=refused.code)


async def ask_for_signatures(asking: Asking, *, now: datetime) -> list[Decided]:
    """Ask the platforms for every signature that is due to be asked about; return the decided."""
    decided: list[Decided] = []
    after = 0
    while page := await _page(asking, now, after):
        for item in page:
            decided += await _ask(asking, item, now)
        after = page[-1].id
    return decided


async def decide_signatures(
    connection: Connection, account: PlatformAccount, reviews: Mapping[str, Review], now: datetime
) -> list[Decided]:
    """Apply reviews by name: keep what carriers say, and move what is under review."""
    if not reviews:
        return []
    decided: list[Decided] = []
    for answer, event in (
        (ReviewState.approved, SignatureEvent.APPROVE),
        (ReviewState.rejected, SignatureEvent.REJECT),
    ):
        reasons = {name: said.reason for name, said in reviews.items() if said.state is answer}
        if reasons:
            decided += await store.decide_signatures(
                connection,
                platform_id=account.id,
                reasons=reasons,
                sources=SIGNATURE_STATES.sources(event),
                state=SIGNATURE_STATES.after(SignatureState.REVIEWING, event),
                now=now,
            )
    await store.keep_registrations(connection, platform_id=account.id, reviews=reviews, now=now)
    await _write_down(connection, account.name, decided)
    return decided


async def _submit(platform: Platform, submission: SignatureSubmission) -> None:
    state = (await platform.signature_review(submission.name)).state
    if state is ReviewState.missing:
        await platform.create_signature(submission)
    elif state is ReviewState.rejected:
        await platform.change_signature(submission)


async def _try_later(
    ledger: Ledger, signature: Signature, trouble: Refusal, now: datetime, attempt: int
) -> None:
    if attempt >= LAST_ATTEMPT:
        await _reject(ledger, signature, GIVEN_UP + trouble.sentence, now)
        return
    at = now + pause_before(attempt)
    async with ledger.transaction() as connection:
        await store.signature_delayed(connection, signature, trouble.sentence)
        job = signature_job(HAND_OVER_TASK, signature, at=at, attempt=attempt + 1)
        await defer(connection, job)
    log.warning("signature not handed over", signature=signature.id, code=trouble.code)


async def _reject(ledger: Ledger, signature: Signature, reason: str, now: datetime) -> None:
    async with ledger.transaction() as connection:
        decided = await store.reject_signature(
            connection,
            signature,
            reason=reason,
            sources=SIGNATURE_STATES.sources(SignatureEvent.REJECT),
            state=SignatureState.REJECTED,
            now=now,
        )
        await _write_down(connection, signature.platform, decided)


async def _page(asking: Asking, now: datetime, after: int) -> list[UnderReview]:
    async with asking.ledger.transaction() as connection:
        return await store.to_ask(
            connection, registering=REGISTERING, now=now, after=after, limit=PAGE
        )


async def _ask(asking: Asking, item: UnderReview, now: datetime) -> list[Decided]:
    review = await asking.ask(
        item.platform_id, lambda platform: platform.signature_review(item.subject)
    )
    if review is None:
        return []
    if review.state is ReviewState.missing:
        review = Review(ReviewState.rejected, GONE)
    account = await asking.account(PlatformId(item.platform_id))
    async with asking.ledger.transaction() as connection:
        return await decide_signatures(connection, account, {item.subject: review}, now)


async def _write_down(connection: Connection, platform: str, decided: list[Decided]) -> None:
    for one in decided:
        await audit(
            connection,
            workspace_id=one.workspace_id,
            actor=f"platform {platform}",
            action=f"signature.{one.state}",
            object_name=one.name,
        )
