"""RFM without a name: computed once, told, and nothing kept."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from textwave.accounts import store as accounts
from textwave.audiences import store as audiences
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.refusals import ColumnUnknown, OperatorUnfit, ValueUnfit
from textwave.audiences.rule import All
from textwave.audiences.tables import Surroundings
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.models import rfm_store
from textwave.models.definition import (
    Purchases,
    RfmDefinition,
    as_root,
    purchases,
    read_definition,
    write_definition,
)
from textwave.models.rfm import Analysis
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Warehouse

COMPUTE: Final = "rfm.compute"
_NOON: Final = time(12)


async def start_compute(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    definition: RfmDefinition,
    day: date | None = None,
) -> OperationId:
    """Begin to compute the distribution at a day (default: today in the workspace's zone).

    The result is `{at, users, amount, orders, types, scores, means, baseline, thresholds}`.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, ScoringMalformed: see `checked_purchases`.
        OperatorUnfit, ValueUnfit: a condition does not fit the table.
    """
    await checked_purchases(connection, workspace_id, definition)
    request = {"definition": write_definition(definition), "at": day and day.isoformat()}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=COMPUTE, request=request
    )


async def run_compute(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_compute`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        definition = read_definition(request["definition"])
        day = date.fromisoformat(request["at"]) if request["at"] else None
        async with ledger.transaction(workspace_id) as connection:
            analysis = await analysis_of(
                connection, workspace_id, definition, now=clock.now(), day=day
            )
        return await warehouse.run(workspace_id, lambda lake: rfm_store.compute(lake, analysis))

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def analysis_of(
    connection: Connection,
    workspace_id: WorkspaceId,
    definition: RfmDefinition,
    *,
    now: datetime,
    day: date | None = None,
) -> Analysis:
    """Fit a definition to the tables as they are, on a day (default: today)."""
    parts = await checked_purchases(connection, workspace_id, definition)
    workspace = await accounts.workspace(connection, workspace_id)
    zone = ZoneInfo(workspace.time_zone)
    day = day or now.astimezone(zone).date()
    present = datetime.combine(day, _NOON, tzinfo=zone)
    return Analysis(definition, parts, day, Calendar(present, zone))


async def checked_purchases(
    connection: Connection, workspace_id: WorkspaceId, definition: RfmDefinition
) -> Purchases:
    """Find the table and columns of a definition and check its conditions.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: as named.
        ScoringMalformed: a window is given for order summaries.
    """
    tables: Mapping[str, Any] = await audiences.tables(connection, workspace_id)
    found = purchases(definition, tables)
    table = as_root(found.table)
    rule = All(of=definition.where)
    try:
        check_rule(rule, table=table.name, known=Surroundings({table.name: table}))
    except (ColumnUnknown, OperatorUnfit, ValueUnfit) as refusal:
        refusal.place = refusal.place.replace("$.of", "where", 1)
        raise
    return found
