"""Making audiences, and the long work on them: estimate, preview, snapshot.

`create_audience` and `start_…` serve the web role; `run_…` are what a worker's job does. A rule is
checked when it is given and again when it runs, because tables change in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import structlog

from textwave.accounts import store as accounts
from textwave.audiences import life_store, store
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers, select_rows
from textwave.audiences.particulars import (
    check_name,
    check_not_archived,
    check_particulars,
)
from textwave.audiences.people import people
from textwave.audiences.preview import shown_customer
from textwave.audiences.rule import Rule, read_rule, write_rule
from textwave.audiences.sentence import chinese, english
from textwave.audiences.store import Audience, Definition, Particulars, Snapshot
from textwave.audiences.tables import CustomerTable, Surroundings
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.customers.schedule import next_refresh
from textwave.kit.clock import Clock
from textwave.kit.ids import AudienceId, OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, Refusal
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

ESTIMATE: Final = "audiences.estimate"
SNAPSHOT: Final = "audiences.snapshot"
PREVIEW: Final = "audiences.preview"
PREVIEW_CUSTOMERS: Final = 100
log = structlog.get_logger(__name__)


async def create_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    table: str,
    rule: Rule,
    particulars: Particulars | None = None,
    viewer: Viewer = SEES_ALL,
) -> Audience:
    """Add an audience with a rule that fits the workspace's tables and what the viewer sees.

    Raises:
        InvalidValue: name, description or folder cannot be taken.
        RefreshUnfit: see `check_refresh`.
        AlreadyExists: the name is taken.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    name = check_name(name)
    said = check_particulars(particulars or Particulars())
    await life_store.hold(connection, workspace_id)
    known = await store.surroundings(connection, workspace_id, viewer)
    check_rule(rule, table=table, known=known)
    added = await store.add_audience(
        connection,
        workspace_id=workspace_id,
        name=name,
        definition=Definition(table, rule),
        created_by=actor,
        particulars=said,
        next_refresh_at=await due_after_now(connection, workspace_id, said.refresh),
    )
    if not added:
        raise AlreadyExists("audience", name)
    made = await store.audience(connection, workspace_id, name)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="audience.created",
        object_name=name,
        detail=told(made),
    )
    return made


async def due_after_now(
    connection: Connection, workspace_id: WorkspaceId, refresh: str
) -> datetime | None:
    """Return when a refresh by the clock is due next, by the ledger's clock."""
    workspace = await accounts.workspace(connection, workspace_id)
    now = await store.ledger_now(connection)
    return next_refresh(refresh, after=now, zone=ZoneInfo(workspace.time_zone))


def told(audience: Audience) -> dict[str, Any]:
    """Return an audience as the audit log tells it."""
    table, said = audience.definition.table, audience.particulars
    return {
        "table": table,
        "rule": english(audience.definition.rule, table=table),
        "description": said.description,
        "folder": said.folder,
        "is_public": said.is_public,
        "refresh": said.refresh,
    }


async def start_estimate(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    table: str,
    rule: Rule,
    viewer: Viewer = SEES_ALL,
) -> OperationId:
    """Begin to count whom a rule selects; result `{size, of, sentence, sentence_chinese}`.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    known = await store.surroundings(connection, workspace_id, viewer)
    check_rule(rule, table=table, known=known)
    request = {"table": table, "rule": write_rule(rule)}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=ESTIMATE, request=request
    )


async def start_preview(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    table: str,
    rule: Rule,
    viewer: Viewer = SEES_ALL,
    audience: str | None = None,
) -> OperationId:
    """Begin to read the first 100 customers; result `{columns, customers}`, numbers masked.

    Of the rule of an `audience`, only those who see that one see the operation.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    known = await store.surroundings(connection, workspace_id, viewer)
    check_rule(rule, table=table, known=known)
    request = {"table": table, "rule": write_rule(rule), "audience": audience}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=PREVIEW, request=request
    )


