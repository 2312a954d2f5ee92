"""Rows of campaigns whose time runs out, and attempts of their plans."""

from dataclasses import asdict, dataclass
from datetime import datetime

from textwave.campaigns.states import CampaignState
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "ending_store.sql")


@dataclass(frozen=True, slots=True)
class CampaignKey:
    """Which campaign, and whose."""

    workspace_id: WorkspaceId
    campaign_id: CampaignId


@dataclass(frozen=True, slots=True)
class PlanAttempt:
    """Which attempt to plan this is, and what stopped an earlier one."""

    number: int
    problem: str


async def overdue(
    connection: Connection, *, state: CampaignState, before: datetime
) -> list[CampaignKey]:
    """Return campaigns that have been in a state since before a time, of all workspaces."""
    return await many(connection, CampaignKey, _SQL["overdue"], {"state": state, "before": before})


async def count_attempt(connection: Connection, key: CampaignKey) -> PlanAttempt | None:
    """Count an attempt to plan; None when the campaign is not planned any more."""
    return await one(connection, PlanAttempt, _SQL["count_attempt"], asdict(key))


async def note_problem(connection: Connection, key: CampaignKey, problem: str) -> None:
    """Keep what stopped an attempt to plan."""
    await execute(connection, _SQL["note_problem"], {**asdict(key), "problem": problem})


async def forgotten_plans(connection: Connection, *, before: datetime) -> list[CampaignKey]:
    """Return campaigns that should be planned and that no job will plan, of all workspaces."""
    return await many(connection, CampaignKey, _SQL["forgotten_plans"], {"before": before})
