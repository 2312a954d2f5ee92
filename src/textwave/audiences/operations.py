"""Making audiences, and the long work on them: estimate, preview, snapshot.

`create_audience` and `start_…` serve the web role; `run_…` are what a worker's job does. A rule is
checked when it is given and again when it runs, because tables change in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import ibis.expr.types as ir

from textwave.accounts import store as accounts
from textwave.audiences import store
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers, select_rows
from textwave.audiences.preview import shown_customer
from textwave.audiences.rule import Rule, read_rule, write_rule
from textwave.audiences.sentence import chinese, english
from textwave.audiences.store import Audience, Definition, Snapshot
from textwave.audiences.tables import CustomerTable, Surroundings
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
    check_rule(rule, table=table, known=Surroundings(await store.tables(connection, workspace_id)))
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
    """Begin to write the members of the audience down.

    The result is `{snapshot_id, size, lake_version, milliseconds, note}`.

    Raises:
        NotFound: there is no audience of that name.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    audience = await store.audience(connection, workspace_id, name)
    tables = await store.tables(connection, workspace_id)
    check_rule(
        audience.definition.rule, table=audience.definition.table, known=Surroundings(tables)
    )
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

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


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
        table, region = selection.described, selection.region
        rows = await warehouse.run(workspace_id, selection.first)
        return {
            "columns": [column.name for column in table.columns],
            "customers": [shown_customer(row, table=table, default_region=region) for row in rows],
            **selection.sentences,
        }

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


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

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def take_snapshot(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    name: str,
) -> Snapshot:
    """Write the members of an audience to the lake, then make them visible in the ledger.

    A crash in between leaves members of an id that no snapshot has; the next try takes another id.

    Raises:
        NotFound: there is no audience of that name.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    async with ledger.transaction(workspace_id) as connection:
        audience = await store.audience(connection, workspace_id, name)
        snapshot_id = await store.next_snapshot_id(connection)
    selection = await _prepare(ledger, clock, workspace_id, audience.definition)
    began = clock.monotonic()
    size, lake_version = await warehouse.run(
        workspace_id, lambda lake: store.write_members(lake, snapshot_id, selection.customers(lake))
    )
    milliseconds = round((clock.monotonic() - began) * 1000)
    async with ledger.transaction(workspace_id) as connection:
        return await store.add_snapshot(
            connection,
            snapshot_id=snapshot_id,
            workspace_id=workspace_id,
            audience_id=audience.id,
            size=size,
            lake_version=lake_version,
            milliseconds=milliseconds,
        )


@dataclass(frozen=True, slots=True)
class _Selection:
    """A definition, checked, with all that it takes to compute it."""

    definition: Definition
    tables: Mapping[str, CustomerTable]
    calendar: Calendar
    region: str

    @property
    def described(self) -> CustomerTable:
        return self.tables[self.definition.table]

    @property
    def sentences(self) -> dict[str, str]:
        rule, table = self.definition.rule, self.definition.table
        return {
            "sentence": english(rule, table=table),
            "sentence_chinese": chinese(rule, table=table),
        }

    def customers(self, lake: Lake) -> ir.Table:
        return select_customers(
            self.definition.rule,
            table=self.definition.table,
            known=Surroundings(self.tables),
            source=lake.table,
            calendar=self.calendar,
        )

    def count(self, lake: Lake) -> tuple[int, int]:
        """Return how many customers are selected, and of how many."""
        counts = (self.customers(lake).count(), lake.table(self.definition.table).count())
        size, of = (int(count.to_pyarrow().as_py()) for count in counts)
        return size, of

    def first(self, lake: Lake) -> list[dict[str, Any]]:
        """Return the first selected customers in the order of their keys."""
        rows = select_rows(
            self.definition.rule,
            table=self.definition.table,
            known=Surroundings(self.tables),
            source=lake.table,
            calendar=self.calendar,
        )
        first = rows.order_by(self.described.customer_column).limit(PREVIEW_CUSTOMERS)
        return first.to_pyarrow().to_pylist()


async def _prepare(
    ledger: Ledger, clock: Clock, workspace_id: WorkspaceId, definition: Definition
) -> _Selection:
    async with ledger.transaction(workspace_id) as connection:
        workspace = await accounts.workspace(connection, workspace_id)
        tables = await store.tables(connection, workspace_id)
    check_rule(definition.rule, table=definition.table, known=Surroundings(tables))
    calendar = Calendar(clock.now(), ZoneInfo(workspace.time_zone))
    return _Selection(definition, tables, calendar, workspace.default_region)


async def _start(
    connection: Connection, *, workspace_id: WorkspaceId, kind: str, definition: Definition
) -> OperationId:
    tables = await store.tables(connection, workspace_id)
    check_rule(definition.rule, table=definition.table, known=Surroundings(tables))
    request = {"table": definition.table, "rule": write_rule(definition.rule)}
    return await progress.begin(connection, workspace_id=workspace_id, kind=kind, request=request)


def _requested(request: Mapping[str, Any]) -> Definition:
    return Definition(request["table"], read_rule(request["rule"]))


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        problem = f"An audience has a name of 1 to {_LONGEST_NAME} printable characters."
        raise InvalidValue("name", problem)
    return name
