"""Taking a callback: authentic, readable, not seen before, and then durable with its merge job.

Refuses a body of which one item does not fit as a whole, so that nothing is ever half taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from textwave.callbacks import store
from textwave.callbacks.store import CallbackPlatform
from textwave.kit.refusal import Refusal
from textwave.platforms.signing import (
    CLOCK_SKEW_SECONDS,
    RequestNotAuthentic,
    SignatureMode,
    SignatureProblem,
    SignedRequest,
    verify,
)
from textwave.responses.formats import READINGS, BodyFormat
from textwave.responses.jobs import OF_CALLBACK
from textwave.storage.ledger import Ledger
from textwave.storage.queue import defer

OpenKey = Callable[[str, bytes], str]
"""Opens the sealed key of the platform of that name."""


class CallbackKind(StrEnum):
    """What a platform reports by itself."""

    receipts = "receipts"
    replies = "replies"
    reviews = "reviews"


_MODES: Final = {"strict": SignatureMode.strict, "qa": SignatureMode.qa_only}


@dataclass(eq=False)
class CallbackPlatformUnknown(Refusal):
    """No platform of that name is configured."""

    code: ClassVar[str] = "callback_platform_unknown"
    name: str

    @property
    def sentence(self) -> str:
        return f"No platform “{self.name}” is configured here. Check the callback's address."


@dataclass(eq=False)
class NonceSeen(Refusal):
    """The same signed request came before."""

    code: ClassVar[str] = "nonce_seen"

    @property
    def sentence(self) -> str:
        return "This nonce was used before. Sign each attempt anew, with a new nonce."


@dataclass(eq=False)
class RepliesNotTaken(Refusal):
    """The account is set not to take replies."""

    code: ClassVar[str] = "replies_not_taken"
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” is set not to take replies, so nothing of this was "
            "kept. Send no replies, or let the administrator switch them on."
        )


async def platform_called(ledger: Ledger, *, name: str) -> CallbackPlatform:
    """Return the platform that a callback's address names.

    Raises:
        CallbackPlatformUnknown: there is none.
    """
    async with ledger.transaction() as connection:
        found = await store.platform_called(connection, name=name)
    if found is None:
        raise CallbackPlatformUnknown(name)
    return found


async def take_callback(
    ledger: Ledger,
    *,
    platform: CallbackPlatform,
    kind: CallbackKind,
    request: SignedRequest,
    open_key: OpenKey,
    now: datetime,
) -> None:
    """Make a callback durable; when this returns, it is committed and its merge is deferred.

    Raises:
        RequestNotAuthentic: the signature is missing, wrong or stale.
        MalformedCallback: an item of the body does not fit.
        NonceSeen: the request came before.
        RepliesNotTaken: the account is set so.
    """
    try:
        nonce = _nonce_of(platform, request, open_key, now)
    except RequestNotAuthentic as refusal:
        await _note_refused(ledger, platform, refusal)
        raise
    if kind is CallbackKind.replies and not platform.takes_replies:
        raise RepliesNotTaken(platform.name)
    READINGS[BodyFormat.THIRDPARTY].of(kind)(request.body)
    async with ledger.transaction() as connection:
        if not await store.take_nonce(connection, platform_id=platform.id, nonce=nonce):
            raise NonceSeen
        await store.store_callback(
            connection,
            platform_id=platform.id,
            kind=kind,
            body=request.body,
            form=BodyFormat.THIRDPARTY,
        )
        await defer(connection, OF_CALLBACK[kind])


def _nonce_of(
    platform: CallbackPlatform, request: SignedRequest, open_key: OpenKey, now: datetime
) -> str:
    """Return the nonce of a request that the key signed, or for a while the key before it.

    Raises:
        RequestNotAuthentic: neither did.
    """
    mode = _MODES[platform.callback_signing]
    key = open_key(platform.name, platform.sealed_key)
    before = platform.previous_key(now)
    try:
        return verify(request, key=key, now=now, mode=mode)
    except RequestNotAuthentic as refusal:
        if before is None or refusal.problem is not SignatureProblem.wrong:
            raise
    return verify(request, key=open_key(platform.name, before), now=now, mode=mode)


async def _note_refused(
    ledger: Ledger, platform: CallbackPlatform, refusal: RequestNotAuthentic
) -> None:
    """Keep why a callback was not let in, for who tests the account."""
    async with ledger.transaction() as connection:
        await store.note_refused(connection, platform_id=platform.id, problem=refusal.sentence)


async def forget_nonces(ledger: Ledger, *, now: datetime) -> int:
    """Delete nonces too old to come again, as the owner; return how many."""
    # A timestamp may be as far ahead as behind, so a nonce can come again for twice the tolerance.
    before = now - timedelta(seconds=2 * CLOCK_SKEW_SECONDS + 60)
    async with ledger.transaction() as connection:
        return await store.forget_nonces(connection, before=before)
