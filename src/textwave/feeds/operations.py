"""Sources and feeds: made, checked, run when asked for or when their time has come.

A run reads the source into a file and imports that file, as one long-running operation; what it
may do to the table is what an import may do.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from textwave.accounts import store as accounts
from textwave.customers import operations as customers
from textwave.customers.request import ImportRequest, read_request
from textwave.customers.schedule import AFTER_IMPORT, check_refresh, next_refresh
from textwave.feeds import store
from textwave.feeds.address import SourceKind, shown_address
from textwave.feeds.extraction import OpenedSource, check, extract
from textwave.feeds.store import Feed, Source
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

IMPORT_TASK: Final = "feeds.import"
CHECK_TASK: Final = "feeds.check"
_LONGEST_NAME: Final = 100
_LONGEST_QUERY: Final = 50_000
_MOST_DUE: Final = 100


@dataclass(eq=False)
class SourceInUse(Refusal):
    """Feeds read the source."""

    code: ClassVar[str] = "source_in_use"
    source: str
    feeds: list[str]

    @property
    def sentence(self) -> str:
        names = ", ".join(f"“{name}”" for name in self.feeds)
        return f"The source “{self.source}” is read by {names}. Delete these feeds first."


@dataclass(eq=False)
class FeedRunning(Refusal):
    """A run of the feed has not ended."""

    code: ClassVar[str] = "feed_running"
    feed: str
    operation_id: int

    @property
    def sentence(self) -> str:
        return (
            f"The feed “{self.feed}” is running already, as operation {self.operation_id}. Wait "
            "for its end or cancel it."
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """What a run stands on: the stores, the secrets, and the folders it may use."""

    ledger: Ledger
    warehouse: Warehouse
    vault: Vault
    uploads: Path
    spill: Path
    import_folder: Path | None


async def add_source(
    connection: Connection,
    vault: Vault,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    kind: SourceKind,
    address: str,
) -> Source:
    """Keep a source; its address is sealed and never given back whole.

    Raises:
        InvalidValue: the name does not fit.
        AddressUnfit: the address is not one of this kind.
        AlreadyExists: the name is taken.
    """
    name, shown = _checked_name(name), shown_address(kind, address)
    added = await store.add_source(
        connection,
        workspace_id=workspace_id,
        name=name,
        kind=kind,
        sealed_address=vault.seal(address, _context(workspace_id, name)),
        shown_address=shown,
        created_by=actor,
    )
    if not added:
        raise AlreadyExists("source", name)
    detail = {"kind": kind.value, "address": shown}
    await _audit(connection, workspace_id, actor, "source.created", name, detail)
    found = await store.sources(connection, workspace_id)
    return next(source for source in found if source.name == name)


async def delete_source(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Forget a source.

    Raises:
        SourceInUse: a feed reads it.
        NotFound: there is none of that name.
    """
    feeds = await store.feeds_of_source(connection, workspace_id, name)
    if feeds:
        raise SourceInUse(name, feeds)
    if not await store.delete_source(connection, workspace_id, name):
        raise NotFound("source", name)
    await _audit(connection, workspace_id, actor, "source.deleted", name, {})


async def start_check(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> OperationId:
    """Begin to open a source, as a run would.

    Raises:
        NotFound: there is none of that name.
    """
    await store.sealed_source(connection, workspace_id, name)
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=CHECK_TASK, request={"source": name}
    )


async def start_import(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    source: str,
    query: str,
    request: ImportRequest,
) -> OperationId:
    """Begin to import what a source gives; `request.path` is not used.

    Raises:
        NotFound: there is no such source.
        InvalidValue, TableNameInvalid, ModeUnfit: it could not succeed whatever the source gives.
    """
    await store.sealed_source(connection, workspace_id, source)
    request.check()
    _check_query(query)
    detail = {"source": source, "mode": request.mode.value}
    await _audit(connection, workspace_id, actor, "table.import", request.table, detail)
    return await _begin(connection, workspace_id, source, query, request.written())


async def create_feed(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    source: str,
    query: str,
    request: ImportRequest,
    schedule: str,
    now: datetime,
) -> Feed:
    """Keep how a table is brought up to date: when asked for, or by a cron expression.

    Raises:
        NotFound: there is no such source.
        AlreadyExists: the name is taken.
        InvalidValue, RefreshUnfit, TableNameInvalid, ModeUnfit: what its sentence says.
    """
    known = await store.sealed_source(connection, workspace_id, source)
    name, schedule = _checked_name(name), _checked_schedule(schedule)
    request.check()
    _check_query(query)
    added = await store.add_feed(
        connection,
        workspace_id=workspace_id,
        name=name,
        source_id=known.id,
        table=request.table,
        query=query,
        options=request.written(),
        schedule=schedule,
        next_run_at=await _next(connection, workspace_id, schedule, now),
        created_by=actor,
    )
    if not added:
        raise AlreadyExists("feed", name)
    detail = {"source": source, "table": request.table, "schedule": schedule}
    await _audit(connection, workspace_id, actor, "feed.created", name, detail)
    return await store.feed(connection, workspace_id, name)