async def start_snapshot(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, viewer: Viewer = SEES_ALL
) -> OperationId:
    """Begin to write the members of the audience down.

    The result is `{snapshot_id, size, lake_version, milliseconds, note}`.

    Raises:
        NotFound: there is no audience of that name that the viewer sees.
        AudienceArchived: it is not computed any more.
        TableUnknown, ColumnUnknown, ColumnMissing, OperatorUnfit, ValueUnfit: see `check_rule`.
    """
    audience = await store.audience(connection, workspace_id, name, viewer)
    check_not_archived(audience)
    known = await store.surroundings(connection, workspace_id)
    check_rule(audience.definition.rule, table=audience.definition.table, known=known)
    request = {"audience": name, "audience_id": audience.id}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=SNAPSHOT, request=request
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
        snapshot = await refresh_audience(
            ledger=ledger,
            warehouse=warehouse,
            clock=clock,
            workspace_id=workspace_id,
            audience_id=AudienceId(request["audience_id"]),
        )
        return {
            "snapshot_id": snapshot.id,
            "size": snapshot.size,
            "lake_version": snapshot.lake_version,
            "milliseconds": snapshot.milliseconds,
            "note": "" if snapshot.size else "No customer meets the rule: the audience is empty.",
        }

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def refresh_audience(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
) -> Snapshot:
    """Take a snapshot of an audience, or say on the audience why there is none.

    Raises:
        NotFound, AudienceArchived, and whatever `check_rule` refuses.
    """
    async with ledger.transaction(workspace_id) as connection:
        audience = await store.audience_by_id(connection, workspace_id, audience_id)
    try:
        check_not_archived(audience)
        return await _written(ledger, warehouse, clock, audience)
    except Exception as error:
        await note_failed_refresh(ledger, audience, error)
        raise


async def note_failed_refresh(ledger: Ledger, audience: Audience, error: Exception) -> None:
    """Say on the audience what stopped its refresh, until one succeeds."""
    unexpected = {
        "code": "internal",
        "sentence": "Something unexpected went wrong; the worker's log has the details.",
        "fields": {},
    }
    async with ledger.transaction(audience.workspace_id) as connection:
        await store.note_failed_refresh(
            connection,
            workspace_id=audience.workspace_id,
            audience_id=audience.id,
            problem=progress.as_problem(error) if isinstance(error, Refusal) else unexpected,
        )


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
    return await _written(ledger, warehouse, clock, audience)


async def _written(
    ledger: Ledger, warehouse: Warehouse, clock: Clock, audience: Audience
) -> Snapshot:
    workspace_id = audience.workspace_id
    selection = await _prepare(ledger, clock, workspace_id, audience.definition)
    async with ledger.transaction(workspace_id) as connection:
        snapshot_id = await store.next_snapshot_id(connection)
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
    known: Surroundings
    calendar: Calendar
    region: str

    @property
    def described(self) -> CustomerTable:
        return self.known.tables[self.definition.table]

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
            known=self.known,
            source=lake.table,
            calendar=self.calendar,
        )

    def count(self, lake: Lake) -> tuple[int, int]:
        """Return how many customers are selected, and of how many."""
        counts = (self.customers(lake).count(), people(self.described, lake.table).count())
        size, of = (int(count.to_pyarrow().as_py()) for count in counts)
        return size, of

    def first(self, lake: Lake) -> list[dict[str, Any]]:
        """Return the first selected customers in the order of their keys."""
        rows = select_rows(
            self.definition.rule,
            table=self.definition.table,
            known=self.known,
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
        known = await store.surroundings(connection, workspace_id)
    check_rule(definition.rule, table=definition.table, known=known)
    calendar = Calendar(clock.now(), ZoneInfo(workspace.time_zone))
    return _Selection(definition, known, calendar, workspace.default_region)


def _requested(request: Mapping[str, Any]) -> Definition:
    return Definition(request["table"], read_rule(request["rule"]))
