"""Versions of templates: what was submitted when and by whom, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from textwave.content.store import Template
from textwave.kit.ids import TemplateId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many
from textwave.storage.statements import load_statements

MOST_SHOWN: Final = 100
_SQL = load_statements(__package__ or "textwave.content", "version_store.sql")


class Decision(StrEnum):
    """What became of a version; withdrawn: deleted before it was decided."""

    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Version:
    """A text as it was once submitted, numbered from 1; no `decision` while it is reviewed."""

    number: int
    content: str
    remark: str
    submitted_by: str
    submitted_at: datetime
    handed_over_at: datetime | None
    code: str | None
    decision: Decision | None
    reason: str
    decided_at: datetime | None

    def __post_init__(self) -> None:
        """Take the text of a row as the decision it stands for."""
        if self.decision is not None:
            object.__setattr__(self, "decision", Decision(self.decision))


async def add_version(
    connection: Connection, template: Template, *, submitted_by: str, now: datetime
) -> None:
    """Keep the text that is submitted."""
    parameters = {
        "workspace_id": template.workspace_id,
        "template_id": template.id,
        "content": template.content,
        "remark": template.remark,
        "submitted_by": submitted_by,
        "now": now,
    }
    await execute(connection, _SQL["add_version"], parameters)


async def version_handed_over(
    connection: Connection, template: Template, *, code: str, now: datetime
) -> None:
    """Note that the platform has the open version, and under which code."""
    parameters = {
        "workspace_id": template.workspace_id,
        "template_id": template.id,
        "code": code,
        "now": now,
    }
    await execute(connection, _SQL["version_handed_over"], parameters)


async def decide_versions(
    connection: Connection, template_ids: Sequence[int], decision: Decision, *, now: datetime
) -> None:
    """Keep the decision on the open versions of templates, with the reason that these have."""
    parameters = {"template_ids": list(template_ids), "decision": str(decision), "now": now}
    await execute(connection, _SQL["decide_versions"], parameters)


async def versions(
    connection: Connection, *, workspace_id: WorkspaceId, template_id: TemplateId
) -> list[Version]:
    """Return the newest versions of a template, the newest first."""
    key = {"workspace_id": workspace_id, "template_id": template_id, "limit": MOST_SHOWN}
    return await many(connection, Version, _SQL["versions"], key)