async def schedule_feed(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    schedule: str,
    now: datetime,
) -> Feed:
    """Give a feed another schedule; an empty one: only when asked for.

    Raises:
        NotFound: there is none of that name.
        RefreshUnfit: it is no schedule.
    """
    await store.feed(connection, workspace_id, name)
    schedule = _checked_schedule(schedule)
    await store.schedule_feed(
        connection,
        workspace_id=workspace_id,
        name=name,
        schedule=schedule,
        next_run_at=await _next(connection, workspace_id, schedule, now),
    )
    detail = {"schedule": schedule}
    await _audit(connection, workspace_id, actor, "feed.scheduled", name, detail)
    return await store.feed(connection, workspace_id, name)


async def delete_feed(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Forget a feed; its table stays as it is.

    Raises:
        NotFound: there is none of that name.
    """
    if not await store.delete_feed(connection, workspace_id, name):
        raise NotFound("feed", name)
    await _audit(connection, workspace_id, actor, "feed.deleted", name, {})


async def run_now(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, now: datetime
) -> OperationId:
    """Begin a run of a feed.

    Raises:
        NotFound: there is none of that name.
        FeedRunning: the run before has not ended.
    """
    known = await store.feed(connection, workspace_id, name)
    running = await _running(connection, known)
    if running is not None:
        raise FeedRunning(name, running)
    return await _run(connection, known, now=now, next_run_at=known.next_run_at)


async def run_due(ledger: Ledger, *, now: datetime) -> int:
    """Begin the runs whose time has come; return how many. A run under way is not doubled."""
    async with ledger.transaction() as connection:
        due = await store.due_feeds(connection, now=now, limit=_MOST_DUE)
        begun = 0
        for known in due:
            following = await _next(connection, known.workspace_id, known.schedule, now)
            if await _running(connection, known) is None:
                await _run(connection, known, now=now, next_run_at=following)
                begun += 1
            else:
                await store.schedule_feed(
                    connection,
                    workspace_id=known.workspace_id,
                    name=known.name,
                    schedule=known.schedule,
                    next_run_at=following,
                )
    return begun


async def run_import(
    ground: Ground, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do an import from a source; its file goes when it has ended."""
    path = ground.uploads / uuid.uuid4().hex

    async def work(asked: dict[str, Any]) -> dict[str, Any]:
        source = await _opened(ground, workspace_id, asked["source"])
        name = await extract(
            source, asked["query"], to=path, folder=ground.import_folder, spill=ground.spill
        )
        request = replace(read_request(asked["import"]), path=str(path), file_name=name)
        return await customers.import_file(
            ground.ledger, ground.warehouse, ground.vault, workspace_id, operation_id, request
        )

    try:
        await progress.perform(
            ground.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
        )
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    async with ground.ledger.transaction() as connection:
        operation = await progress.read(connection, **key)
        if operation.finished:
            await store.ended(connection, **key, problem=operation.problem)


async def run_check(
    ground: Ground, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_check`."""

    async def work(asked: dict[str, Any]) -> dict[str, Any]:
        source = await _opened(ground, workspace_id, asked["source"])
        await check(source, folder=ground.import_folder, spill=ground.spill)
        return {"reachable": True}

    await progress.perform(
        ground.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def _opened(ground: Ground, workspace_id: WorkspaceId, name: str) -> OpenedSource:
    async with ground.ledger.transaction() as connection:
        sealed = await store.sealed_source(connection, workspace_id, name)
    address = ground.vault.open(sealed.sealed_address, _context(workspace_id, name))
    return OpenedSource(name, SourceKind(sealed.kind), address)


async def _run(
    connection: Connection, known: Feed, *, now: datetime, next_run_at: datetime | None
) -> OperationId:
    operation_id = await _begin(
        connection, known.workspace_id, known.source, known.query, known.options
    )
    await store.begun(
        connection, known, operation_id=operation_id, now=now, next_run_at=next_run_at
    )
    return operation_id


async def _begin(
    connection: Connection,
    workspace_id: WorkspaceId,
    source: str,
    query: str,
    options: Mapping[str, Any],
) -> OperationId:
    request = {"source": source, "query": query, "import": dict(options)}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=IMPORT_TASK, request=request
    )


async def _running(connection: Connection, known: Feed) -> OperationId | None:
    if known.last_operation_id is None:
        return None
    last = await progress.read(
        connection, workspace_id=known.workspace_id, operation_id=known.last_operation_id
    )
    return None if last.finished else last.id


async def _next(
    connection: Connection, workspace_id: WorkspaceId, schedule: str, now: datetime
) -> datetime | None:
    workspace = await accounts.workspace(connection, workspace_id)
    return next_refresh(schedule, after=now, zone=ZoneInfo(workspace.time_zone))


def _checked_schedule(schedule: str) -> str:
    checked = check_refresh(schedule)
    if checked == AFTER_IMPORT:
        raise InvalidValue("schedule", "A feed runs when asked for or by a cron expression.")
    return checked


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        problem = f"A name has 1 to {_LONGEST_NAME} printable characters and no “/”."
        raise InvalidValue("name", problem)
    return name


def _check_query(query: str) -> None:
    if not query.strip() or len(query) > _LONGEST_QUERY or "\0" in query:
        raise InvalidValue("query", f"A query has 1 to {_LONGEST_QUERY:,} characters.")


def _context(workspace_id: WorkspaceId, name: str) -> str:
    return f"source {workspace_id} {name}"


async def _audit(
    connection: Connection,
    workspace_id: WorkspaceId,
    actor: str,
    action: str,
    object_name: str,
    detail: Mapping[str, str],
) -> None:
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=action,
        object_name=object_name,
        detail=dict(detail),
    )
