"""Campaigns whose messages have left the ledger for the warehouse: what needs the rows says so."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Connection, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "moved_store.sql")


@dataclass(eq=False)
class MessagesMoved(Refusal):
    """The rows of a campaign's messages are not in the ledger any more."""

    code: ClassVar[str] = "messages_moved"
    campaign: str
    month: date
    moved_on: date

    @property
    def sentence(self) -> str:
        return (
            f"The messages of campaign “{self.campaign}” ({self.month:%Y-%m}) were moved to the "
            f"warehouse on {self.moved_on}, tables message_history and drop_history. Its report "
            "and its audiences stay as they are; single messages cannot be looked up here."
        )


@dataclass(frozen=True, slots=True)
class _Moved:
    name: str
    month: date
    dropped_at: datetime


async def check_in_ledger(
    connection: Connection, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Refuse a campaign whose messages have left the ledger; as either role.

    Raises:
        MessagesMoved: they have.
    """
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    moved = await one(connection, _Moved, _SQL["moved"], key)
    if moved is not None:
        raise MessagesMoved(moved.name, moved.month, moved.dropped_at.date())


async def newest_moved_month(connection: Connection, *, workspace_id: WorkspaceId) -> date | None:
    """Return the newest month whose messages have left the ledger; None: all are here."""
    found: date | None = await value(
        connection, _SQL["newest_moved"], {"workspace_id": workspace_id}
    )
    return found
