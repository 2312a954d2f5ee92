"""Rows of campaigns as their time, their edits and their deletion change them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from textwave.campaigns.brief import Brief
from textwave.campaigns.store import WaitingCampaign
from textwave.campaigns.timing import EVERY_DAY, Timing
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "schedule_store.sql")


@dataclass(frozen=True, slots=True)
class WaitingBatch:
    """A batch that has not begun."""

    number: int
    size: int
    variant: int | None


async def edit(
    connection: Connection, campaign_id: CampaignId, parameters: Mapping[str, Any]
) -> None:
    """Write a draft over the one that is there."""
    values = {
        **parameters,
        "variables": Jsonb(parameters["variables"]),
        "campaign_id": campaign_id,
    }
    await execute(connection, _SQL["edit"], values)


async def write_timing(
    connection: Connection, key: Mapping[str, Any], timing: Timing, scheduled_at: datetime | None
) -> None:
    """Write when a draft starts and when its messages may leave."""
    window = timing.window
    always = window is None or window.opens == window.closes
    await execute(
        connection,
        _SQL["write_timing"],
        {
            **key,
            "scheduled_at": scheduled_at,
            "late_minutes": timing.late_minutes,
            "late_rule": timing.late_rule,
            "window_from": None if window is None or always else window.opens,
            "window_until": None if window is None or always else window.closes,
            "window_days": list(EVERY_DAY if window is None else window.days),
            "spread_minutes": timing.spread_minutes,
        },
    )


async def set_time(
    connection: Connection, campaign: Brief, at: datetime | None, timing: Timing
) -> None:
    """Give a campaign another time."""
    parameters = {
        "workspace_id": campaign.workspace_id,
        "campaign_id": campaign.id,
        "scheduled_at": at,
        "late_minutes": timing.late_minutes,
        "late_rule": timing.late_rule,
    }
    await execute(connection, _SQL["set_time"], parameters)


async def forget_time(connection: Connection, campaign: Brief) -> None:
    """Take a campaign's time away."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    await execute(connection, _SQL["forget_time"], key)


async def note_late(connection: Connection, campaign: Brief, reason: str) -> None:
    """Keep why a campaign's start was late."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    await execute(connection, _SQL["note_late"], {**key, "reason": reason})


async def delete(connection: Connection, campaign: Brief) -> None:
    """Delete a campaign that has sent nothing."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    await execute(connection, _SQL["delete"], key)


async def due(connection: Connection, now: datetime, *, limit: int) -> list[WaitingCampaign]:
    """Return scheduled campaigns whose time has come, at most so many."""
    return await many(connection, WaitingCampaign, _SQL["due"], {"now": now, "limit": limit})


async def time_zone(connection: Connection, workspace_id: WorkspaceId) -> ZoneInfo:
    """Return the workspace's time zone."""
    return ZoneInfo(await value(connection, _SQL["time_zone"], {"workspace_id": workspace_id}))


async def waiting_batches(connection: Connection, campaign: Brief) -> list[WaitingBatch]:
    """Return the batches that wait for nothing but their time, in order."""
    key = {"workspace_id": campaign.workspace_id, "campaign_id": campaign.id}
    return await many(connection, WaitingBatch, _SQL["waiting_batches"], key)


async def set_due(connection: Connection, campaign: Brief, times: Mapping[int, datetime]) -> None:
    """Say when batches are due."""
    parameters = {
        "workspace_id": campaign.workspace_id,
        "campaign_id": campaign.id,
        "numbers": list(times),
        "times": list(times.values()),
    }
    await execute(connection, _SQL["set_due"], parameters)
