"""Which clicks are a person's: a literal table of rules, tried in order.

A bot or a preview is told by what it sends or by its haste. The name of the rule is kept with the
click, so that nobody has to believe a figure without seeing why.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

HUMAN: Final = "no rule matched"
HASTE: Final = timedelta(seconds=1)
_AGAIN: Final = "again within a second"


@dataclass(frozen=True, slots=True)
class RawClick:
    """A request for a short link as the redirect saw it; `token` is empty without one."""

    id: int
    link_id: int
    token: str
    method: str
    user_agent: str
    clicked_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a click is a person's, and the rule that says so."""

    human: bool
    rule: str


def _agents(*names: str) -> re.Pattern[str]:
    return re.compile("|".join(names), re.IGNORECASE)


# The rule's name, and what a user agent of that kind contains.
AGENT_RULES: Final = (
    (
        "link preview",
        _agents(
            r"facebookexternalhit", r"Twitterbot", r"WhatsApp/", r"TelegramBot", r"Slackbot",
            r"Discordbot", r"SkypeUriPreview", r"LinkedInBot", r"Google-PageRenderer",
            r"GoogleMessages", r"Iframely", r"BingPreview", r"MicrosoftPreview",
        ),
    ),
    (
        "security scanner",
        _agents(
            r"Barracuda", r"Proofpoint", r"Mimecast", r"SafeLinks", r"urlscan", r"VirusTotal",
            r"Zscaler", r"Palo ?Alto", r"Nmap", r"masscan", r"zgrab",
        ),
    ),
    (
        "crawler",
        _agents(
            r"(?<!CU)bot\b", r"crawl", r"spider", r"slurp", r"archiver", r"Sogou web",
            r"HeadlessChrome", r"PhantomJS", r"Lighthouse",
        ),
    ),
    (
        "program",
        _agents(
            r"^curl/", r"^Wget/", r"python-", r"aiohttp", r"^okhttp/", r"Go-http-client", r"^Java/",
            r"libwww", r"Apache-HttpClient", r"node-fetch", r"axios/", r"httpx", r"^PostmanRuntime",
        ),
    ),
)  # fmt: skip


def judge(clicks: Sequence[RawClick]) -> list[Judgement]:
    """Judge clicks, in their order; haste is seen only among clicks that are judged together."""
    hasty = _hasty(clicks)
    return [_judge(click, click.id in hasty) for click in clicks]


def _judge(click: RawClick, in_haste: bool) -> Judgement:  # noqa: FBT001 - a fact, not a switch
    if click.method == "HEAD":
        return Judgement(human=False, rule="head request")
    if not click.user_agent.strip():
        return Judgement(human=False, rule="no user agent")
    for rule, pattern in AGENT_RULES:
        if pattern.search(click.user_agent):
            return Judgement(human=False, rule=rule)
    if in_haste:
        return Judgement(human=False, rule=_AGAIN)
    return Judgement(human=True, rule=HUMAN)


def _hasty(clicks: Iterable[RawClick]) -> set[int]:
    """Return the ids of clicks that follow another of the same token within a second."""
    last: dict[tuple[int, str], datetime] = {}
    hasty: set[int] = set()
    for click in sorted(clicks, key=lambda click: (click.clicked_at, click.id)):
        if not click.token:
            continue
        key = (click.link_id, click.token)
        before = last.get(key)
        if before is not None and click.clicked_at - before < HASTE:
            hasty.add(click.id)
        last[key] = click.clicked_at
    return hasty
