"""What a platform's decision on a template sets in motion: the campaigns that waited for it."""

from collections.abc import Awaitable, Callable, Sequence

from textwave.campaigns.operations import template_decided
from textwave.content import review_operations as reviews
from textwave.content.store import Decided
from textwave.kit.clock import Clock
from textwave.kit.ids import PlatformId, TemplateId
from textwave.platforms.contract import ReviewNotice
from textwave.storage.ledger import Connection

ApplyNotices = Callable[[Connection, PlatformId, Sequence[ReviewNotice]], Awaitable[None]]


async def start_waiting_campaigns(connection: Connection, decided: Sequence[Decided]) -> None:
    """Start or reject the campaigns that waited, in the transaction of the decision."""
    for template in decided:
        await template_decided(connection, TemplateId(template.id))


def apply_notices(clock: Clock) -> ApplyNotices:
    """Return what a pushed review does."""

    async def apply(
        connection: Connection, platform_id: PlatformId, notices: Sequence[ReviewNotice]
    ) -> None:
        decided = await reviews.apply_review_notices(
            connection, platform_id, notices, now=clock.now()
        )
        await start_waiting_campaigns(connection, decided)

    return apply
