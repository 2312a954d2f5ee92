"""Audiences over HTTP: named rules, their estimate and preview, their life and their snapshots.

A private audience is there for its maker and for administrators only.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, RowId, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import (
    Audience,
    Folder,
    Operation,
    Page,
    PastSnapshot,
    audience_shape,
    page_of,
)
from textwave.audiences import comparison, comparison_operations, life_operations, store
from textwave.audiences import operations as audiences
from textwave.audiences.life_operations import Changes
from textwave.audiences.particulars import LONGEST_DESCRIPTION
from textwave.audiences.rule import read_rule
from textwave.audiences.store import Particulars, Sort, Wanted, Whose
from textwave.kit.ids import AudienceId, SnapshotId

routes = APIRouter(tags=["audiences"])
Named = Annotated[Name, Path()]
Description = Annotated[Text, Field(max_length=2 * LONGEST_DESCRIPTION)]
FolderPath = Annotated[
    Text, Field(max_length=300, description="Such as “2026/spring”; empty: in none.")
]
Refresh = Annotated[
    Text,
    Field(
        max_length=200,
        description="Empty: by hand; “after_import”; or five cron fields in the workspace's time.",
    ),
]


class RuleOverTable(BaseModel):
    """Whom an audience means; the rule's form is described in the how-to on rules."""

    table: Name
    rule: dict[str, Any]


class NewAudience(RuleOverTable):
    """An audience to be made."""

    name: Name
    description: Description = ""
    folder: FolderPath = ""
    is_public: bool = True
    refresh: Refresh = ""


class AudienceChanges(BaseModel):
    """What is to be changed, in the version that was read; what is left out stays."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    rule: dict[str, Any] | None = None
    description: Description | None = None
    folder: FolderPath | None = None
    is_public: bool | None = None
    refresh: Refresh | None = None


class NewName(BaseModel):
    """The name of the renamed audience, or of the copy."""

    name: Name


class Compared(BaseModel):
    """The audiences to compare."""

    audiences: Annotated[
        list[Name], Field(min_length=comparison.FEWEST, max_length=comparison.MOST)
    ]


class BetweenSnapshots(BaseModel):
    """Two snapshots of an audience; without `after`, the newest."""

    before: RowId
    after: RowId | None = None


@routes.get("/audiences", summary="List the audiences.")
async def list_audiences(
    runtime: Rt,
    caller: Who,
    folder: Annotated[FolderPath | None, Query()] = None,
    search: Annotated[Name | None, Query(description="In name or description.")] = None,
    archived: Annotated[bool, Query(description="Those that are put away, instead.")] = False,  # noqa: FBT002 - a query parameter
    whose: Whose = Whose.ALL,
    sort: Sort = Sort.CREATED_AT,
    after: After = None,
    limit: Limit = 100,
) -> Page[Audience]:
    """Return audiences that the caller sees; a folder is listed with those in it."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.audiences(
            connection,
            caller.workspace_id,
            wanted=Wanted(folder, search, archived, whose, sort),
            viewer=viewer_of(caller),
            after=None if after is None else AudienceId(after),
            limit=bounded,
        )
    return page_of(found, bounded, audience_shape, lambda audience: audience.id)


