"""Asking platforms for what came back, where they do not push: pages into the inbox.

A page is durable, with its merge job, before the next is asked for and before a queue is told that
it may forget it. Whoever moves the cursor first has the page; a page that comes twice is harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from textwave.connections.accounts import OpenPlatform, PlatformAccount, PlatformKind
from textwave.connections.store import platforms_to_pull
from textwave.kit.ids import PlatformId
from textwave.platforms.contract import (
    NotOffered,
    Page,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
)
from textwave.responses import store
from textwave.responses.formats import PUSHED_AS, BodyFormat
from textwave.responses.jobs import OF_CALLBACK
from textwave.responses.pulled import body_of
from textwave.storage.ledger import Ledger
from textwave.storage.queue import defer

_ACCOUNTS_AT_ONCE: Final = 8
_PAGES_A_PULL: Final = 100
_PAGE: Final = 1_000
log = structlog.get_logger(__name__)
Ask = Callable[[str, int], Awaitable[Page[Any]]]


async def pull_all(ledger: Ledger, open_platform: OpenPlatform) -> None:
    """Pull what every account has that does not push, a few accounts at a time."""
    async with ledger.transaction() as connection:
        accounts = await platforms_to_pull(connection)
    places = asyncio.Semaphore(_ACCOUNTS_AT_ONCE)

    async def pull(account: PlatformAccount) -> None:
        async with places:
            await pull_account(ledger, open_platform, account=account)

    # One account's trouble must not keep the others waiting
    for failure in await asyncio.gather(*map(pull, accounts), return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure


async def pull_account(
    ledger: Ledger, open_platform: OpenPlatform, *, account: PlatformAccount
) -> dict[str, int]:
    """Pull all that an account has for us; return how much of each kind came.

    Trouble with one kind does not keep the others from being pulled; it is logged. Items that
    cannot be read are kept as the problem of a body of their own.
    """
    form = PUSHED_AS[account.kind]
    platform = open_platform(account)
    streams: dict[str, Ask] = {"receipts": platform.receipts, "reviews": platform.reviews}
    if account.takes_replies:
        streams["replies"] = platform.replies
    pulled: dict[str, int] = {}
    for kind, ask in streams.items():
        try:
            pulled[kind] = await _pull(ledger, account.id, kind, ask, form)
        except NotOffered:
            continue
        except (PlatformUnreachable, PlatformRefused, PlatformAnsweredNonsense) as refusal:
            log.warning("pull failed", platform=account.name, kind=kind, code=refusal.code)
    return pulled


async def pull_receipts(ledger: Ledger, *, platform_id: PlatformId, platform: Platform) -> int:
    """Pull new receipts into the inbox and defer their merge; return how many came.

    Raises:
        PlatformUnreachable, PlatformRefused, PlatformAnsweredNonsense: the platform's fault.
    """
    form = PUSHED_AS[PlatformKind.THIRDPARTY]
    return await _pull(ledger, platform_id, "receipts", platform.receipts, form)


async def _pull(
    ledger: Ledger, platform_id: PlatformId, kind: str, ask: Ask, form: BodyFormat
) -> int:
    pulled = 0
    async with ledger.transaction() as connection:
        cursor = await store.cursor_of(connection, platform_id=platform_id, kind=kind)
    for _ in range(_PAGES_A_PULL):
        page = await ask(cursor, _PAGE)
        if not page.items and page.next == cursor:
            break
        if not await _keep(ledger, platform_id, kind, cursor, page, form):
            break  # another pull was first and has the same page
        if page.acknowledge is not None:
            await page.acknowledge()
        pulled += len(page.items)
        cursor, size = page.next, len(page.items) + len(page.unread)
        if not size or (page.acknowledge is None and size < _PAGE):
            break
    return pulled


async def _keep(
    ledger: Ledger,
    platform_id: PlatformId,
    kind: str,
    after: str,
    page: Page[Any],
    form: BodyFormat,
) -> bool:
    """Make a page durable with its merge job and move the cursor; False: it was moved before.

    `form`: in whose form the items are that could not be read.
    """
    bodies = [(body_of(page.items), BodyFormat.PULLED)] if page.items else []
    if page.unread:
        bodies.append((b"[" + b",".join(page.unread) + b"]", form))
    async with ledger.transaction() as connection:
        moved = await store.move_cursor(
            connection, platform_id=platform_id, kind=kind, after=after, to=page.next
        )
        for body, written_as in bodies if moved else ():
            await store.store_payload(
                connection, platform_id=platform_id, kind=kind, body=body, form=written_as
            )
        if moved and bodies:
            await defer(connection, OF_CALLBACK[kind])
        return moved
