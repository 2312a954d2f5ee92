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
from textwave.content import store
from textwave.content.operations import SUBMIT_TASK, template_job
from textwave.content.states import (
    TEMPLATE_STATES,
    TemplateEvent,
    TemplateState,
)
from textwave.content.store import Decided, Template, UnderReview
from textwave.content.wording import full_text
from textwave.kit.ids import PlatformId, TemplateId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import (
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
from textwave.signatures import store as signature_store
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent, SignatureState
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import defer

PAGE: Final = 100
LONGEST_PAUSE_SECONDS: Final = 300
LAST_ATTEMPT: Final = 100
GIVEN_UP: Final = "The platform did not take the text for hours. Submit it again. Last: "
GONE: Final = "The platform does not know it any more. Submit or add it again."
log = structlog.get_logger()

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
    on_decided: OnDecided = nobody_waits,
) -> Decided | None:
    """Hand a submitted template to its platform and keep the code.

    Run again it does nothing once the code is kept. The contract has no key for creating, so a
    crash between the platform's answer and the commit makes a second template there, whose code
    is kept; the first is never sent with and no notice of it counts. A changed template is put
    under its code, which is harmless to repeat. When the platform does not answer, the job defers
    itself with growing pauses; returns the template when the platform refused it for good.
    """
    async with ledger.transaction() as connection:
        template = await store.template(
            connection, workspace_id=workspace_id, template_id=template_id
        )
        account = await connection_store.platform_account(connection, template.platform_id)
    if template.state is not TemplateState.REVIEWING or template.submitted_at is not None:
        return None
    try:
        code = await _hand_over(open_platform(account), template, account)
    except (PlatformUnreachable, PlatformAnsweredNonsense) as trouble:
        return await _try_later(ledger, template, trouble, now, attempt, on_decided)
    except PlatformRefused as refused:
        if DISPOSITIONS[refused.outcome].retryable:
            return await _try_later(ledger, template, refused, now, attempt, on_decided)
        return await _reject(ledger, template, refused.sentence, now, on_decided)
    async with ledger.transaction() as connection:
        await store.template_handed_over(
            connection, workspace_id=workspace_id, template_id=template_id, code=code, now=now
        )
    return None


