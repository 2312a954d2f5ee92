"""Rows of templates; those of short links are in `link_store`.

Every statement names the workspace, but for what a platform is asked and decides: it is shared by
workspaces, and its word counts in all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textwave.connections.reviews import Decided, UnderReview
from textwave.content.states import TemplateState
from textwave.kit.ids import (
    PlatformId,
    TemplateId,
    WorkspaceId,
)
from textwave.kit.refusal import NotFound
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 200
_SQL = load_statements(__package__ or "textwave.content")


@dataclass(frozen=True, slots=True)
class Template:
    """A text template; `code` is the platform's name for it, `submitted_at` when it got the text.

    While it waits to be handed over, `reason` says what keeps it, and `turn_at` when its turn is;
    once rejected, `reason` says why. `signature`: the one that reviewers see it with.
    """

    id: TemplateId
    workspace_id: WorkspaceId
    platform_id: PlatformId
    platform: str
    name: str
    type: MessageType
    content: str
    remark: str
    signature: str
    state: TemplateState
    reason: str
    code: str | None
    created_at: datetime
    turn_at: datetime | None
    submitted_at: datetime | None
    decided_at: datetime | None

    def __post_init__(self) -> None:
        """Take the texts of a row as what they stand for."""
        object.__setattr__(self, "type", MessageType(self.type))
        object.__setattr__(self, "state", TemplateState(self.state))


async def add_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId,
    name: str,
    message_type: MessageType,
    content: str,
    remark: str,
    signature: str = "",
) -> TemplateId | None:
    """Add a draft; None when the name is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "platform_id": platform_id,
        "name": name,
        "type": message_type,
        "content": content,
        "remark": remark,
        "signature": signature,
    }
    added = await value(connection, _SQL["add_template"], parameters)
    return None if added is None else TemplateId(added)


async def templates(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[Template]:
    """Return a page of a workspace's templates behind the id `after`."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "after": after,
        "limit": min(limit, LONGEST_PAGE),
    }
    return await many(connection, Template, _SQL["templates"], parameters)


async def template_named(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> Template:
    """Read a template that is not deleted.

    Raises:
        NotFound: the workspace has none of that name.
    """
    found = await templates(connection, workspace_id=workspace_id, name=name)
    if not found:
        raise NotFound("template", name)
    return found[0]


async def template(
    connection: Connection, *, workspace_id: WorkspaceId, template_id: TemplateId
) -> Template:
    """Read a template, also a deleted one.

    Raises:
        NotFound: the workspace has none of that id.
    """
    key = {"workspace_id": workspace_id, "id": template_id}
    found = await one(connection, Template, _SQL["template"], key)
    if found is None:
        raise NotFound("template", str(template_id))
    return found


async def edit_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    content: str,
    remark: str,
    sources: Sequence[TemplateState],
    state: TemplateState,
    signature: str | None = None,
) -> bool:
    """Change the text; False when the template is in none of the states."""
    parameters = _move(workspace_id, template_id, sources, state)
    parameters |= {"content": content, "remark": remark, "signature": signature}
    return await value(connection, _SQL["edit_template"], parameters) is not None


async def move_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    sources: Sequence[TemplateState],
    state: TemplateState,
) -> bool:
    """Submit or delete a template; False when it is in none of the states, or in use."""
    parameters = _move(workspace_id, template_id, sources, state)
    return await value(connection, _SQL["move_template"], parameters) is not None


async def campaign_using_template(
    connection: Connection, *, workspace_id: WorkspaceId, template_id: TemplateId
) -> str | None:
    """Return the name of a campaign under way that sends the template."""
    key = {"workspace_id": workspace_id, "id": template_id}
    return await value(connection, _SQL["campaign_using_template"], key)


async def template_handed_over(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    code: str,
    now: datetime,
) -> bool:
    """Keep the platform's code; False when the template is not waiting for one."""
    parameters = {"workspace_id": workspace_id, "id": template_id, "code": code, "now": now}
    return await value(connection, _SQL["template_handed_over"], parameters) is not None


async def template_delayed(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    reason: str,
    turn_at: datetime | None = None,
) -> None:
    """Say why the platform does not have the text yet, and when its turn is if that is known."""
    parameters = {
        "workspace_id": workspace_id,
        "id": template_id,
        "reason": reason,
        "turn_at": turn_at,
    }
    await execute(connection, _SQL["template_delayed"], parameters)


async def reject_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    reason: str,
    forget_code: bool,
    sources: Sequence[TemplateState],
    state: TemplateState,
    now: datetime,
) -> list[Decided]:
    """Reject one template that the platform did not take or has no more."""
    parameters = _move(workspace_id, template_id, sources, state)
    parameters |= {"reason": reason, "forget_code": forget_code, "now": now}
    return await many(connection, Decided, _SQL["reject_template"], parameters)


async def decide_templates(
    connection: Connection,
    *,
    platform_id: PlatformId,
    reasons: Mapping[str, str],
    sources: Sequence[TemplateState],
    state: TemplateState,
    now: datetime,
) -> list[Decided]:
    """Decide templates of a platform, by code with the reason; return those that it moved."""
    parameters = _decision(platform_id, reasons, sources, state, now)
    return await many(connection, Decided, _SQL["decide_templates"], parameters)


async def to_ask(
    connection: Connection, *, now: datetime, after: int, limit: int
) -> list[UnderReview]:
    """Return a page of templates that platforms are to be asked about now, of all workspaces."""
    parameters = {"now": now, "after": after, "limit": limit}
    return await many(connection, UnderReview, _SQL["to_ask"], parameters)


async def template_asked(
    connection: Connection, *, workspace_id: WorkspaceId, template_id: TemplateId, now: datetime
) -> None:
    """Note when its platform was asked about it."""
    parameters = {"workspace_id": workspace_id, "id": template_id, "now": now}
    await execute(connection, _SQL["template_asked"], parameters)


def _move(
    workspace_id: WorkspaceId, id_: int, sources: Sequence[str], state: str
) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "id": id_,
        "sources": [str(source) for source in sources],
        "state": str(state),
    }


def _decision(
    platform_id: PlatformId,
    reasons: Mapping[str, str],
    sources: Sequence[str],
    state: str,
    now: datetime,
) -> dict[str, Any]:
    return {
        "platform_id": platform_id,
        "names": list(reasons),
        "reasons": list(reasons.values()),
        "sources": [str(source) for source in sources],
        "state": str(state),
        "now": now,
    }
