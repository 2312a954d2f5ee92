"""Profiling an audience as long-running work: begun by a request, done by a job."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from textwave.accounts import store as accounts
from textwave.audiences import store
from textwave.audiences.comparison_operations import AudienceNotComputed, AudiencesNotComparable
from textwave.audiences.people import people
from textwave.audiences.store import Audience
from textwave.audiences.tables import CustomerTable
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.ids import OperationId, SnapshotId, WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.profiles.profile import (
    MEASURE,
    MOST_VALUES,
    USUAL_VALUES,
    Sizes,
    Wanted,
    counted,
    deciles,
    described,
    joined,
    profiled_columns,
    scales,
    survey,
)
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse
from textwave.storage.watching import probing

PROFILE: Final = "audiences.profile"


async def start_profile(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    columns: Sequence[str] | None = None,
    against: str | None = None,
    values: int = USUAL_VALUES,
    viewer: Viewer = SEES_ALL,
) -> OperationId:
    """Begin to compare the newest snapshot with everyone, or with that of another audience.

    The result is `{audience, size, against, against_size, measure, columns}`; columns come with
    the most different first, see `profile.described`.

    Raises:
        NotFound: no such audience that the viewer sees.
        AudienceNotComputed, AudiencesNotComparable, ColumnNotProfiled: as named.
        InvalidValue: `values` is not 1 to 50.
    """
    if not 1 <= values <= MOST_VALUES:
        raise InvalidValue("values", f"Ask for 1 to {MOST_VALUES} values of each column.")
    audience = await store.audience(connection, workspace_id, name, viewer)
    other = None
    if against is not None:
        other = await store.audience(connection, workspace_id, against, viewer)
        names = {one.name: one.definition.table for one in (audience, other)}
        if len(set(names.values())) > 1:
            raise AudiencesNotComparable(names)
    table = (await store.tables(connection, workspace_id))[audience.definition.table]
    profiled_columns(table, columns)
    request = {
        "audience": name,
        "table": table.name,
        "snapshot": _newest(audience),
        "against": against,
        "against_snapshot": None if other is None else _newest(other),
        "columns": None if columns is None else list(columns),
        "values": values,
    }
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=PROFILE, request=request
    )


async def run_profile(
    *, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_profile`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            workspace = await accounts.workspace(connection, workspace_id)
            table = (await store.tables(connection, workspace_id))[request["table"]]
        wanted = Wanted(
            profiled_columns(table, request["columns"]),
            request["values"],
            ZoneInfo(workspace.time_zone),
            workspace.default_region,
            against_everyone=request["against"] is None,
        )
        task = _Profiling(table, wanted, request["snapshot"], request["against_snapshot"])
        with probing(task.told):
            found, sizes = await warehouse.run(workspace_id, task.run)
        return {
            "audience": request["audience"],
            "size": sizes.audience,
            "against": request["against"],
            "against_size": sizes.everyone,
            "measure": MEASURE,
            "columns": sorted(found, key=lambda one: -one["difference"]),
        }

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


@dataclass(slots=True)
class _Profiling:
    """One profile under way."""

    table: CustomerTable
    wanted: Wanted
    snapshot: int
    against: int | None
    done: list[str] = field(default_factory=list[str])

    def told(self) -> dict[str, Any]:
        """Say how many columns are done."""
        return {"phase": "columns", "done": len(self.done), "of": len(self.wanted.columns)}

    def run(self, lake: Lake) -> tuple[list[dict[str, Any]], Sizes]:
        """Look at one column after the other."""
        rows = self._rows(lake)
        columns, zone = self.wanted.columns, self.wanted.zone
        surveyed = _one(survey(rows, columns))
        surveyed |= _one(deciles(rows, columns, surveyed))
        sizes = Sizes(int(surveyed["size_in"] or 0), int(surveyed["size_of"] or 0))
        known = scales(columns, surveyed, zone)
        told: list[dict[str, Any]] = []
        for column in columns:
            scale = known.get(column.name)
            found = counted(rows, column, scale, self.wanted).to_pyarrow().to_pylist()
            told.append(described(found, column, scale, sizes, self.wanted))
            self.done.append(column.name)
        return told, sizes

    def _rows(self, lake: Lake) -> ir.Table:
        members = store.member_ids(lake, SnapshotId(self.snapshot))
        others = None
        if self.against is not None:
            others = store.member_ids(lake, SnapshotId(self.against))
        everyone = people(self.table, lake.table)
        return joined(everyone, self.table.customer_column, members, others)


def _one(row: ir.Table) -> dict[str, Any]:
    found: dict[str, Any] = row.to_pyarrow().to_pylist()[0]
    return found


def _newest(audience: Audience) -> SnapshotId:
    if audience.snapshot is None:
        raise AudienceNotComputed(audience.name, None)
    return audience.snapshot.id
