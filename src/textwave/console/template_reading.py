"""What the pages of text templates show: lists, the form's choices, and a text as it counts.

A text that is still being written is counted and examined as it stands; nothing is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.console.campaign_choices import all_templates
from textwave.console.fields import text
from textwave.console.visit import Visit
from textwave.content.store import Template
from textwave.content.writing_operations import Counted, Writing, check_writing, count_writing
from textwave.kit.findings import Finding
from textwave.platforms.contract import MessageType
from textwave.shortlinks import store as link_store
from textwave.shortlinks.links import ShortLink
from textwave.signatures import store as signature_store
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

LONGEST_CONTENT: Final = 500
_MOST_LINKS: Final = 200


@dataclass(frozen=True, slots=True)
class Examined:
    """A text as far as it is written: how it counts, what it costs, what is wrong with it."""

    counted: Counted
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Offered:
    """What the form offers: accounts, the links that work, and a signature to count with."""

    platforms: Sequence[PlatformAccount]
    links: Sequence[ShortLink]
    signature: str
    examined: Examined | None
    links_url: str


async def read_templates(visit: Visit, state: str) -> list[Template]:
    """Return the text templates that are not deleted, newest first; all, or those in one state."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await all_templates(connection, visit.workspace_id)
    texts = [one for one in reversed(found) if one.type is not MessageType.digital]
    return [one for one in texts if state in ("", one.state)]


async def read_offered(visit: Visit, given: Mapping[str, str]) -> Offered:
    """Return what the form offers for what it says so far."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        accounts = await connection_store.platforms(connection, workspace_id=visit.workspace_id)
        links = await link_store.links(
            connection, workspace_id=visit.workspace_id, after=0, limit=_MOST_LINKS
        )
        chosen = _account(accounts, given)
        examined = None
        signature = await _signature(connection, visit, chosen)
        if chosen is not None and text(given, "content"):
            wanted = {**given, "platform": chosen.name}
            examined = await _examined(connection, visit, wanted, signature)
    return Offered(
        platforms=accounts,
        links=[one for one in links if one.enabled and one.expires_at > visit.now],
        signature=signature,
        examined=examined,
        links_url=links_url(visit.ground.settings),
    )


async def _signature(connection: Connection, visit: Visit, account: PlatformAccount | None) -> str:
    """Return the longest signature of an account: the text may be sent under any."""
    if account is None:
        return ""
    found = await signature_store.signatures(
        connection, workspace_id=visit.workspace_id, platform_id=account.id
    )
    usable = [one.name for one in found if one.state in ("approved", "reviewing")]
    return max(usable, key=len, default="")


def message_type(given: Mapping[str, str]) -> MessageType:
    """Return the type that a form names; promotional where it names none."""
    named = given.get("type", "")
    return MessageType(named) if named in list(MessageType) else MessageType.promotional


def _account(
    accounts: Sequence[PlatformAccount], given: Mapping[str, str]
) -> PlatformAccount | None:
    named = next((one for one in accounts if one.name == given.get("platform")), None)
    return named or next(iter(accounts), None)


async def _examined(
    connection: Connection, visit: Visit, given: Mapping[str, str], signature: str
) -> Examined:
    writing = Writing(
        text=text(given, "content").replace("\r\n", "\n"),
        signature=signature,
        message_type=message_type(given),
        platform=given["platform"],
    )
    counted = await count_writing(connection, workspace_id=visit.workspace_id, writing=writing)
    findings = await check_writing(
        connection,
        workspace_id=visit.workspace_id,
        writing=writing,
        links_url=links_url(visit.ground.settings),
        now=visit.now,
    )
    return Examined(counted, findings)
