"""All that the rules of a workspace may name, read from the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from textwave.audiences.tables import (
    OWN_KEY,
    AiplModel,
    CustomerTable,
    IdColumn,
    RfmModel,
    Surroundings,
    UploadedList,
    read_columns,
)
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.customers.columns import TableKind
from textwave.kit.ids import CampaignId, SnapshotId, WorkspaceId
from textwave.storage.ledger import Connection, many
from textwave.storage.statements import load_statements

_SQL = load_statements("textwave.audiences", "surroundings_store.sql")


@dataclass(frozen=True, slots=True)
class _TableRow:
    name: str
    kind: str
    columns: list[dict[str, Any]]
    customer_column: str
    mobile_column: str | None
    time_column: str | None
    amount_column: str | None
    count_column: str | None
    customer_id_type: str
    ids: list[dict[str, str]]
    has_new_people: bool
    numbers_encrypted: bool


@dataclass(frozen=True, slots=True)
class _SnapshotRow:
    name: str
    snapshot_id: int | None


@dataclass(frozen=True, slots=True)
class _RunRow:
    name: str
    kind: str
    day: date | None
    run_id: int | None
    id_type: str | None


@dataclass(frozen=True, slots=True)
class _ListRow:
    name: str
    id: int
    id_type: str


@dataclass(frozen=True, slots=True)
class _CampaignRow:
    name: str
    id: int


async def surroundings(
    connection: Connection, workspace_id: WorkspaceId, viewer: Viewer = SEES_ALL
) -> Surroundings:
    """Return what a rule may name: private audiences only those that the viewer sees."""
    key = {"workspace_id": workspace_id, "viewer": viewer.bound_name}
    snapshots = await many(connection, _SnapshotRow, _SQL["newest_snapshots"], key)
    runs = await many(connection, _RunRow, _SQL["newest_runs"], key)
    lists = await many(connection, _ListRow, _SQL["lists"], key)
    campaigns = await many(connection, _CampaignRow, _SQL["campaigns"], key)
    return Surroundings(
        tables=await tables(connection, workspace_id),
        audiences={
            row.name: None if row.snapshot_id is None else SnapshotId(row.snapshot_id)
            for row in snapshots
        },
        rfm_models=_rfm_models(run for run in runs if run.kind == "rfm"),
        aipl_models=_aipl_models(run for run in runs if run.kind == "aipl"),
        lists={row.name: UploadedList(row.id, row.id_type) for row in lists},
        campaigns={row.name: CampaignId(row.id) for row in campaigns},
    )


async def tables(connection: Connection, workspace_id: WorkspaceId) -> dict[str, CustomerTable]:
    """Return the tables of the workspace by name, as the ledger describes them."""
    rows = await many(connection, _TableRow, _SQL["tables"], {"workspace_id": workspace_id})
    return {
        row.name: CustomerTable(
            name=row.name,
            kind=TableKind(row.kind),
            columns=read_columns(row.columns),
            customer_column=row.customer_column,
            mobile_column=row.mobile_column,
            time_column=row.time_column,
            amount_column=row.amount_column,
            count_column=row.count_column,
            customer_id_type=row.customer_id_type,
            ids=tuple(IdColumn(one["type"], one["column"]) for one in row.ids),
            has_new_people=row.has_new_people,
            numbers_encrypted=row.numbers_encrypted,
        )
        for row in rows
    }


def _rfm_models(runs: Iterable[_RunRow]) -> dict[str, RfmModel]:
    newest: dict[str, RfmModel] = {}
    for run in sorted(runs, key=lambda run: run.run_id or 0):
        newest[run.name] = RfmModel(run.run_id, run.id_type or OWN_KEY)
    return newest


def _aipl_models(runs: Iterable[_RunRow]) -> dict[str, AiplModel]:
    days: dict[str, dict[date, int]] = {}
    for run in runs:
        labelled = days.setdefault(run.name, {})
        if run.day is not None and run.run_id is not None:
            labelled[run.day] = run.run_id
    return {name: AiplModel(runs) for name, runs in days.items()}
