"""What belongs to one kind of platform alone: its options, who signs its calls, where it is.

Pure. Refused are options that a kind does not know, and values that none of its calls could use.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from textwave.connections.accounts import (
    IDEMPOTENCY,
    KNOWN_CAPABILITIES,
    Capability,
    PlatformKind,
    ReceiptsBy,
)
from textwave.kit.refusal import InvalidValue
from textwave.kit.typed import check_line

URL_MAX: Final = 500
KEY_ID_MAX: Final = 128
OWNER_MAX: Final = 200
_queue = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
Check = Callable[[str, str], None]


def check_address(place: str, url: str) -> None:
    """Accept a whole http or https address without user, query and fragment.

    Raises:
        InvalidValue: it is none.
    """
    parts = _parts(place, url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidValue(place, "leave out user, password, query and fragment.")


def check_sealed_address(place: str, url: str) -> None:
    """Accept a bare https address, or an http one of this machine, for trials.

    Raises:
        InvalidValue: it is none, or what goes there could be read on the way.
    """
    check_address(place, url)
    parts = urlsplit(url)
    if parts.path not in {"", "/"}:
        raise InvalidValue(place, "leave out the path behind the host.")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise InvalidValue(place, "use https://; http:// is for this machine alone.")


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(place: str, url: str) -> SplitResult:
    check_line(place, url, URL_MAX)
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits, parts = False, urlsplit("")
    if not fits or " " in url:
        raise InvalidValue(place, "give a whole http:// or https:// address.")
    return parts


def _check_queue(place: str, name: str) -> None:
    if not _queue.fullmatch(name):
        problem = "use the queue's name: 1-255 letters, digits, hyphens and underscores."
        raise InvalidValue(place, problem)


def _check_owner(place: str, text: str) -> None:
    check_line(place, text, OWNER_MAX)


@dataclass(frozen=True, slots=True)
class KindRules:
    """What a kind asks of its accounts; `default_url` empty: each has an address of its own.

    `capabilities` is what a new account may send as long as nobody says otherwise; `never` is what
    no account of the kind has. `pulled_from` names the options without which nothing is pulled.
    """

    default_url: str
    check_url: Check
    has_key_id: bool
    capabilities: frozenset[str]
    never: frozenset[str]
    options: Mapping[str, Check]
    pulled_from: Mapping[str, str] = field(default_factory=dict[str, str])


def _check_price(place: str, text: str) -> None:
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise InvalidValue(place, "write thousandths of the currency, such as 250 for 0.25.")


RULES: Final[dict[PlatformKind, KindRules]] = {
    PlatformKind.THIRDPARTY: KindRules(
        default_url="",
        check_url=check_address,
        has_key_id=False,
        capabilities=KNOWN_CAPABILITIES,
        never=frozenset(),
        options={},
    ),
    PlatformKind.ALIYUN: KindRules(
        default_url="https://dysmsapi.aliyuncs.com",
        check_url=check_sealed_address,
        has_key_id=True,
        # Variables and click tokens in promotions are for accounts that were granted them
        capabilities=frozenset({Capability.SHORT_LINKS, Capability.OPT_OUT_TEXT}),
        never=frozenset({IDEMPOTENCY}),
        options={
            "report_queue": _check_queue,
            "reply_queue": _check_queue,
            "signature_queue": _check_queue,
            "template_queue": _check_queue,
            "queue_endpoint": check_sealed_address,
            "token_endpoint": check_sealed_address,
            # Whose the links in texts are: carriers take none whose owner is not declared
            "company_name": _check_owner,
            "organization_code": _check_owner,
            "icp_number": _check_owner,
            "icp_picture": _check_owner,
            # Of one digital message; without it such a one costs what a part of a text does
            "digital_price_milli": _check_price,
        },
        pulled_from={"receipts": "report_queue", "replies": "reply_queue"},
    ),
}


def check_options(kind: PlatformKind, options: Mapping[str, str]) -> None:
    """Accept the options of an account of that kind.

    Raises:
        InvalidValue: one is not known to the kind, or its value does not fit.
    """
    known = RULES[kind].options
    for name, text in options.items():
        if name not in known:
            listed = f"Known are: {', '.join(known)}." if known else "It has none."
            raise InvalidValue("options", f"“{name[:60]}” is no option of {kind}. {listed}")
        known[name](f"options.{name}", text)


def check_key_id(kind: PlatformKind, key_id: str) -> None:
    """Accept the id that goes with the key, where the kind has one.

    Raises:
        InvalidValue: it is missing, or out of place.
    """
    if RULES[kind].has_key_id:
        check_line("key_id", key_id, KEY_ID_MAX)
        if not key_id.isascii() or " " in key_id:
            raise InvalidValue("key_id", "an AccessKey id has letters and digits only.")
    elif key_id:
        raise InvalidValue("key_id", f"accounts of kind {kind} have a key alone. Leave it out.")


def check_pulled(
    kind: PlatformKind, receipts: ReceiptsBy, options: Mapping[str, str], *, takes_replies: bool
) -> None:
    """Accept an account whose receipts and replies can be pulled, if they are to be.

    Raises:
        InvalidValue: the option that says from where is missing.
    """
    if receipts is not ReceiptsBy.PULL:
        return
    for what, option in RULES[kind].pulled_from.items():
        if not options.get(option) and (what == "receipts" or takes_replies):
            problem = f"is missing. {what.capitalize()} are pulled from it; else let them be pushed"
            raise InvalidValue(f"options.{option}", f"{problem}.")
