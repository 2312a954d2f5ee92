"""Short links as they stand in texts: which they are, and what is wrong with them.

Links of a domain that is retired are found as well; a link is the same under every domain.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textwave.content.lint import Finding, Severity
from textwave.content.variables import TOKEN_PREFIX, TemplateText
from textwave.shortlinks.links import CODE_LENGTH, ShortLink

EXPIRES_SOON: Final = timedelta(days=7)
_token_behind = re.compile(r"(?:/|\?ph=)\$\{(" + TOKEN_PREFIX + r"[A-Za-z0-9_]+)\}")
_other_variable_behind = re.compile(r"(?:/|\?ph=)?\$\{")


@dataclass(frozen=True, slots=True)
class LinkInText:
    """A short link as it stands in a text; `end` is behind its token variable, if it has one.

    `code` is empty where the address of the links is followed by no code.
    """

    code: str
    position: int
    end: int
    token_position: int | None


def links_in(text: str, addresses: Sequence[str]) -> list[LinkInText]:
    """Return the short links of a text; `addresses` are what they begin with, with a scheme."""
    return [_link_at(text, found) for found in _beginning(addresses).finditer(text)]


def check_links(
    template: TemplateText,
    addresses: Sequence[str],
    links: Mapping[str, ShortLink],
    now: datetime,
    until: datetime | None = None,
) -> list[Finding]:
    """Return what is wrong with the short links and click tokens of a text.

    `links` are those of the workspace, by code; `until`: when the last message with the text may
    leave, if that is known.
    """
    text = template.text
    found = links_in(text, addresses)
    findings: list[Finding] = []
    for link in found:
        findings += _about(link, links.get(link.code), now, until or now)
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


def _beginning(addresses: Sequence[str]) -> re.Pattern[str]:
    """Match the addresses of links, also without their scheme, and the code if there is one."""
    known = {address.rstrip("/").split("://", maxsplit=1)[-1] for address in addresses}
    bare = "|".join(re.escape(one) for one in sorted(known, key=len, reverse=True))
    code = rf"(?P<code>[0-9A-Za-z]{{{CODE_LENGTH}}})?(?![0-9A-Za-z])"
    begin = r"(?:https?://|(?<![A-Za-z0-9_.@/-]))"
    return re.compile(rf"(?i:{begin}(?:{bare}))/(?:{code}|(?=[0-9A-Za-z]))")


def _link_at(text: str, found: re.Match[str]) -> LinkInText:
    code = found["code"] or ""
    token = _token_behind.match(text, found.end()) if code else None
    if token is None:
        return LinkInText(code, found.start(), found.end(), None)
    position = token.start(1) - len("${")
    return LinkInText(code, found.start(), token.end(), position)


def _about(
    link: LinkInText, known: ShortLink | None, now: datetime, until: datetime
) -> Iterator[Finding]:
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
    elif known.expires_at <= until:
        sentence = (
            f"The short link “{known.name}” expires on {day}, before the last message of the "
            f"campaign may leave ({until:%Y-%m-%d %H:%M} UTC). Let the link live longer."
        )
        yield _error("link_expires_early", link.position, sentence)
    elif known.expires_at <= until + EXPIRES_SOON:
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
