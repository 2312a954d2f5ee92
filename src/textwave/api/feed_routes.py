"""Sources and feeds over HTTP: databases and folders that tables are brought up to date from."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Text, Who
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Page, Shape
from textwave.api.table_routes import ImportOptions
from textwave.feeds import operations as feeds
from textwave.feeds import store
from textwave.feeds.address import SourceKind

routes = APIRouter(tags=["feeds"])
Named = Annotated[Name, Path()]
Query = Annotated[Text, Field(min_length=1, max_length=50_000)]


class Source(Shape):
    """A database or a folder; the address is without its password."""

    id: int
    name: str
    kind: str
    shown_address: str
    created_by: str
    created_at: datetime


class NewSource(BaseModel):
    """A source to be kept; the address is never given back whole."""

    name: Name
    kind: SourceKind
    address: Text = Field(
        min_length=1,
        max_length=2_000,
        description="postgresql://user:password@host/database, mysql://…, or a path below the "
        "folder of imports for sqlite, duckdb and folder.",
    )


class QueryImport(BaseModel):
    """What a source is asked, and how the answer is imported."""

    query: Query = Field(description="In the database's own words; of a folder: a file's pattern.")
    options: ImportOptions


class Feed(Shape):
    """How a table is brought up to date."""

    id: int
    name: str
    source: str
    table_name: str
    query: str
    options: dict[str, Any]
    schedule: str
    next_run_at: datetime | None
    last_operation_id: int | None
    last_run_at: datetime | None
    failed_at: datetime | None
    problem: dict[str, Any] | None = Field(description="Of the last run, if it failed.")
    created_by: str
    created_at: datetime


class NewSchedule(BaseModel):
    """When a feed runs."""

    schedule: Text = Field("", max_length=100, description="Five cron fields; empty: when asked.")


class NewFeed(QueryImport, NewSchedule):
    """A feed to be kept."""

    name: Name
    source: Name
    table: Name


@routes.get("/sources", summary="List the sources.")
async def list_sources(runtime: Rt, caller: Who) -> Page[Source]:
    """Return all sources of the workspace, by name."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.sources(connection, caller.workspace_id)
    return Page(items=[Source.model_validate(source) for source in found])


@routes.post("/sources", status_code=201, summary="Keep a source.")
async def add_source(runtime: Rt, caller: Who, new: NewSource) -> Source:
    """Keep a database or a folder under a name, its address sealed."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await feeds.add_source(
            connection,
            runtime.vault,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            kind=new.kind,
            address=new.address,
        )
    return Source.model_validate(made)


@routes.delete("/sources/{name}", status_code=204, summary="Forget a source.")
async def delete_source(runtime: Rt, caller: Who, name: Named) -> None:
    """Forget a source that no feed reads."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await feeds.delete_source(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )


@routes.post("/sources/{name}/check", status_code=202, summary="Try to open a source.")
async def check_source(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin to open the source as a run would; the operation fails with what is wrong."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await feeds.start_check(
            connection, workspace_id=caller.workspace_id, name=name
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/sources/{name}/imports/{table}", status_code=202, summary="Import what a query gives, once."
)
async def import_query(
    runtime: Rt, caller: Who, response: Response, name: Named, table: Named, wanted: QueryImport
) -> Operation:
    """Begin to ask the source and to import the answer; the result is that of an import."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await feeds.start_import(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            source=name,
            query=wanted.query,
            request=wanted.options.request(table, ""),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/feeds", summary="List the feeds.")
async def list_feeds(runtime: Rt, caller: Who) -> Page[Feed]:
    """Return all feeds of the workspace, by name."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.feeds(connection, caller.workspace_id)
    return Page(items=[Feed.model_validate(feed) for feed in found])


@routes.post("/feeds", status_code=201, summary="Keep a feed.")
async def create_feed(runtime: Rt, caller: Who, new: NewFeed) -> Feed:
    """Keep how a table is brought up to date, by schedule or when asked for."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await feeds.create_feed(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            source=new.source,
            query=new.query,
            request=new.options.request(new.table, ""),
            schedule=new.schedule,
            now=runtime.clock.now(),
        )
    return Feed.model_validate(made)


@routes.get("/feeds/{name}", summary="Read a feed.")
async def read_feed(runtime: Rt, caller: Who, name: Named) -> Feed:
    """Return a feed and how its last run ended."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return Feed.model_validate(await store.feed(connection, caller.workspace_id, name))


@routes.put("/feeds/{name}/schedule", summary="Give a feed another schedule.")
async def schedule_feed(runtime: Rt, caller: Who, name: Named, wanted: NewSchedule) -> Feed:
    """Change when a feed runs; an empty schedule: only when asked for."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        changed = await feeds.schedule_feed(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            schedule=wanted.schedule,
            now=runtime.clock.now(),
        )
    return Feed.model_validate(changed)


@routes.post("/feeds/{name}/runs", status_code=202, summary="Run a feed now.")
async def run_feed(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin a run, say after the data has been made elsewhere; one run at a time."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await feeds.run_now(
            connection, workspace_id=caller.workspace_id, name=name, now=runtime.clock.now()
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.delete("/feeds/{name}", status_code=204, summary="Forget a feed.")
async def delete_feed(runtime: Rt, caller: Who, name: Named) -> None:
    """Forget a feed; its table stays as it is."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await feeds.delete_feed(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
