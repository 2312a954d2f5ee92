"""The loop with the carriers: hand digital templates over, and ask how each carrier decided.

A template is usable as soon as one carrier has approved it. Campaigns that wait for it go when all
have decided, or a day after the first approval, so that the others' numbers are not lost to haste.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from textwave.accounts.store import audit
from textwave.connections.accounts import OpenPlatform, PlatformAccount
from textwave.connections.asking_operations import Asking
from textwave.connections.reviews import Decided, UnderReview
from textwave.content import store as templates
from textwave.content.review_operations import (
    GONE,
    HandOver,
    OnDecided,
    hand_over_text,
    nobody_waits,
)
from textwave.content.states import TEMPLATE_STATES, TemplateEvent, TemplateState
from textwave.content.store import Template
from textwave.content.version_store import Decision, decide_versions
from textwave.digital import store
from textwave.digital.store import File
from textwave.digital.verdict import carriers_of, reason_of, releases_campaigns, verdict
from textwave.kit.ids import TemplateId
from textwave.platforms.contract import (
    DigitalPart,
    DigitalSubmission,
    MessageType,
    Platform,
    PlatformRefused,
    Review,
    ReviewState,
)
from textwave.storage.ledger import Connection, Ledger

PAGE: Final = 100


def handing_over(ledger: Ledger) -> HandOver:
    """Return what submits a template of either sort: a text as such, a digital one in parts."""

    async def hand_over(
        platform: Platform, template: Template, account: PlatformAccount, signature: str
    ) -> str:
        if template.type is not MessageType.digital:
            return await hand_over_text(platform, template, account, signature)
        async with ledger.transaction() as connection:
            subject, files = await store.files(connection, template.workspace_id, template.id)
        if template.code is not None:
            await _take_back(platform, template.code)
        parts = [_submitted(file) for file in files]
        # The platform has no field of its own for the subject; phones show the template's name.
        return await platform.submit_digital(
            DigitalSubmission(subject, signature, template.remark, parts)
        )

    return hand_over


async def ask_carriers(
    ledger: Ledger,
    open_platform: OpenPlatform,
    *,
    now: datetime,
    on_decided: OnDecided = nobody_waits,
) -> int:
    """Ask how each carrier decided, a page at a time; return how many were asked about.

    For one worker at a time. Harmless to repeat: what is known already changes nothing.
    """
    asking = Asking(ledger, open_platform)
    after = 0
    while page := await _page(ledger, now, after):
        for item in page:
            await _ask(asking, item, now, on_decided)
        after = page[-1].id
    return asking.asked


async def _take_back(platform: Platform, code: str) -> None:
    """Delete what carriers rejected; a digital template cannot be changed, only made again."""
    try:
        await platform.delete_template(code)
    except PlatformRefused:
        return  # it is gone already, or stays unused


def _submitted(file: File) -> DigitalPart:
    name = f"part{file.position}"
    if file.content is not None and file.suffix is not None:
        return DigitalPart(name, file.suffix, file.content)
    return DigitalPart(name, "txt", (file.text or "").encode())


async def _page(ledger: Ledger, now: datetime, after: int) -> list[UnderReview]:
    async with ledger.transaction() as connection:
        return await store.to_ask(connection, now=now, after=after, limit=PAGE)


async def _ask(asking: Asking, item: UnderReview, now: datetime, on_decided: OnDecided) -> None:
    review = await asking.ask(
        item.platform_id, lambda platform: platform.template_review(item.subject)
    )
    if review is None:
        return
    account = await asking.account(item.platform_id)
    async with asking.ledger.transaction() as connection:
        template = await templates.template(
            connection, workspace_id=item.workspace_id, template_id=TemplateId(item.id)
        )
        if template.code != item.subject or template.submitted_at is None:
            return  # it was submitted again meanwhile
        if review.state is ReviewState.missing:
            review = replace(review, state=ReviewState.rejected, reason=GONE)
        await _keep(connection, template, review, account.name, now, on_decided)


async def _keep(
    connection: Connection,
    template: Template,
    review: Review,
    platform: str,
    now: datetime,
    on_decided: OnDecided,
) -> None:
    """Keep what the carriers say, and what that makes of the template and its campaigns."""
    said = carriers_of(review)
    await store.keep_carriers(connection, template.workspace_id, template.id, said, now)
    await templates.template_asked(
        connection, workspace_id=template.workspace_id, template_id=template.id, now=now
    )
    decided = await _decide(connection, template, review, now)
    await _write_down(connection, platform, decided, now)
    current = await templates.template(
        connection, workspace_id=template.workspace_id, template_id=template.id
    )
    states = {carrier: one.state for carrier, one in said.items()}
    if current.state is TemplateState.REJECTED or (
        current.state is TemplateState.APPROVED
        and releases_campaigns(states, current.decided_at or now, now)
    ):
        told = Decided(current.workspace_id, current.id, current.name, current.state)
        await on_decided(connection, [told])


async def _decide(
    connection: Connection, template: Template, review: Review, now: datetime
) -> list[Decided]:
    event = verdict(review)
    if event is None or template.state is not TemplateState.REVIEWING:
        return []
    return await store.decide(
        connection,
        template.workspace_id,
        template.id,
        sources=TEMPLATE_STATES.sources(event),
        state=TEMPLATE_STATES.after(TemplateState.REVIEWING, event),
        reason=reason_of(review) if event is TemplateEvent.REJECT else "",
        now=now,
    )


async def _write_down(
    connection: Connection, platform: str, decided: Sequence[Decided], now: datetime
) -> None:
    for one in decided:
        await decide_versions(connection, [one.id], Decision(one.state), now=now)
        await audit(
            connection,
            workspace_id=one.workspace_id,
            actor=f"platform {platform}",
            action=f"template.{one.state}",
            object_name=one.name,
        )
