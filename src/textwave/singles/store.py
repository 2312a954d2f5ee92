"""Rows of single messages, and of the campaigns that stand for them.

Every statement names the workspace, but for those of workers, which gather for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from textwave.kit.ids import (
    CampaignId,
    PlatformId,
    SignatureId,
    SingleMessageId,
    TemplateId,
    WorkspaceId,
)
from textwave.kit.refusal import NotFound
from textwave.singles.message import SingleMessage
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE: Final = 200
_SQL = load_statements(__package__ or "textwave.singles")


@dataclass(frozen=True, slots=True)
class Keyed:
    """The message that a key belongs to, and the digest of what was asked for."""

    id: SingleMessageId
    body_digest: bytes


@dataclass(frozen=True, slots=True)
class Added:
    """A message that was just written down."""

    id: SingleMessageId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a message is made of, and how long others have been waiting in the workspace."""

    template_id: TemplateId
    type: str
    template_state: str
    content: str
    platform: str
    signature_id: SignatureId
    signature_state: str
    default_region: str
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Group:
    """What single messages are made of that can leave together."""

    workspace_id: WorkspaceId
    platform_id: PlatformId
    signature_id: SignatureId
    template_id: TemplateId
    kind: str
    max_batch: int
    signature: str
    signature_state: str
    template: str
    template_state: str
    content: str
    platform: str
    is_admitted: bool

    @property
    def key(self) -> dict[str, Any]:
        """Return what names the group in statements."""
        return {
            "workspace_id": self.workspace_id,
            "platform_id": self.platform_id,
            "signature_id": self.signature_id,
            "template_id": self.template_id,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """A waiting message that this transaction holds."""

    id: SingleMessageId
    mobile: int


@dataclass(frozen=True, slots=True)
class Room:
    """Where the next batch of a campaign begins, and where its ids end."""

    number: int
    first_id: int
    last_id: int


async def add(connection: Connection, parameters: Mapping[str, Any]) -> Added | None:
    """Add a message that waits; None when its key is taken."""
    return await one(connection, Added, _SQL["add"], parameters)


async def of_key(connection: Connection, workspace_id: WorkspaceId, key: str) -> Keyed | None:
    """Return the message that has the key."""
    parameters = {"workspace_id": workspace_id, "key": key}
    return await one(connection, Keyed, _SQL["of_key"], parameters)


async def ingredients(
    connection: Connection, workspace_id: WorkspaceId, *, template: str, signature: str
) -> Ingredients:
    """Read what a message is made of.

    Raises:
        NotFound: the workspace has no such template, or no such signature at its platform.
    """
    parameters = {"workspace_id": workspace_id, "template": template, "signature": signature}
    found = await one(connection, Ingredients, _SQL["ingredients"], parameters)
    if found is None or not found.template_id:
        raise NotFound("template", template)
    if not found.signature_id:
        raise NotFound("signature", signature)
    return found


async def messages(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    message_id: SingleMessageId | None = None,
    before: int | None = None,
    limit: int = LONGEST_PAGE,
) -> list[SingleMessage]:
    """Return single messages as they stand, newest first, before the id `before`."""
    parameters = {
        "workspace_id": workspace_id,
        "id": message_id,
        "before": before,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, SingleMessage, _SQL["messages"], parameters)


async def next_group(connection: Connection) -> Group | None:
    """Return the group of the message that has waited longest."""
    return await one(connection, Group, _SQL["next_group"], {})


async def take(connection: Connection, group: Group, *, limit: int) -> list[Taken]:
    """Hold waiting messages of a group, oldest first."""
    return await many(connection, Taken, _SQL["take"], {**group.key, "limit": limit})


async def refuse(
    connection: Connection, group: Group, ids: Sequence[SingleMessageId], reason: str
) -> None:
    """End the waiting of messages that cannot be sent any more."""
    parameters = {"workspace_id": group.workspace_id, "ids": list(ids), "reason": reason}
    await execute(connection, _SQL["refuse"], parameters)


async def open_campaign(
    connection: Connection, group: Group, *, request_size: int, started_after: datetime
) -> CampaignId | None:
    """Return the campaign that takes more messages of a group, if there is one."""
    parameters = {
        **group.key,
        "content": group.content,
        "request_size": request_size,
        "started_after": started_after,
    }
    found = await value(connection, _SQL["open_campaign"], parameters)
    return None if found is None else CampaignId(found)


async def room(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> Room | None:
    """Hold a campaign and say where its next batch begins; None: it takes no more."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    await value(connection, _SQL["hold_tally"], key)
    return await one(connection, Room, _SQL["room"], key)


async def add_campaign(connection: Connection, parameters: Mapping[str, Any]) -> CampaignId:
    """Add a campaign that stands for single messages."""
    campaign_id = CampaignId(await value(connection, _SQL["add_campaign"], parameters))
    await execute(connection, _SQL["add_tally"], {**parameters, "campaign_id": campaign_id})
    return campaign_id


async def hand_on(
    connection: Connection,
    group: Group,
    campaign_id: CampaignId,
    place: Room,
    ids: Sequence[SingleMessageId],
) -> bool:
    """Make messages of those held, in one batch; False: the campaign takes no more."""
    parameters = {
        "workspace_id": group.workspace_id,
        "campaign_id": campaign_id,
        "number": place.number,
        "first_id": place.first_id,
        "last_id": place.first_id + len(ids) - 1,
        "ids": list(ids),
    }
    if await value(connection, _SQL["send"], parameters) is None:
        return False
    await execute(connection, _SQL["add_messages"], parameters)
    await execute(connection, _SQL["add_batch"], parameters)
    return True


async def reopen(connection: Connection) -> int:
    """Let campaigns send that were completed while a batch came; return how many."""
    return await execute(connection, _SQL["reopen"], {})


async def resume(connection: Connection) -> int:
    """Let campaigns send again that paused a minute ago; return how many."""
    return int(await value(connection, _SQL["resume"], {}))


async def is_waiting(connection: Connection) -> bool:
    """Tell whether any message waits to be gathered."""
    return bool(await value(connection, _SQL["is_waiting"], {}))


async def forget(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete single messages of before a time; return how many."""
    return await execute(connection, _SQL["forget"], {"before": before, "limit": limit})
