"""Rows of test sends: small campaigns of their own, which nothing counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

TEST_PURPOSE: Final = "test"
_SQL = load_statements(__package__ or "textwave.campaigns", "trial_store.sql")


@dataclass(frozen=True, slots=True)
class SentTest:
    """A test send as it stands."""

    id: CampaignId
    name: str
    state: str
    reason: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SentTestMessage:
    """A message of a test send; a dropped one has its reason as cause."""

    test_id: CampaignId
    mobile: int
    state: str
    cause: str
    parts: int
    prepared_at: datetime | None
    answered_at: datetime | None
    outcome: str
    finished_at: datetime | None


async def add(connection: Connection, parameters: Mapping[str, Any]) -> CampaignId:
    """Write a test send with its messages and its batch."""
    test_id = CampaignId(await value(connection, _SQL["add"], parameters))
    for statement in ("add_messages", "add_batch", "add_tally"):
        await execute(connection, _SQL[statement], {**parameters, "test_id": test_id})
    return test_id


async def count(connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId) -> int:
    """Return how many test sends a campaign had."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    found: int = await value(connection, _SQL["count"], key)
    return found


async def sent_tests(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId, *, limit: int
) -> list[SentTest]:
    """Return the newest test sends of a campaign."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id, "limit": limit}
    return await many(connection, SentTest, _SQL["sent_tests"], key)


async def messages(
    connection: Connection, workspace_id: WorkspaceId, test_ids: Sequence[CampaignId]
) -> list[SentTestMessage]:
    """Return what became of the messages of test sends."""
    key = {"workspace_id": workspace_id, "test_ids": list(test_ids)}
    return await many(connection, SentTestMessage, _SQL["messages"], key)