@routes.get("/audience-folders", summary="List the folders of audiences.")
async def list_folders(runtime: Rt, caller: Who) -> Page[Folder]:
    """Return each folder with how many audiences are directly in it; “” has those in none."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await life_operations.folders(
            connection, workspace_id=caller.workspace_id, viewer=viewer_of(caller)
        )
    return Page(items=[Folder.model_validate(one) for one in found])


@routes.post("/audiences", status_code=201, summary="Make an audience.")
async def create_audience(runtime: Rt, caller: Who, new: NewAudience) -> Audience:
    """Add a named rule that fits the tables; it has no members before its first snapshot."""
    rule = read_rule(new.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await audiences.create_audience(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            table=new.table,
            rule=rule,
            particulars=Particulars(new.description, new.folder, new.is_public, new.refresh),
            viewer=viewer_of(caller),
        )
    return audience_shape(made)


@routes.post("/audiences/estimate", status_code=202, summary="Count whom a rule selects.")
async def estimate(
    runtime: Rt, caller: Who, response: Response, wanted: RuleOverTable
) -> Operation:
    """Begin to count; the operation's result has `size` and `of`."""
    rule = read_rule(wanted.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await audiences.start_estimate(
            connection,
            workspace_id=caller.workspace_id,
            table=wanted.table,
            rule=rule,
            viewer=viewer_of(caller),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/audiences/preview", status_code=202, summary="Look at the first 100 whom a rule selects."
)
async def preview_rule(
    runtime: Rt, caller: Who, response: Response, wanted: RuleOverTable
) -> Operation:
    """Begin to read customers; their numbers are masked."""
    rule = read_rule(wanted.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await audiences.start_preview(
            connection,
            workspace_id=caller.workspace_id,
            table=wanted.table,
            rule=rule,
            viewer=viewer_of(caller),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post("/audiences/compare", status_code=202, summary="Count how audiences overlap.")
async def compare(runtime: Rt, caller: Who, response: Response, wanted: Compared) -> Operation:
    """Begin to compare the newest members; the result has each overlap."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await comparison_operations.start_comparison(
            connection,
            workspace_id=caller.workspace_id,
            names=wanted.audiences,
            viewer=viewer_of(caller),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.get("/audiences/{name}/snapshots", summary="List the snapshots of an audience.")
async def list_snapshots(
    runtime: Rt, caller: Who, name: Named, after: After = None, limit: Limit = 100
) -> Page[PastSnapshot]:
    """Return sizes with their times, newest first."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await life_operations.history(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            before=None if after is None else SnapshotId(after),
            limit=bounded,
        )
    return page_of(found, bounded, PastSnapshot.model_validate, lambda snapshot: snapshot.id)


@routes.post("/audiences/{name}/snapshots", status_code=202, summary="Compute the members now.")
async def refresh(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin to write the members down; the operation's result has `size`."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await audiences.start_snapshot(
            connection, workspace_id=caller.workspace_id, name=name, viewer=viewer_of(caller)
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/audiences/{name}/changes", status_code=202, summary="Count who joined, left and stayed."
)
async def change(
    runtime: Rt, caller: Who, response: Response, name: Named, between: BetweenSnapshots
) -> Operation:
    """Begin to compare two snapshots; the result has `joined`, `left` and `stayed`."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await comparison_operations.start_change(
            connection,
            workspace_id=caller.workspace_id,
            name=name,
            before=SnapshotId(between.before),
            after=None if between.after is None else SnapshotId(between.after),
            viewer=viewer_of(caller),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/audiences/{name}/preview", status_code=202, summary="Look at the first 100 customers."
)
async def preview(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin to read customers of the audience; their numbers are masked."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.audience(connection, caller.workspace_id, name, viewer_of(caller))
        operation_id = await audiences.start_preview(
            connection,
            workspace_id=caller.workspace_id,
            table=found.definition.table,
            rule=found.definition.rule,
            audience=name,
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post("/audiences/{name}/rename", summary="Rename an audience.")
async def rename(runtime: Rt, caller: Who, name: Named, new: NewName) -> Audience:
    """Give it another name; rules of other audiences that name it are rewritten."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        renamed = await life_operations.rename_audience(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            new_name=new.name,
        )
    return audience_shape(renamed)


@routes.post("/audiences/{name}/copy", status_code=201, summary="Copy an audience.")
async def copy(runtime: Rt, caller: Who, name: Named, new: NewName) -> Audience:
    """Make one of the caller's own with the same rule; it is refreshed by hand."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await life_operations.copy_audience(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            new_name=new.name,
        )
    return audience_shape(made)


@routes.post("/audiences/{name}/archive", summary="Put an audience away.")
async def archive(runtime: Rt, caller: Who, name: Named) -> Audience:
    """Take it out of lists, schedules and campaigns; refused while something uses it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        archived = await life_operations.archive_audience(
            connection, workspace_id=caller.workspace_id, viewer=viewer_of(caller), name=name
        )
    return audience_shape(archived)


@routes.post("/audiences/{name}/unarchive", summary="Take an audience out of the archive.")
async def unarchive(runtime: Rt, caller: Who, name: Named) -> Audience:
    """List it again; its schedule goes on."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await life_operations.unarchive_audience(
            connection, workspace_id=caller.workspace_id, viewer=viewer_of(caller), name=name
        )
    return audience_shape(found)


@routes.get("/audiences/{name}", summary="Read an audience.")
async def read_audience(runtime: Rt, caller: Who, name: Named) -> Audience:
    """Return an audience with its newest snapshot."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.audience(connection, caller.workspace_id, name, viewer_of(caller))
    return audience_shape(found)


@routes.patch("/audiences/{name}", summary="Edit an audience.")
async def edit(runtime: Rt, caller: Who, name: Named, changes: AudienceChanges) -> Audience:
    """Change it; refused when it is not in the version that was read any more."""
    rule = None if changes.rule is None else read_rule(changes.rule)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        edited = await life_operations.edit_audience(
            connection,
            workspace_id=caller.workspace_id,
            viewer=viewer_of(caller),
            name=name,
            version=changes.version,
            changes=Changes(
                rule, changes.description, changes.folder, changes.is_public, changes.refresh
            ),
        )
    return audience_shape(edited)
