"""The loop with the platforms' reviewers: hand templates over, ask, take what is pushed.

A platform that cannot be reached leaves everything as it is. What a platform decides and what
follows from it (`on_decided`: waiting campaigns) are one transaction, so neither is lost.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from textwave.accounts.store import audit
from textwave.connections import store as connection_store
from textwave.connections.accounts import OpenPlatform, PlatformAccount
from textwave.connections.asking_operations import Asking
from textwave.connections.reviews import LAST_ATTEMPT, PACES, UnderReview, pause_before
from textwave.connections.turn_store import take_turn
from textwave.content import store
from textwave.content.operations import (
    SUBMIT_TASK,
    WITHDRAW_TASK,
    NoApprovedSignature,
    reviewed_under,
    template_job,
)
from textwave.content.states import TEMPLATE_STATES, TemplateEvent, TemplateState
from textwave.content.store import Decided, Template
from textwave.content.text_rules import DELETED_ONLY_DECIDED
from textwave.content.version_store import Decision, decide_versions, version_handed_over
from textwave.content.wording import full_text
from textwave.kit.ids import PlatformId, TemplateId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import (
    NotOffered,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
    TemplateSubmission,
)
from textwave.platforms.outcomes import DISPOSITIONS
from textwave.signatures.review_operations import ask_for_signatures, decide_signatures
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import defer

PAGE: Final = 100
LAST_WITHDRAWAL: Final = 500
WITHDRAWAL_PAUSE: Final = timedelta(minutes=10)
GIVEN_UP: Final = "The platform did not take the text for hours. Submit it again. Last: "
GONE: Final = "The platform does not know it any more. Submit or add it again."
_TROUBLE: Final = (
    PlatformUnreachable,
    PlatformAnsweredNonsense,
    PlatformRefused,
    NotOffered,
    NoApprovedSignature,
)
log = structlog.get_logger()

HandOver = Callable[[Platform, Template, PlatformAccount, str], Awaitable[str]]
"""Submits a template under a signature to the platform, and returns the platform's code."""

OnDecided = Callable[[Connection, Sequence[Decided]], Awaitable[None]]
"""Called with the templates just decided, in the transaction that decided them."""


@dataclass(slots=True)
class Round:
    """What one round of asking came to; `decided` are templates only."""

    asked: int = 0
    decided: list[Decided] = field(default_factory=list[Decided])
    signatures_decided: int = 0
    silent: set[PlatformId] = field(default_factory=set[PlatformId])


async def nobody_waits(connection: Connection, decided: Sequence[Decided]) -> None:
    """Do nothing with what was decided; for installations and tests without campaigns."""


async def submit_template(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    now: datetime,
    attempt: int = 0,
    has_turn: bool = False,
    on_decided: OnDecided = nobody_waits,
    hand_over: HandOver | None = None,
) -> Decided | None:
    """Hand a submitted template to its platform and keep the code.

    Where a platform takes only so many a day, the job waits for its turn first, and says when that
    is. Run again it does nothing once the code is kept. The contract has no key for creating, so a
    crash between the platform's answer and the commit makes a second template there, whose code
    is kept; the first is never sent with and no notice of it counts. A changed template is put
    under its code, which is harmless to repeat. When the platform does not answer, the job defers
    itself with growing pauses; returns the template when the platform refused it for good.
    `hand_over`: what submits it; None: it is a text.
    """
    async with ledger.transaction() as connection:
        template = await store.template(
            connection, workspace_id=workspace_id, template_id=template_id
        )
        account = await connection_store.platform_account(connection, template.platform_id)
    if template.state is not TemplateState.REVIEWING or template.submitted_at is not None:
        return None
    if not has_turn and await _waits_its_turn(ledger, account, template, now, attempt):
        return None
    try:
        async with ledger.transaction() as connection:
            signature = await reviewed_under(connection, account, template)
        hands_over = hand_over or hand_over_text
        code = await hands_over(open_platform(account), template, account, signature)
    except _TROUBLE as trouble:
        if _passes(trouble):
            return await _try_later(ledger, template, trouble, now, attempt, on_decided)
        return await _reject(ledger, template, trouble.sentence, now, on_decided)
    await _keep_code(ledger, template, code, now)
    return None


