"""What an administrator gives of an account: whole, or what is to be different of it.

Pure. Refused, by their place, are values outside what the ledger and the contract hold. Name and
kind never change: callbacks are addressed by the name, and what was sent belongs to the kind.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from textwave.connections.accounts import (
    ADAPTERS,
    BATCH_MAX,
    KNOWN_CAPABILITIES,
    OPT_OUT_TEXT_MAX,
    RATE_MAX,
    CallbackSigning,
    NewPlatform,
    PlatformAccount,
    ReceiptsBy,
)
from textwave.connections.kinds import RULES, check_key_id, check_options, check_pulled
from textwave.kit.refusal import InvalidValue
from textwave.kit.text import Counting
from textwave.kit.typed import check_line

KEY_MAX: Final = 500
_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_currency = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class PlatformChange:
    """What is to be different of an account; None: it stays. `options` replace all there are."""

    base_url: str | None = None
    options: Mapping[str, str] | None = None
    capabilities: frozenset[str] | None = None
    rate_per_second: int | None = None
    max_batch: int | None = None
    opt_out_text: str | None = None
    counting: Counting | None = None
    price_milli: int | None = None
    currency: str | None = None
    callback_signing: CallbackSigning | None = None
    receipts: ReceiptsBy | None = None
    takes_replies: bool | None = None


CHANGEABLE: Final = tuple(field.name for field in fields(PlatformChange))


def changed(account: PlatformAccount, change: PlatformChange) -> dict[str, tuple[Any, Any]]:
    """Return what becomes different, each with what it was and what it will be.

    Raises:
        InvalidValue: the account would not be one that can be kept and opened.
    """
    given = asdict(change)
    wanted = {
        name: getattr(account, name) if given[name] is None else given[name] for name in CHANGEABLE
    }
    check_values(
        NewPlatform(name=account.name, key="", kind=account.kind, key_id=account.key_id, **wanted)
    )
    return {
        name: (getattr(account, name), wanted[name])
        for name in CHANGEABLE
        if wanted[name] != getattr(account, name)
    }


def check_platform(new: NewPlatform) -> None:
    """Accept an account that can be kept and opened.

    Raises:
        InvalidValue: the first value that does not fit, by its place.
    """
    if not _name.fullmatch(new.name):
        raise InvalidValue("name", "use 1-60 letters, digits, dots, hyphens and underscores.")
    if new.kind not in ADAPTERS:
        raise InvalidValue("kind", f"platforms of kind {new.kind} are not offered yet.")
    check_key(new)
    check_values(new)


def check_key(new: NewPlatform) -> None:
    """Accept the key of an account, and the id that goes with it.

    Raises:
        InvalidValue: one of them does not fit.
    """
    check_line("key", new.key, KEY_MAX)
    check_key_id(new.kind, new.key_id)


def check_values(new: NewPlatform) -> None:
    """Accept everything of an account but its name and its key.

    Raises:
        InvalidValue: the first value that does not fit, by its place.
    """
    RULES[new.kind].check_url("base_url", new.base_url)
    _check_range("rate_per_second", new.rate_per_second, 1, RATE_MAX)
    _check_range("max_batch", new.max_batch, 1, BATCH_MAX)
    _check_range("price_milli", new.price_milli, 0, 2**31 - 1)
    if not _currency.fullmatch(new.currency):
        raise InvalidValue("currency", "use the three capital letters of ISO 4217, such as CNY.")
    if new.opt_out_text:
        check_line("opt_out_text", new.opt_out_text, OPT_OUT_TEXT_MAX)
    if "${" in new.opt_out_text:
        raise InvalidValue("opt_out_text", "it is the same for everybody and has no variables.")
    _check_capabilities(new)
    check_options(new.kind, new.options)
    check_pulled(new.kind, new.receipts, new.options, takes_replies=new.takes_replies)


def _check_capabilities(new: NewPlatform) -> None:
    unknown = sorted(new.capabilities - KNOWN_CAPABILITIES)
    if unknown:
        known = ", ".join(sorted(KNOWN_CAPABILITIES - RULES[new.kind].never))
        raise InvalidValue("capabilities", f"“{unknown[0]}” is not known. Known are: {known}.")
    never = sorted(new.capabilities & RULES[new.kind].never)
    if never:
        problem = f"no account of kind {new.kind} has “{never[0]}”. Take it out."
        raise InvalidValue("capabilities", problem)


def _check_range(place: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise InvalidValue(place, f"must be between {least} and {most}, not {number}.")
