"""Accounts at platforms: what is configured, and opening one to talk to it.

The key is kept sealed and no operation returns it. What an account may say is checked in `change`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import aiohttp

from textwave.kit.ids import OrganizationId, PlatformId
from textwave.kit.text import Counting
from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.contract import Platform
from textwave.platforms.thirdparty import Limits, ThirdPartyPlatform
from textwave.settings import Settings
from textwave.storage.secrets import Vault

RATE_MAX: Final = 1_000_000
BATCH_MAX: Final = 1_000
OPT_OUT_TEXT_MAX: Final = 50


class PlatformKind(StrEnum):
    """Which adapter speaks to the platform."""

    THIRDPARTY = "thirdparty"
    ALIYUN = "aliyun"


class Capability(StrEnum):
    """What an account may be able to send."""

    VARIABLES = "variables"
    SHORT_LINKS = "short_links"
    CLICK_TOKENS = "click_tokens"
    OPT_OUT_TEXT = "opt_out_text"


IDEMPOTENCY: Final = "idempotency"
"""The platform sends nothing twice under one key; for dispatch, and only where it says so."""
KNOWN_CAPABILITIES: Final = frozenset[str](Capability) | {IDEMPOTENCY}
"""What an account may list."""


class CallbackSigning(StrEnum):
    """Whether callbacks must sign their body, or may do as old gateways do."""

    STRICT = "strict"
    QA = "qa"


class ReceiptsBy(StrEnum):
    """Whether the platform pushes receipts and replies, or they are pulled."""

    PUSH = "push"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class NewPlatform:
    """A platform account as the administrator gives it; the price is for one part.

    `key` is the shared key, or the secret that belongs to `key_id`; `options` are those of the
    kind, by name. `takes_replies`: replies are wanted from it.
    """

    name: str
    base_url: str
    key: str = field(repr=False)
    capabilities: frozenset[str] = KNOWN_CAPABILITIES
    rate_per_second: int = 100
    max_batch: int = 100
    opt_out_text: str = ""
    counting: Counting = Counting.MAINLAND
    price_milli: int = 0
    currency: str = "CNY"
    callback_signing: CallbackSigning = CallbackSigning.STRICT
    receipts: ReceiptsBy = ReceiptsBy.PUSH
    kind: PlatformKind = PlatformKind.THIRDPARTY
    key_id: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    takes_replies: bool = True


@dataclass(frozen=True, slots=True)
class PlatformAccount:
    """A platform account as it is kept; `sealed_key` is of use to `open_platform` only.

    `resting_until`: it did not answer, and is tried again then; `resting_reason`: what it said.
    `push_version`: of the secret in the paths that it is pushed to. `retired_at`: nothing new goes
    through it since. `callback_refused_at`: when a callback was not let in last, and why.
    """

    id: PlatformId
    organization_id: OrganizationId
    name: str
    kind: PlatformKind
    base_url: str
    sealed_key: bytes = field(repr=False)
    capabilities: frozenset[str]
    rate_per_second: int
    max_batch: int
    opt_out_text: str
    counting: Counting
    price_milli: int
    currency: str
    callback_signing: CallbackSigning
    receipts: ReceiptsBy
    key_id: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    takes_replies: bool = True
    push_version: int = 1
    resting_until: datetime | None = None
    resting_reason: str = ""
    retired_at: datetime | None = None
    callback_refused_at: datetime | None = None
    callback_problem: str = ""
    previous_key_until: datetime | None = None

    def __post_init__(self) -> None:
        """Take the texts and arrays of a row as the types they stand for."""
        object.__setattr__(self, "kind", PlatformKind(self.kind))
        object.__setattr__(self, "capabilities", frozenset(self.capabilities))
        object.__setattr__(self, "counting", Counting(self.counting))
        object.__setattr__(self, "callback_signing", CallbackSigning(self.callback_signing))
        object.__setattr__(self, "receipts", ReceiptsBy(self.receipts))

    @property
    def honours_keys(self) -> bool:
        """Tell whether a request may be sent again under its key without sending anything twice."""
        return IDEMPOTENCY in self.capabilities


OpenPlatform = Callable[[PlatformAccount], Platform]
"""How operations get a platform to talk to; wiring binds vault, session and settings."""

Adapter = Callable[[PlatformAccount, str, aiohttp.ClientSession, Settings], Platform]


def _third_party(
    account: PlatformAccount, key: str, session: aiohttp.ClientSession, settings: Settings
) -> Platform:
    limits = Limits(total_seconds=settings.send_timeout_seconds)
    return ThirdPartyPlatform(
        session, url=account.base_url, name=account.name, key=key, limits=limits
    )


def _aliyun(
    account: PlatformAccount, key: str, session: aiohttp.ClientSession, settings: Settings
) -> Platform:
    return AliyunPlatform(
        session,
        name=account.name,
        endpoint=account.base_url,
        key_id=account.key_id,
        key=key,
        options=account.options,
        is_international=account.counting is Counting.INTERNATIONAL,
        limits=Limits(total_seconds=settings.send_timeout_seconds),
    )


ADAPTERS: Final[dict[PlatformKind, Adapter]] = {
    PlatformKind.THIRDPARTY: _third_party,
    PlatformKind.ALIYUN: _aliyun,
}


def open_platform(
    account: PlatformAccount, vault: Vault, session: aiohttp.ClientSession, settings: Settings
) -> Platform:
    """Return the adapter of an account, holding its key; the session belongs to the caller."""
    key = open_key(vault, account.name, account.sealed_key)
    return ADAPTERS[account.kind](account, key, session, settings)


def seal_key(vault: Vault, name: str, key: str) -> bytes:
    """Seal the key of the platform of that name, for it alone."""
    return vault.seal(key, _key_context(name))


def open_key(vault: Vault, name: str, sealed_key: bytes) -> str:
    """Open the key of the platform of that name, to sign with or to check a callback."""
    return vault.open(sealed_key, _key_context(name))


def _key_context(name: str) -> str:
    return f"key of platform {name}"
