"""Taking what Alibaba Cloud pushes: to a path that nobody can guess, and durable before anything.

It signs nothing, sends a body three times at most, and corrects none: so any array is kept as it
came, and what does not fit in it is found when it is merged. Refuses all other paths alike.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.callbacks import store
from textwave.connections.accounts import PlatformKind
from textwave.connections.push import AliyunReport
from textwave.kit.ids import PlatformId
from textwave.kit.refusal import Refusal
from textwave.platforms.thirdparty import MalformedCallback
from textwave.responses.formats import BodyFormat, pieces_of
from textwave.responses.jobs import OF_CALLBACK
from textwave.storage.ledger import Ledger
from textwave.storage.queue import defer

SecretOf = Callable[[PlatformId, int], str]
"""Gives the secret in the paths of an account, by its version."""

TAKEN: Final = "接收成功"
NOT_WANTED: Final = "Replies are not taken for this account; nothing of this was kept."
_NOBODY: Final = PlatformId(0)
_KINDS: Final[dict[AliyunReport, str]] = {
    AliyunReport.receipts: "receipts",
    AliyunReport.replies: "replies",
    AliyunReport.signature_reviews: "reviews",
    AliyunReport.template_reviews: "reviews",
}


@dataclass(eq=False)
class PushAddressUnknown(Refusal):
    """No account is pushed to at this path."""

    code: ClassVar[str] = "push_address_unknown"

    @property
    def sentence(self) -> str:
        return (
            "Nothing is pushed here. Enter the addresses that “textwave platform show” prints for "
            "the account at the platform, letter by letter."
        )


async def take_push(
    ledger: Ledger,
    *,
    name: str,
    secret: str,
    report: AliyunReport,
    body: bytes,
    secret_of: SecretOf,
) -> str:
    """Make a pushed body durable, and its merge deferred; return what to tell the platform.

    Raises:
        PushAddressUnknown: there is no such account, or the secret is not its.
        MalformedCallback: the body is no array.
    """
    async with ledger.transaction() as connection:
        account = await store.push_account(connection, name=name)
        # As much work for a name that does not exist: the time it takes must not tell
        expected = secret_of(account.id, account.push_version) if account else secret_of(_NOBODY, 1)
        is_right = hmac.compare_digest(expected.encode(), secret.encode())
        if account is None or not is_right or account.kind != PlatformKind.ALIYUN:
            raise PushAddressUnknown
        kind = _KINDS[report]
        if kind == "replies" and not account.takes_replies:
            return NOT_WANTED
        if _size(body):
            await store.store_callback(
                connection, platform_id=account.id, kind=kind, body=body, form=BodyFormat.ALIYUN
            )
            await defer(connection, OF_CALLBACK[kind])
    return TAKEN


def _size(body: bytes) -> int:
    """Return how many items a body has.

    Raises:
        MalformedCallback: it is no array.
    """
    pieces = pieces_of(body)
    if pieces is None:
        raise MalformedCallback(None, "", "is not a JSON array")
    return len(pieces)