async def withdraw_template(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
) -> None:
    """Delete a template at its platform, after it was deleted here; harmless to repeat.

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
    try:
        await open_platform(account).delete_template(template.code)
    except PlatformRefused as refused:
        log.warning("template not withdrawn", template=template_id, code=refused.platform_code)


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
    asking = _Asking(ledger, open_platform, now, on_decided)
    for kind in ReviewSubject:
        after = 0
        while page := await asking.page(kind, after):
            for item in page:
                await asking.ask(kind, item)
            after = page[-1].id
    return asking.done


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
    await _decide_signatures(connection, account, signatures, now)
    return await _decide_templates(connection, account, templates, now)


async def _hand_over(platform: Platform, template: Template, account: PlatformAccount) -> str:
    text = full_text(template.content, template.type, account.opt_out_text)
    submission = TemplateSubmission(template.name, text, template.type, template.remark)
    if template.code is None:
        return await platform.submit_template(submission)
    if (await platform.template_review(template.code)).state is ReviewState.missing:
        return await platform.submit_template(submission)
    return await platform.change_template(template.code, submission)


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
    pause = timedelta(seconds=min(2 ** min(attempt, 30), LONGEST_PAUSE_SECONDS))
    async with ledger.transaction() as connection:
        await store.template_delayed(
            connection,
            workspace_id=template.workspace_id,
            template_id=template.id,
            reason=trouble.sentence,
        )
        job = template_job(SUBMIT_TASK, template, at=now + pause, attempt=attempt + 1)
        await defer(connection, job)
    log.warning("template not handed over", template=template.id, code=trouble.code)
    return None


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
        await _write_down(connection, "template", template.platform, decided)
        if decided:
            await on_decided(connection, decided)
    return decided[0] if decided else None


@dataclass(slots=True)
class _Asking:
    """One round of asking."""

    ledger: Ledger
    open_platform: OpenPlatform
    now: datetime
    on_decided: OnDecided
    done: Round = field(default_factory=Round)
    accounts: dict[PlatformId, PlatformAccount] = field(
        default_factory=dict[PlatformId, PlatformAccount]
    )

    async def page(self, kind: ReviewSubject, after: int) -> list[UnderReview]:
        """Read the next page, and the accounts in it that are not known yet."""
        async with self.ledger.transaction() as connection:
            page = await store.under_review(connection, kind=kind, after=after, limit=PAGE)
            for platform_id in {item.platform_id for item in page} - set(self.accounts):
                account = await connection_store.platform_account(connection, platform_id)
                self.accounts[platform_id] = account
        return page

    async def ask(self, kind: ReviewSubject, item: UnderReview) -> None:
        """Ask about one thing and keep the answer; a platform that was silent is left alone."""
        if item.platform_id in self.done.silent:
            return
        account = self.accounts[item.platform_id]
        platform = self.open_platform(account)
        try:
            if kind is ReviewSubject.signature:
                review = await platform.signature_review(item.subject)
            else:
                review = await platform.template_review(item.subject)
        except (PlatformUnreachable, PlatformAnsweredNonsense, PlatformRefused) as trouble:
            log.warning("review not told", platform=account.name, code=trouble.code)
            if not isinstance(trouble, PlatformRefused):
                self.done.silent.add(item.platform_id)
            return
        self.done.asked += 1
        if kind is ReviewSubject.signature:
            await self._keep_signature(account, item, review)
        else:
            await self._keep_template(account, item, review)

    async def _keep_signature(
        self, account: PlatformAccount, item: UnderReview, review: Review
    ) -> None:
        if review.state is ReviewState.missing:
            review = Review(ReviewState.rejected, GONE)
        async with self.ledger.transaction() as connection:
            decided = await _decide_signatures(
                connection, account, {item.subject: review}, self.now
            )
        self.done.signatures_decided += len(decided)

    async def _keep_template(
        self, account: PlatformAccount, item: UnderReview, review: Review
    ) -> None:
        if review.state is ReviewState.missing:
            await self._forget_template(item)
            return
        async with self.ledger.transaction() as connection:
            decided = await _decide_templates(connection, account, {item.subject: review}, self.now)
            if decided:
                await self.on_decided(connection, decided)
        self.done.decided += decided

    async def _forget_template(self, item: UnderReview) -> None:
        async with self.ledger.transaction() as connection:
            template = await store.template(
                connection, workspace_id=item.workspace_id, template_id=TemplateId(item.id)
            )
        decided = await _reject(
            self.ledger, template, GONE, self.now, self.on_decided, forget_code=True
        )
        if decided is not None:
            self.done.decided.append(decided)


def _reasons(reviews: Mapping[str, Review], state: ReviewState) -> dict[str, str]:
    return {name: review.reason for name, review in reviews.items() if review.state is state}


async def _decide_signatures(
    connection: Connection, account: PlatformAccount, reviews: Mapping[str, Review], now: datetime
) -> list[signature_store.Decided]:
    decided: list[signature_store.Decided] = []
    for answer, event in (
        (ReviewState.approved, SignatureEvent.APPROVE),
        (ReviewState.rejected, SignatureEvent.REJECT),
    ):
        reasons = _reasons(reviews, answer)
        if reasons:
            decided += await signature_store.decide_signatures(
                connection,
                platform_id=account.id,
                reasons=reasons,
                sources=SIGNATURE_STATES.sources(event),
                state=SIGNATURE_STATES.after(SignatureState.REVIEWING, event),
                now=now,
            )
    await _write_down(connection, "signature", account.name, decided)
    return decided


async def _decide_templates(
    connection: Connection, account: PlatformAccount, reviews: Mapping[str, Review], now: datetime
) -> list[Decided]:
    decided: list[Decided] = []
    for answer, event in (
        (ReviewState.approved, TemplateEvent.APPROVE),
        (ReviewState.rejected, TemplateEvent.REJECT),
    ):
        reasons = _reasons(reviews, answer)
        if reasons:
            decided += await store.decide_templates(
                connection,
                platform_id=account.id,
                reasons=reasons,
                sources=TEMPLATE_STATES.sources(event),
                state=TEMPLATE_STATES.after(TemplateState.REVIEWING, event),
                now=now,
            )
    await _write_down(connection, "template", account.name, decided)
    return decided


async def _write_down(
    connection: Connection,
    kind: str,
    platform: str,
    decided: Sequence[Decided | signature_store.Decided],
) -> None:
    for one in decided:
        await audit(
            connection,
            workspace_id=one.workspace_id,
            actor=f"platform {platform}",
            action=f"{kind}.{one.state}",
            object_name=one.name,
        )
