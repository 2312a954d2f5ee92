"""Which addresses a short link may lead to.

Refused are addresses that are not http or https, name no host, carry a user or password, lead back
to a short link or nowhere and, unless it is allowed, those on this machine or in a private network.
Domain names are not resolved: they may lead elsewhere tomorrow, and phones ask other servers.
"""

import re
import socket
import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Final
from urllib.parse import SplitResult, quote, urlsplit

from textwave.kit.refusal import Refusal

LONGEST_URL: Final = 2_000
_PRINTABLE_ASCII: Final = "".join(chr(number) for number in range(0x21, 0x7F))
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_NOWHERE: Final = ("invalid", "alt")
"""Top-level names that lead nowhere by definition (RFC 6761, RFC 9476)."""

_INSIDE: Final = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa")
"""Ends of names inside a network (RFC 6761, 6762, 8375; ICANN reserved `internal`)."""


@dataclass(eq=False)
class LongUrlNotAllowed(Refusal):
    """A short link may not lead to this address."""

    code: ClassVar[str] = "long_url_not_allowed"
    problem: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"The long URL {self.problem}. {self.remedy}"


def check_long_url(
    url: str, *, allow_private: bool = False, own_hosts: Collection[str] = ()
) -> str:
    """Return the address in ASCII, as a redirect sends it.

    `own_hosts` are those of short links, as `host_of` writes them.

    Raises:
        LongUrlNotAllowed: wrong scheme, no host, user or password, a short link, a host that is
            nowhere or (unless `allow_private`) not public, characters that no address has, too
            long.
    """
    parts = _split(url)
    host = _host(parts)
    if host.rstrip(".").rpartition(".")[2] in _NOWHERE:
        raise LongUrlNotAllowed(
            f"leads to “{host}”, which is nowhere", "Use an address that every phone can open."
        )
    if _with_port(parts, host) in own_hosts:
        raise LongUrlNotAllowed(
            f"leads to “{host}”, where short links are, and so perhaps in a circle",
            "Write where the reader should arrive in the end.",
        )
    if not allow_private and _is_private(host):
        raise LongUrlNotAllowed(
            f"leads to “{host}”, which is not on the public internet",
            "Use an address that every phone can open.",
        )
    ascii_url = _in_ascii(parts, host)
    if len(ascii_url) > LONGEST_URL:
        raise LongUrlNotAllowed(
            f"has {len(ascii_url)} characters", f"At most {LONGEST_URL} are allowed."
        )
    return ascii_url


def host_of(url: str) -> str:
    """Return the host of an address as browsers compare it, with a port that is not usual.

    Raises:
        LongUrlNotAllowed: it is no web address with a host.
    """
    parts = _split(url)
    return _with_port(parts, _host(parts))


def hosts_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return the hosts of addresses, as `host_of` does; one that is none (port 0) has no host."""
    found: set[str] = set()
    for address in addresses:
        with suppress(LongUrlNotAllowed):
            found.add(host_of(address))
    return frozenset(found)


def _with_port(parts: SplitResult, host: str) -> str:
    bare = f"[{host}]" if ":" in host else host.rstrip(".")
    usual = parts.port in {None, _DEFAULT_PORTS[parts.scheme]}
    return bare if usual else f"{bare}:{parts.port}"


def _split(url: str) -> SplitResult:
    if any(unicodedata.category(char)[0] in "CZ" for char in url) or "\\" in url:
        raise LongUrlNotAllowed(
            "has spaces, backslashes or invisible characters", "Write them percent-encoded."
        )
    try:
        parts = urlsplit(url)
        port_fits = parts.port != 0
    except ValueError:
        raise LongUrlNotAllowed("is no address", "Copy it from the browser.") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise LongUrlNotAllowed(
            "is neither http nor https", "Write the whole address, beginning with https://."
        )
    if not parts.hostname or not port_fits:
        raise LongUrlNotAllowed("names no host", "Write the whole address with its domain.")
    if "@" in parts.netloc:
        raise LongUrlNotAllowed("has a user or password in it", "Leave out what is before the @.")
    return parts


def _host(parts: SplitResult) -> str:
    """Return the host as a browser reads it: full-width letters and dots become plain."""
    host = unicodedata.normalize("NFKC", parts.hostname or "").replace("。", ".").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = ""
    if not host.strip(".") or re.search(r"[^a-z0-9._:-]", host):
        raise LongUrlNotAllowed("names no host", "Write the whole address with its domain.")
    return host


def _is_private(host: str) -> bool:
    bare = host.rstrip(".")
    address = _address(bare)
    if address is None:
        inside = any(bare == end or bare.endswith(f".{end}") for end in _INSIDE)
        return inside or "." not in bare
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return not address.is_global or address.is_multicast


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address in every form that a browser takes: also 127.1, 0x7f000001, 2130706433."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _in_ascii(parts: SplitResult, host: str) -> str:
    netloc = f"[{host}]" if ":" in host else host
    if parts.port:
        netloc += f":{parts.port}"
    whole = parts._replace(netloc=netloc).geturl()
    return quote(whole, safe=_PRINTABLE_ASCII)
