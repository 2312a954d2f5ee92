"""The form of a platform account: its fields read into an account or a change, and shown again.

Prices are of one billed part, in the currency's own units. A figure that is none is refused. The
key is never a field that is shown.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from textwave.connections.accounts import (
    KNOWN_CAPABILITIES,
    CallbackSigning,
    NewPlatform,
    PlatformAccount,
    PlatformKind,
    ReceiptsBy,
)
from textwave.connections.change import PlatformChange
from textwave.connections.kinds import RULES, KindRules
from textwave.console.fields import text
from textwave.kit.refusal import InvalidValue
from textwave.kit.text import Counting

_MOST_DIGITS: Final = 9
_THOUSANDTHS: Final = 1_000


def kind_of(form: Mapping[str, str]) -> PlatformKind:
    """Return the kind that a form names; a third party's where it names none."""
    named = form.get("kind", "")
    return PlatformKind(named) if named in list(PlatformKind) else PlatformKind.THIRDPARTY


def rules_of(form: Mapping[str, str]) -> KindRules:
    """Return what the kind of a form asks of its accounts."""
    return RULES[kind_of(form)]


def new_fields(kind: PlatformKind) -> dict[str, str]:
    """Return what a new form of a kind says before anybody has filled it in."""
    rules = RULES[kind]
    fields = {f"can_{one}": "yes" for one in rules.capabilities}
    return fields | {
        "kind": kind,
        "base_url": rules.default_url,
        "rate_per_second": "100",
        "max_batch": "100",
        "opt_out_text": "拒收请回复R",
        "price": "0.045",
        "currency": "CNY",
        "takes_replies": "yes",
    }


def fields_of(account: PlatformAccount) -> dict[str, str]:
    """Write an account into the fields."""
    options = {f"option_{name}": value for name, value in account.options.items()}
    capabilities = {f"can_{one}": "yes" for one in account.capabilities}
    return (
        options
        | capabilities
        | {
            "name": account.name,
            "kind": account.kind,
            "base_url": account.base_url,
            "key_id": account.key_id,
            "rate_per_second": str(account.rate_per_second),
            "max_batch": str(account.max_batch),
            "opt_out_text": account.opt_out_text,
            "counting": account.counting,
            "price": f"{Decimal(account.price_milli) / _THOUSANDTHS:f}",
            "currency": account.currency,
            "callback_signing": account.callback_signing,
            "receipts": account.receipts,
            "takes_replies": "yes" if account.takes_replies else "",
        }
    )


def read_new(form: Mapping[str, str]) -> NewPlatform:
    """Read a new account.

    Raises:
        InvalidValue: a figure or a choice is none.
    """
    given = _values(form)
    return NewPlatform(
        name=text(form, "name"),
        kind=kind_of(form),
        key=form.get("key", "").strip(),
        key_id=text(form, "key_id"),
        **given,
    )


def read_change(form: Mapping[str, str]) -> PlatformChange:
    """Read what an account is to say from now on.

    Raises:
        InvalidValue: a figure or a choice is none.
    """
    return PlatformChange(**_values(form))


def _values(form: Mapping[str, str]) -> dict[str, Any]:
    rules = rules_of(form)
    offered = KNOWN_CAPABILITIES - rules.never
    options = {name: text(form, f"option_{name}") for name in rules.options}
    return {
        "base_url": text(form, "base_url") or rules.default_url,
        "options": {name: value for name, value in options.items() if value},
        "capabilities": frozenset(one for one in offered if form.get(f"can_{one}") == "yes"),
        "rate_per_second": _whole(form, "rate_per_second"),
        "max_batch": _whole(form, "max_batch"),
        "opt_out_text": text(form, "opt_out_text"),
        "counting": _choice(Counting, form, "counting", Counting.MAINLAND),
        "price_milli": _milli(form),
        "currency": text(form, "currency").upper(),
        "callback_signing": _choice(
            CallbackSigning, form, "callback_signing", CallbackSigning.STRICT
        ),
        "receipts": _choice(ReceiptsBy, form, "receipts", ReceiptsBy.PUSH),
        "takes_replies": form.get("takes_replies") == "yes",
    }


def _choice(kind: Any, form: Mapping[str, str], name: str, otherwise: Any) -> Any:
    given = form.get(name) or otherwise
    if given not in list(kind):
        raise InvalidValue(name, f"is none of: {', '.join(kind)}.")
    return kind(given)


def _whole(form: Mapping[str, str], name: str) -> int:
    given = text(form, name)
    if not given.isascii() or not given.isdigit() or len(given) > _MOST_DIGITS:
        raise InvalidValue(name, f"“{given[:20]}” is no whole number.")
    return int(given)


def _milli(form: Mapping[str, str]) -> int:
    given = text(form, "price") or "0"
    try:
        price = Decimal(given) * _THOUSANDTHS
    except InvalidOperation:
        raise InvalidValue("price", f"“{given[:20]}” is no amount.") from None
    if not price.is_finite() or price < 0 or price != price.to_integral_value():
        raise InvalidValue("price", "give an amount with at most three decimals, such as 0.045.")
    if len(f"{price:f}") > _MOST_DIGITS:
        raise InvalidValue("price", "is too high.")
    return int(price)
