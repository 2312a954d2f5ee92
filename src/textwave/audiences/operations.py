"""Making audiences, and the long work on them: estimate, preview, snapshot.

`create_audience` and `start_…` serve the web role; `run_…` are what a worker's job does. A rule is
checked when it is given and again when it runs, because tables change in between.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from textwave.accounts import store as accounts
from textwave.audiences import store
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import CUSTOMER, select_customers
from textwave.audiences.preview import NORMALISED_MOBILE, shown_customer
from textwave.audiences.rule import Rule, read_rule, write_rule
from textwave.audiences.sentence import chinese, english
from textwave.audiences.store import Audience, Definition, Snapshot
from textwave.audiences.tables import CustomerTable
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

ESTIMATE: Final = "audiences.estimate"
SNAPSHOT: Final = "audiences.snapshot"
PREVIEW: Final = "audiences.preview"
PREVIEW_CUSTOMERS: Final = 100
_LONGEST_NAME: Final = 100


async def create_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    table: str,
    rule: Rule,
) -> Audience:
    """Add an audience with a rule that fits the workspace's tables.

    Raises:
        InvalidValue: the name is empty or longer than 100 characters.
        AlreadyExists: the name is taken.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    name = _checked_name(name)
    check_rule(rule, table=table, tables=await store.tables(connection, workspace_id))
    added = await store.add_audience(
        connection,
        workspace_id=workspace_id,
        name=name,
        definition=Definition(table, rule),
        created_by=actor,
    )
    if not added:
        raise AlreadyExists("audience", name)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="audience.created",
        object_name=name,
        detail={"table": table, "rule": english(rule, table=table)},
    )
    return await store.audience(connection, workspace_id, name)


async def start_estimate(
    connection: Connection, *, workspace_id: WorkspaceId, table: str, rule: Rule
) -> OperationId:
    """Begin to count whom a rule selects; result `{size, of, sentence, sentence_chinese}`.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    definition = Definition(table, rule)
    return await _start(connection, workspace_id=workspace_id, kind=ESTIMATE, definition=definition)


async def start_preview(
    connection: Connection, *, workspace_id: WorkspaceId, table: str, rule: Rule
) -> OperationId:
    """Begin to read the first 100 customers; result `{columns, customers}`, numbers masked.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    definition = Definition(table, rule)
    return await _start(connection, workspace_id=workspace_id, kind=PREVIEW, definition=definition)


async def start_snapshot(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> OperationId:
    """Begin to write the members of the audience down; result `{snapshot_id, size, of, …}`.

    Raises:
        NotFound: there is no audience of that name.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    audience = await store.audience(connection, workspace_id, name)
    tables = await store.tables(connection, workspace_id)
    check_rule(audience.definition.rule, table=audience.definition.table, tables=tables)
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=SNAPSHOT, request={"audience": name}
    )


async def run_estimate(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_estimate`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        selection = await _prepare(ledger, clock, workspace_id, _requested(request))
        size, of = await warehouse.run(workspace_id, selection.count)
        return {"size": size, "of": of, **selection.sentences}

    await _perform(ledger, workspace_id, operation_id, work)


async def run_preview(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_preview`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        selection = await _prepare(ledger, clock, workspace_id, _requested(request))
        rows = await warehouse.run(workspace_id, selection.first)
        customers = [
            shown_customer(row, table=selection.described, default_region=selection.region)
            for row in rows
        ]
        columns = [column.name for column in selection.described.columns]
        return {"columns": columns, "customers": customers, **selection.sentences}

    await _perform(ledger, workspace_id, operation_id, work)


async def run_snapshot(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_snapshot`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        snapshot = await take_snapshot(
            ledger=ledger,
            warehouse=warehouse,
            clock=clock,
            workspace_id=workspace_id,
            name=request["audience"],
        )
        return {
            "snapshot_id": snapshot.id,
            "size": snapshot.size,
            "lake_version": snapshot.lake_version,
            "milliseconds": snapshot.milliseconds,
            "note": "" if snapshot.size else "No customer meets the rule: the audience is empty.",
        }

    await _perform(ledger, workspace_id, operation_id, work)