async def withdraw_template(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    now: datetime,
    attempt: int = 0,
) -> None:
    """Delete a template at its platform, after it was deleted here; harmless to repeat.

    Where the platform deletes nothing that it has under review, the job waits for the decision.

    Raises:
        PlatformUnreachable, PlatformAnsweredNonsense: to be tried again. A refusal is logged and
            is the end: the template may be gone there already.
    """
    async with ledger.transaction() as connection:
        template = await store.template(
            connection, workspace_id=workspace_id, template_id=template_id
        )
        account = await connection_store.platform_account(connection, template.platform_id)
    if template.state is not TemplateState.DELETED or template.code is None:
        return
    platform = open_platform(account)
    try:
        if account.kind in DELETED_ONLY_DECIDED and attempt < LAST_WITHDRAWAL:
            review = await platform.template_review(template.code)
            if review.state is ReviewState.reviewing:
                await _withdraw_later(ledger, template, now, attempt)
                return
        await platform.delete_template(template.code)
    except PlatformRefused as refused:
        log.warning("template not withdrawn", template=template_id, code=refused.platform_code)
    except NotOffered as refused:
        log.warning("template not withdrawn", template=template_id, code=refused.code)


async def ask_reviews(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    now: datetime,
    on_decided: OnDecided = nobody_waits,
) -> Round:
    """Ask the platforms for everything under review, a page at a time; for one worker at a time.

    After its first silence or nonsense a platform is not asked again in this round.
    """
    asking = Asking(ledger, open_platform)
    signatures = await ask_for_signatures(asking, now=now)
    decided: list[Decided] = []
    after = 0
    while page := await _page(ledger, now, after):
        for item in page:
            decided += await _ask(asking, item, now, on_decided)
        after = page[-1].id
    return Round(asking.asked, decided, len(signatures), asking.silent)


async def apply_review_notices(
    connection: Connection,
    platform_id: PlatformId,
    notices: Sequence[ReviewNotice],
    *,
    now: datetime,
) -> list[Decided]:
    """Apply pushed reviews; return the templates that they decided.

    Of several notices on one thing the last counts. Notices that move nothing (unknown, repeated,
    still reviewing, not under review) are passed over. A late repetition can at worst reject a
    resubmitted text, never approve one: what was approved cannot be edited.
    """
    account = await connection_store.platform_account(connection, platform_id)
    last = {(notice.subject, notice.name): notice.review for notice in notices}
    signatures = {name: r for (kind, name), r in last.items() if kind is ReviewSubject.signature}
    templates = {name: r for (kind, name), r in last.items() if kind is ReviewSubject.template}
    await decide_signatures(connection, account, signatures, now)
    return await _decide_templates(connection, account, templates, now)


async def _waits_its_turn(
    ledger: Ledger, account: PlatformAccount, template: Template, now: datetime, attempt: int
) -> bool:
    """Take a turn at a platform that gives turns; tell whether it is later than now."""
    pace = PACES.get(account.kind)
    if pace is None:
        return False
    async with ledger.transaction() as connection:
        turn_at = await take_turn(connection, platform_id=account.id, pace=pace, now=now)
        if turn_at <= now:
            return False
        reason = (
            f"It waits its turn: the platform takes {pace.per_day} applications a day, "
            f"{pace.seconds_apart} seconds apart. It goes there at {turn_at:%Y-%m-%d %H:%M:%S %Z}."
        )
        await store.template_delayed(
            connection,
            workspace_id=template.workspace_id,
            template_id=template.id,
            reason=reason,
            turn_at=turn_at,
        )
        job = template_job(SUBMIT_TASK, template, at=turn_at, attempt=attempt, has_turn=True)
        await defer(connection, job)
    return True


async def hand_over_text(
    platform: Platform, template: Template, account: PlatformAccount, signature: str
) -> str:
    """Submit a text, under the code that it has at the platform if that knows it still."""
    text = full_text(template.content, template.type, account.opt_out_text)
    submission = TemplateSubmission(
        template.name, text, template.type, template.remark, signature=signature
    )
    if template.code is None:
        return await platform.submit_template(submission)
    if (await platform.template_review(template.code)).state is ReviewState.missing:
        return await platform.submit_template(submission)
    return await platform.change_template(template.code, submission)


def _passes(trouble: Refusal) -> bool:
    """Tell whether the same text may be taken a little later."""
    if isinstance(trouble, PlatformRefused):
        return DISPOSITIONS[trouble.outcome].retryable
    return isinstance(trouble, PlatformUnreachable | PlatformAnsweredNonsense)


async def _keep_code(ledger: Ledger, template: Template, code: str, now: datetime) -> None:
    async with ledger.transaction() as connection:
        kept = await store.template_handed_over(
            connection,
            workspace_id=template.workspace_id,
            template_id=template.id,
            code=code,
            now=now,
        )
        if kept:
            await version_handed_over(connection, template, code=code, now=now)


