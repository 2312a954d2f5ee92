"""Accounts at platforms: what is configured, and opening one to talk to it.

The key is kept sealed and no operation returns it. Refused are addresses that are not plain http or
https, and values outside what the ledger and the contract hold.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from textwave.kit.ids import OrganizationId, PlatformId
from textwave.kit.refusal import InvalidValue
from textwave.kit.text import Counting
from textwave.kit.typed import check_line
from textwave.platforms.contract import Platform
from textwave.platforms.thirdparty import Limits, ThirdPartyPlatform
from textwave.settings import Settings
from textwave.storage.secrets import Vault

RATE_MAX: Final = 1_000_000
BATCH_MAX: Final = 1_000
OPT_OUT_TEXT_MAX: Final = 50
KEY_MAX: Final = 500
URL_MAX: Final = 500
_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_currency = re.compile(r"[A-Z]{3}")


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
    `push_version`: of the secret in the paths that it is pushed to.
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


ADAPTERS: Final[dict[PlatformKind, Adapter]] = {PlatformKind.THIRDPARTY: _third_party}


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


def check_platform(new: NewPlatform) -> None:
    """Accept an account that can be kept and opened.

    Raises:
        InvalidValue: the first value that does not fit, by its place.
    """
    if not _name.fullmatch(new.name):
        raise InvalidValue("name", "use 1-60 letters, digits, dots, hyphens and underscores.")
    if new.kind not in ADAPTERS:
        raise InvalidValue("kind", f"platforms of kind {new.kind} are not offered yet.")
    _check_base_url(new.base_url)
    check_line("key", new.key, KEY_MAX)
    _check_range("rate_per_second", new.rate_per_second, 1, RATE_MAX)
    _check_range("max_batch", new.max_batch, 1, BATCH_MAX)
    _check_range("price_milli", new.price_milli, 0, 2**31 - 1)
    if not _currency.fullmatch(new.currency):
        raise InvalidValue("currency", "use the three capital letters of ISO 4217, such as CNY.")
    if new.opt_out_text:
        check_line("opt_out_text", new.opt_out_text, OPT_OUT_TEXT_MAX)
    if "${" in new.opt_out_text:
        raise InvalidValue("opt_out_text", "it is the same for everybody and has no variables.")
    unknown = sorted(new.capabilities - KNOWN_CAPABILITIES)
    if unknown:
        known = ", ".join(sorted(KNOWN_CAPABILITIES))
        raise InvalidValue("capabilities", f"“{unknown[0]}” is not known. Known are: {known}.")


def _key_context(name: str) -> str:
    return f"key of platform {name}"


def _check_range(place: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise InvalidValue(place, f"must be between {least} and {most}, not {number}.")


def _check_base_url(url: str) -> None:
    check_line("base_url", url, URL_MAX)
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits, parts = False, urlsplit("")
    if not fits or " " in url:
        raise InvalidValue("base_url", "give a whole http:// or https:// address.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidValue("base_url", "leave out user, password, query and fragment.")
