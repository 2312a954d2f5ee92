"""Rows of what a workspace allows: sending policy, holidays, fatigue rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.limits.fatigue import CountsBy, Limits
from textwave.limits.quiet import Holiday, QuietTimes, QuietZone
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.limits")


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How a workspace sends; `counts_by` is in force, `keeps_customers` prepares a change of it."""

    time_zone: str
    counts_by: str
    keeps_customers: bool
    quiet_from: time | None
    quiet_until: time | None
    quiet_zone: str


@dataclass(frozen=True, slots=True)
class KeptHoliday:
    """A quiet period: local times, `ends` is the first moment after it."""

    id: int
    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class FatigueRule:
    """A fatigue rule; the signatures it counts have the platforms at the same places."""

    id: int
    name: str
    is_global: bool
    per_minute: int | None
    per_hour: int | None
    per_day: int | None
    per_week: int | None
    per_month: int | None
    changed_at: datetime
    signatures: list[str]
    platforms: list[str]


@dataclass(frozen=True, slots=True)
class TakenSignature:
    """A signature that another rule counts."""

    signature: str
    rule: str


@dataclass(frozen=True, slots=True)
class LimitsInForce:
    """All that the gate has to know of a workspace and a signature."""

    time_zone: str
    counts_by: CountsBy
    keeps_customers: bool
    quiet: QuietTimes
    quiet_zone: QuietZone
    global_limits: Limits
    signature_limits: Limits
    signature_ids: tuple[int, ...]
    has_allowlist: bool


@dataclass(frozen=True, slots=True)
class _InForceRow:
    time_zone: str
    counts_by: str
    keeps_customers: bool
    quiet_from: time | None
    quiet_until: time | None
    quiet_zone: str
    holiday_names: list[str] | None
    holiday_begins: list[datetime] | None
    holiday_ends: list[datetime] | None
    global_limits: list[int | None] | None
    signature_limits: list[int | None] | None
    signature_ids: list[int] | None
    has_allowlist: bool


async def in_force(
    connection: Connection, workspace_id: WorkspaceId, signature_id: SignatureId
) -> LimitsInForce:
    """Return what is in force for messages under a signature."""
    key = {"workspace_id": workspace_id, "signature_id": signature_id}
    row = await one(connection, _InForceRow, _SQL["in_force"], key)
    if row is None:
        raise NotFound("workspace", str(workspace_id))
    spans = zip(
        row.holiday_names or (), row.holiday_begins or (), row.holiday_ends or (), strict=True
    )
    return LimitsInForce(
        time_zone=row.time_zone,
        counts_by=CountsBy(row.counts_by),
        keeps_customers=row.keeps_customers,
        quiet=QuietTimes(row.quiet_from, row.quiet_until, tuple(Holiday(*span) for span in spans)),
        quiet_zone=QuietZone(row.quiet_zone),
        global_limits=Limits(*row.global_limits or ()),
        signature_limits=Limits(*row.signature_limits or ()),
        signature_ids=tuple(row.signature_ids or ()),
        has_allowlist=row.has_allowlist,
    )


async def policy(connection: Connection, workspace_id: WorkspaceId) -> SendingPolicy:
    """Return the sending policy of a workspace."""
    found = await one(connection, SendingPolicy, _SQL["policy"], {"workspace_id": workspace_id})
    if found is None:
        raise NotFound("workspace", str(workspace_id))
    return found


async def set_quiet(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    quiet_from: time | None,
    quiet_until: time | None,
    quiet_zone: QuietZone,
) -> None:
    """Set the daily quiet hours; None removes them."""
    parameters = {
        "workspace_id": workspace_id,
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "quiet_zone": quiet_zone,
    }
    await execute(connection, _SQL["set_quiet"], parameters)


async def keep_customers(
    connection: Connection, workspace_id: WorkspaceId, *, keeps_customers: bool
) -> None:
    """Write touches with their customers from now on; without, counting goes back to numbers."""
    parameters = {"workspace_id": workspace_id, "keeps_customers": keeps_customers}
    await execute(connection, _SQL["keep_customers"], parameters)


async def count_by_customer(connection: Connection, workspace_id: WorkspaceId) -> bool:
    """Count by customer from now on; False when customers are not kept any more."""
    key = {"workspace_id": workspace_id}
    return await execute(connection, _SQL["count_by_customer"], key) == 1


async def holidays(connection: Connection, workspace_id: WorkspaceId) -> list[KeptHoliday]:
    """Return the holidays in their order; there are at most 20."""
    return await many(connection, KeptHoliday, _SQL["holidays"], {"workspace_id": workspace_id})


async def add_holiday(connection: Connection, workspace_id: WorkspaceId, holiday: Holiday) -> bool:
    """Add a holiday; False when the name is taken."""
    parameters = {
        "workspace_id": workspace_id,
        "name": holiday.name,
        "begins": holiday.begins,
        "ends": holiday.ends,
    }
    return await value(connection, _SQL["add_holiday"], parameters) is not None


async def delete_holiday(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """Delete a holiday; False when there is none of that name."""
    key = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["delete_holiday"], key) is not None


async def rules(
    connection: Connection, workspace_id: WorkspaceId, *, name: str | None = None
) -> list[FatigueRule]:
    """Return the fatigue rules, the global one first."""
    key = {"workspace_id": workspace_id, "name": name}
    return await many(connection, FatigueRule, _SQL["rules"], key)


async def set_rule(connection: Connection, parameters: Mapping[str, Any]) -> int | None:
    """Add or change a rule; None when another one is the global rule."""
    rule_id: int | None = await value(connection, _SQL["set_rule"], parameters)
    return rule_id


async def taken_signatures(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str,
    signature_ids: Sequence[SignatureId],
) -> list[TakenSignature]:
    """Return those of the signatures that a rule of another name counts."""
    parameters = {
        "workspace_id": workspace_id,
        "name": name,
        "signature_ids": list(signature_ids),
    }
    return await many(connection, TakenSignature, _SQL["taken_signatures"], parameters)


async def set_signatures(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    rule_id: int,
    signature_ids: Sequence[SignatureId],
) -> None:
    """Let a rule count these signatures and no others."""
    key = {"workspace_id": workspace_id, "rule_id": rule_id}
    await execute(connection, _SQL["clear_signatures"], key)
    parameters = {**key, "signature_ids": list(signature_ids)}
    await execute(connection, _SQL["add_signatures"], parameters)


async def delete_rule(connection: Connection, workspace_id: WorkspaceId, name: str) -> bool:
    """Delete a rule; False when there is none of that name."""
    key = {"workspace_id": workspace_id, "name": name}
    return await value(connection, _SQL["delete_rule"], key) is not None
