"""Rows of what platforms are asked about requests in doubt, and of what they said."""

from dataclasses import dataclass
from datetime import datetime

from textwave.dispatch.doubt import RequestKey
from textwave.kit.ids import CampaignId, PlatformId, WorkspaceId
from textwave.platforms.contract import Question
from textwave.responses.inquiry import FIRST_AFTER, Inquiry
from textwave.storage.ledger import Connection, execute, many
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.responses", "inquiry_store.sql")


@dataclass(frozen=True, slots=True)
class _Due:
    workspace_id: WorkspaceId
    platform_id: PlatformId
    campaign_id: CampaignId
    number: int
    attempt: int
    prepared_at: datetime
    asked: int
    installation: str
    ids: list[int]
    mobiles: list[int]

    def inquiry(self) -> Inquiry:
        key = RequestKey(self.campaign_id, self.number, self.attempt)
        mobiles = dict(zip(self.ids, self.mobiles, strict=True))
        question = Question(f"{self.installation}-{key}", mobiles, self.prepared_at)
        return Inquiry(self.workspace_id, self.platform_id, key, self.asked, question)


async def due(connection: Connection, *, now: datetime, most: int) -> list[Inquiry]:
    """Return what it is time to ask for, at most so many requests an account, by account."""
    parameters = {"now": now, "prepared_before": now - FIRST_AFTER, "most": most}
    return [found.inquiry() for found in await many(connection, _Due, _SQL["due"], parameters)]


async def note(
    connection: Connection, inquiry: Inquiry, *, now: datetime, due_at: datetime | None, answer: str
) -> None:
    """Note what a platform said; without `due_at` it is never asked for this request again."""
    parameters = {
        "workspace_id": inquiry.workspace_id,
        **inquiry.key._asdict(),
        "now": now,
        "due_at": due_at if due_at is not None else "infinity",
        "answer": answer,
    }
    await execute(connection, _SQL["note"], parameters)
