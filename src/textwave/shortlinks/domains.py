"""Domains of an organization that short links begin with.

Refused are addresses with a path, a query or a login: the code stands right behind the host. A
retired domain gets no new links; those that were sent with it keep working.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from textwave.kit.ids import LinkDomainId
from textwave.kit.refusal import InvalidValue
from textwave.shortlinks.targets import LongUrlNotAllowed, check_long_url, host_of

LONGEST_ADDRESS: Final = 100
MOST_DOMAINS: Final = 50


@dataclass(frozen=True, slots=True)
class LinkDomain:
    """A domain: `host` names it, `address` is what links begin with; `links` were made with it."""

    id: LinkDomainId
    host: str
    address: str
    is_default: bool
    links: int
    created_at: datetime
    retired_at: datetime | None


def check_address(written: str) -> tuple[str, str]:
    """Return host and address of a domain; without a scheme it is https.

    Raises:
        InvalidValue: it is no bare domain, or too long.
    """
    text = written.strip()
    if len(text) > LONGEST_ADDRESS:
        raise InvalidValue("address", f"has more than {LONGEST_ADDRESS} characters.")
    whole = text if "://" in text else f"https://{text}"
    try:
        taken = check_long_url(whole, allow_private=True)
        host = host_of(taken)
    except LongUrlNotAllowed as refusal:
        raise InvalidValue("address", f"{refusal.problem}. {refusal.remedy}") from None
    parts = urlsplit(taken)
    if parts.path.strip("/") or parts.query or parts.fragment or "[" in host:
        problem = "has more than a domain. Write only, for example, https://d.example.cn."
        raise InvalidValue("address", problem)
    return host, f"{parts.scheme}://{host}"
