"""Short links: which addresses they may lead to, their codes, and how they stand in texts.

Refused are addresses that are not http or https and, unless it is allowed, those on this machine or
in a private network. Domain names are not resolved: they may lead elsewhere tomorrow.
"""

import re
import secrets
import socket
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Final
from urllib.parse import SplitResult, quote, urlsplit

from textwave.content.lint import Finding, Severity
from textwave.content.tokens import BASE_62
from textwave.content.variables import TOKEN_PREFIX, TemplateText
from textwave.kit.ids import LinkId, WorkspaceId
from textwave.kit.refusal import Refusal

CODE_LENGTH: Final = 6
LONGEST_URL: Final = 2_000
LONGEST_DAYS: Final = 3_650
EXPIRES_SOON: Final = timedelta(days=7)
_PRINTABLE_ASCII: Final = "".join(chr(number) for number in range(0x21, 0x7F))
_token_behind = re.compile(r"(?:/|\?ph=)\$\{(" + TOKEN_PREFIX + r"[A-Za-z0-9_]+)\}")
_other_variable_behind = re.compile(r"(?:/|\?ph=)?\$\{")


@dataclass(frozen=True, slots=True)
class ShortLink:
    """A short link; clicks are counted in total and without bots and previews."""

    id: LinkId
    workspace_id: WorkspaceId
    name: str
    code: str
    long_url: str
    expires_at: datetime
    enabled: bool
    total_clicks: int
    human_clicks: int
    created_at: datetime


@dataclass(eq=False)
class LongUrlNotAllowed(Refusal):
    """A short link may not lead to this address."""

    code: ClassVar[str] = "long_url_not_allowed"
    problem: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"The long URL {self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class LinkInText:
    """A short link as it stands in a text; `end` is behind its token variable, if it has one.

    `code` is empty where the address of the links is followed by no code.
    """

    code: str
    position: int
    end: int
    token_position: int | None


def random_code() -> str:
    """Return six random base-62 characters: 57 thousand million, so that none can be guessed."""
    return "".join(secrets.choice(BASE_62) for _ in range(CODE_LENGTH))


def check_long_url(url: str, *, allow_private: bool = False) -> str:
    """Return the address in ASCII, as a redirect sends it.

    Raises:
        LongUrlNotAllowed: wrong scheme, no host, user or password, a machine that is not public
            (unless `allow_private`), characters that no address has, or too long.
    """
    parts = _split(url)
    host = _host(parts)
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


def links_in(text: str, links_url: str) -> list[LinkInText]:
    """Return the short links of a text; `links_url` is what they begin with, with its scheme."""
    return [_link_at(text, found) for found in _beginning(links_url).finditer(text)]


def check_links(
    template: TemplateText, links_url: str, links: Mapping[str, ShortLink], now: datetime
) -> list[Finding]:
    """Return what is wrong with the short links and click tokens of a text.

    `links` are those of the workspace, by code.
    """
    text = template.text
    found = links_in(text, links_url)
    findings: list[Finding] = []
    for link in found:
        findings += _about(link, links.get(link.code), now)
        findings += _behind(text, link)
    tokens = {link.token_position for link in found}
    findings += [
        _error(
            "token_without_link",
            variable.position,
            f"“{variable.name}” is a click token and must stand right behind a short link.",
        )
        for variable in template.variables
        if variable.is_token and variable.position not in tokens
    ]
    return sorted(findings, key=lambda finding: finding.position)


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
    if parts.scheme not in {"http", "https"}:
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
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    address = _address(bare)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and (not address.is_global or address.is_multicast)


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


def _beginning(links_url: str) -> re.Pattern[str]:
    """Match the address of the links, also without its scheme, and the code if there is one."""
    bare = re.escape(links_url.rstrip("/").split("://", maxsplit=1)[-1])
    code = rf"(?P<code>[0-9A-Za-z]{{{CODE_LENGTH}}})?(?![0-9A-Za-z])"
    return re.compile(rf"(?:https?://|(?<![A-Za-z0-9_.@/-])){bare}/(?:{code}|(?=[0-9A-Za-z]))")


def _link_at(text: str, found: re.Match[str]) -> LinkInText:
    code = found["code"] or ""
    token = _token_behind.match(text, found.end()) if code else None
    if token is None:
        return LinkInText(code, found.start(), found.end(), None)
    position = token.start(1) - len("${")
    return LinkInText(code, found.start(), token.end(), position)


def _about(link: LinkInText, known: ShortLink | None, now: datetime) -> Iterator[Finding]:
    if known is None:
        named = f"“{link.code}”" if link.code else "without a six-character code"
        sentence = f"There is no short link {named} in this workspace. Make it first."
        yield _error("link_unknown", link.position, sentence)
        return
    day = f"{known.expires_at:%Y-%m-%d}"
    if not known.enabled:
        sentence = f"The short link “{known.name}” is disabled. Enable it or take it out."
        yield _error("link_disabled", link.position, sentence)
    if known.expires_at <= now:
        sentence = f"The short link “{known.name}” expired on {day}. Make a new one."
        yield _error("link_expired", link.position, sentence)
    elif known.expires_at <= now + EXPIRES_SOON:
        sentence = f"The short link “{known.name}” expires on {day}; later clicks lead nowhere."
        yield Finding("link_expires_soon", Severity.WARNING, link.position, sentence)


def _behind(text: str, link: LinkInText) -> Iterator[Finding]:
    if not link.code:
        return
    following = text[link.end : link.end + 1]
    if _other_variable_behind.match(text, link.end):
        sentence = "Only a click token such as ${sp_link} may stand right behind a short link."
        yield _error("link_variable", link.end, sentence)
    elif link.token_position is not None and following.isascii() and following.isalnum():
        sentence = "A letter right behind a click token makes another token. Put a space there."
        yield _error("link_runs_on", link.end, sentence)
    elif following.isalnum():
        sentence = "Some phones take the word right behind a link as part of it. Put a space there."
        yield Finding("link_runs_on", Severity.WARNING, link.end, sentence)


def _error(code: str, position: int, sentence: str) -> Finding:
    return Finding(code, Severity.ERROR, position, sentence)