async def _try_later(
    ledger: Ledger,
    template: Template,
    trouble: Refusal,
    now: datetime,
    attempt: int,
    on_decided: OnDecided,
) -> Decided | None:
    """Defer the next attempt after 1, 2, 4 … 300 seconds; give up after the last one."""
    if attempt >= LAST_ATTEMPT:
        return await _reject(ledger, template, GIVEN_UP + trouble.sentence, now, on_decided)
    async with ledger.transaction() as connection:
        await store.template_delayed(
            connection,
            workspace_id=template.workspace_id,
            template_id=template.id,
            reason=trouble.sentence,
        )
        at = now + pause_before(attempt)
        await defer(connection, template_job(SUBMIT_TASK, template, at=at, attempt=attempt + 1))
    log.warning("template not handed over", template=template.id, code=trouble.code)
    return None


async def _withdraw_later(ledger: Ledger, template: Template, now: datetime, attempt: int) -> None:
    at = now + WITHDRAWAL_PAUSE
    job = template_job(WITHDRAW_TASK, template, at=at, attempt=attempt + 1)
    async with ledger.transaction() as connection:
        await defer(connection, job)


async def _reject(
    ledger: Ledger,
    template: Template,
    reason: str,
    now: datetime,
    on_decided: OnDecided,
    *,
    forget_code: bool = False,
) -> Decided | None:
    async with ledger.transaction() as connection:
        decided = await store.reject_template(
            connection,
            workspace_id=template.workspace_id,
            template_id=template.id,
            reason=reason,
            forget_code=forget_code,
            sources=TEMPLATE_STATES.sources(TemplateEvent.REJECT),
            state=TemplateState.REJECTED,
            now=now,
        )
        await _write_down(connection, template.platform, decided, now)
        if decided:
            await on_decided(connection, decided)
    return decided[0] if decided else None


async def _page(ledger: Ledger, now: datetime, after: int) -> list[UnderReview]:
    async with ledger.transaction() as connection:
        return await store.to_ask(connection, now=now, after=after, limit=PAGE)


async def _ask(
    asking: Asking, item: UnderReview, now: datetime, on_decided: OnDecided
) -> list[Decided]:
    """Ask about one template and keep the answer."""
    review = await asking.ask(
        item.platform_id, lambda platform: platform.template_review(item.subject)
    )
    if review is None:
        return []
    if review.state is ReviewState.missing:
        return await _forget_template(asking.ledger, item, now, on_decided)
    account = await asking.account(item.platform_id)
    async with asking.ledger.transaction() as connection:
        decided = await _decide_templates(connection, account, {item.subject: review}, now)
        if decided:
            await on_decided(connection, decided)
        await store.template_asked(
            connection,
            workspace_id=item.workspace_id,
            template_id=TemplateId(item.id),
            now=now,
        )
    return decided


async def _forget_template(
    ledger: Ledger, item: UnderReview, now: datetime, on_decided: OnDecided
) -> list[Decided]:
    async with ledger.transaction() as connection:
        template = await store.template(
            connection, workspace_id=item.workspace_id, template_id=TemplateId(item.id)
        )
    decided = await _reject(ledger, template, GONE, now, on_decided, forget_code=True)
    return [] if decided is None else [decided]


async def _decide_templates(
    connection: Connection, account: PlatformAccount, reviews: Mapping[str, Review], now: datetime
) -> list[Decided]:
    decided: list[Decided] = []
    for answer, event in (
        (ReviewState.approved, TemplateEvent.APPROVE),
        (ReviewState.rejected, TemplateEvent.REJECT),
    ):
        reasons = {code: said.reason for code, said in reviews.items() if said.state is answer}
        if reasons:
            decided += await store.decide_templates(
                connection,
                platform_id=account.id,
                reasons=reasons,
                sources=TEMPLATE_STATES.sources(event),
                state=TEMPLATE_STATES.after(TemplateState.REVIEWING, event),
                now=now,
            )
    await _write_down(connection, account.name, decided, now)
    return decided


async def _write_down(
    connection: Connection, platform: str, decided: Sequence[Decided], now: datetime
) -> None:
    """Keep the decisions with the versions that they are on, and in the audit log."""
    for decision in (Decision.APPROVED, Decision.REJECTED):
        ids = [one.id for one in decided if one.state == decision]
        if ids:
            await decide_versions(connection, ids, decision, now=now)
    for one in decided:
        await audit(
            connection,
            workspace_id=one.workspace_id,
            actor=f"platform {platform}",
            action=f"template.{one.state}",
            object_name=one.name,
        )
