"""Making an audience and editing it: the rule builder, and the count that follows each change.

The builder's script sends the rule as JSON of the public schema; whatever is wrong with it comes
back with its place in the tree. Refused: rules of more than two megabytes.
"""

import json
from typing import Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from textwave.audiences import life_operations, operations, store
from textwave.audiences.life_operations import Changes
from textwave.audiences.rule import (
    All,
    InCampaign,
    Outcome,
    Rule,
    RuleMalformed,
    read_rule,
    write_rule,
)
from textwave.audiences.seen_operations import check_seen
from textwave.audiences.store import Audience, Particulars
from textwave.campaigns.operations import campaign as campaign_of
from textwave.console.addresses import audience_address
from textwave.console.answering import page
from textwave.console.audience_reading import is_row_id, root_tables, said
from textwave.console.refreshing import read_refresh
from textwave.console.rule_choices import frequent_values, read_choices
from textwave.console.visit import Visit
from textwave.kit.ids import OperationId
from textwave.kit.refusal import NotFound, Refusal
from textwave.storage import progress
from textwave.storage.ledger import Connection

_LARGEST_BYTES: Final = 2_000_000
_WAIT_SECONDS: Final = 2.0
_EMPTY: Final = dict.fromkeys(
    ("name", "table", "rule", "description", "folder", "private", "compute", "version"), ""
)


def routes() -> list[Route]:
    """Return the routes below /console."""
    made = "/audiences/-"  # no page of an audience called “-” has these names
    return [
        Route(f"{made}/new", page(_new), methods=["GET"]),
        Route(f"{made}/new", page(_create), methods=["POST"]),
        Route(f"{made}/choices", page(_choices), methods=["GET"]),
        Route(f"{made}/values", page(_values), methods=["GET"]),
        Route(f"{made}/count", page(_count), methods=["POST"]),
        Route(f"{made}/counts/{{operation:int}}", page(_counted), methods=["GET"]),
        Route("/audiences/{name}/edit", page(_edit), methods=["GET"]),
        Route("/audiences/{name}/edit", page(_save), methods=["POST"]),
    ]


async def _new(visit: Visit) -> Response:
    asked = visit.request.query_params
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        tables = root_tables(await store.tables(connection, visit.workspace_id))
        chosen = await _table_of(connection, visit, asked.get("campaign", ""))
    table = chosen if chosen in tables else (tables[0] if tables else "")
    given = {
        "name": "",
        "table": asked.get("table") or table,
        "rule": json.dumps(write_rule(_asked_for(asked)), ensure_ascii=False),
    }
    return await _form(visit, given, tables=tables)


async def _table_of(connection: Connection, visit: Visit, campaign: str) -> str:
    """Return the table of the audience that a campaign goes to; '' when it is not to be known."""
    if not campaign:
        return ""
    try:
        found = await campaign_of(connection, visit.workspace_id, campaign)
        audience = await store.audience(
            connection, visit.workspace_id, found.audience, visit.viewer
        )
    except Refusal:  # gone, not seen, or of an older form: the first table will do
        return ""
    return audience.definition.table


def _asked_for(asked: Any) -> Rule:
    """Return the rule with which a link begins: everybody, or a campaign's outcome."""
    campaign, outcome = asked.get("campaign", ""), asked.get("outcome", "")
    if not campaign or outcome not in tuple(Outcome):
        return All(of=())
    reasons = (asked["reason"][:200],) if asked.get("reason") else None
    return All(of=(InCampaign(campaign=campaign, outcome=Outcome(outcome), reasons=reasons),))


async def _choices(visit: Visit) -> Response:
    return JSONResponse(await read_choices(visit))


async def _values(visit: Visit) -> Response:
    asked = visit.request.query_params
    found = await frequent_values(visit, asked.get("table", ""), asked.get("column", ""))
    return JSONResponse({"values": found})


async def _count(visit: Visit) -> Response:
    """Check a rule, say it as a sentence, and begin to count; the count before it is given up."""
    form = await visit.trusted_form(_LARGEST_BYTES)
    await _give_up(visit, form.get("before", ""))
    told: dict[str, Any] = {"sentence": "", "problem": None, "operation": None}
    try:
        table, rule = form.get("table", ""), _written_rule(form)
        told["sentence"] = said(rule, table, visit.language)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            told["operation"] = await operations.start_estimate(
                connection,
                workspace_id=visit.workspace_id,
                table=table,
                rule=rule,
                viewer=visit.viewer,
            )
    except Refusal as refusal:
        told["problem"] = {"place": getattr(refusal, "place", "$"), "sentence": refusal.sentence}
    return JSONResponse(told)


async def _give_up(visit: Visit, before: str) -> None:
    if not is_row_id(before):
        return
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        key: dict[str, Any] = {
            "workspace_id": visit.workspace_id,
            "operation_id": OperationId(int(before)),
        }
        await check_seen(connection, **key, viewer=visit.viewer)
        known = await progress.read(connection, **key)
        if known.kind == operations.ESTIMATE:
            await progress.cancel(connection, **key)


async def _counted(visit: Visit) -> Response:
    """Return the count, waiting a little for it."""
    key: dict[str, Any] = {
        "workspace_id": visit.workspace_id,
        "operation_id": OperationId(int(visit.request.path_params["operation"])),
    }
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        await check_seen(connection, **key, viewer=visit.viewer)
    operation = await progress.wait(visit.ground.ledger, **key, seconds=_WAIT_SECONDS)
    if operation.kind != operations.ESTIMATE:
        raise NotFound("count", str(operation.id))
    problem = (operation.problem or {}).get("sentence", "")
    result = operation.result or {}
    return JSONResponse(
        {
            "state": operation.state,
            "percent": operation.progress.get("percent"),
            "size": result.get("size"),
            "of": result.get("of"),
            "problem": problem,
        }
    )


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_BYTES)
    try:
        rule = _written_rule(form)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await operations.create_audience(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=form.get("name", ""),
                table=form.get("table", ""),
                rule=rule,
                particulars=_particulars(form),
                viewer=visit.viewer,
            )
            shown = (
                "" if form.get("compute") != "yes" else await _computing(connection, visit, made)
            )
    except Refusal as refusal:
        return await _form(visit, form, problem=refusal)
    return RedirectResponse(audience_address(made.name) + shown, 303)


async def _computing(connection: Connection, visit: Visit, made: Audience) -> str:
    """Begin to compute the audience; return what its address says of that."""
    operation_id = await operations.start_snapshot(
        connection, workspace_id=visit.workspace_id, name=made.name, viewer=visit.viewer
    )
    return f"?operation={operation_id}"


async def _edit(visit: Visit) -> Response:
    audience = await _audience(visit)
    said_of = audience.particulars
    given = {
        "name": audience.name,
        "table": audience.definition.table,
        "rule": json.dumps(write_rule(audience.definition.rule), ensure_ascii=False),
        "description": said_of.description,
        "folder": said_of.folder,
        "private": "" if said_of.is_public else "yes",
        "version": str(audience.version),
        "written_refresh": said_of.refresh,
    }
    return await _form(visit, given, audience=audience)


async def _save(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_BYTES)
    audience = await _audience(visit)
    version = form.get("version", "")
    given = _particulars(form)
    try:
        rule = _written_rule(form)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await life_operations.edit_audience(
                connection,
                workspace_id=visit.workspace_id,
                viewer=visit.viewer,
                name=audience.name,
                version=int(version) if is_row_id(version) else 0,
                changes=Changes(
                    rule if rule != audience.definition.rule else None,
                    given.description,
                    given.folder,
                    given.is_public,
                    given.refresh,
                ),
            )
            name = await _renamed(connection, visit, audience.name, form.get("name", ""))
    except Refusal as refusal:
        return await _form(visit, form, audience=audience, problem=refusal)
    return RedirectResponse(audience_address(name), 303)


async def _renamed(connection: Connection, visit: Visit, name: str, wanted: str) -> str:
    """Give the audience another name if one is wanted; return the name that it has."""
    if wanted.strip() == name:
        return name
    renamed = await life_operations.rename_audience(
        connection,
        workspace_id=visit.workspace_id,
        viewer=visit.viewer,
        name=name,
        new_name=wanted,
    )
    return renamed.name


async def _audience(visit: Visit) -> Audience:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await store.audience(connection, visit.workspace_id, visit.name, visit.viewer)


async def _form(
    visit: Visit,
    given: dict[str, str],
    *,
    tables: list[str] | None = None,
    audience: Audience | None = None,
    problem: Refusal | None = None,
) -> Response:
    """Show the builder with what was given; a refusal beside it, nothing typed is lost."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        known = tables or root_tables(await store.tables(connection, visit.workspace_id))
        folders = await life_operations.folders(
            connection, workspace_id=visit.workspace_id, viewer=visit.viewer
        )
    return visit.page(
        "audience_rule.html",
        409 if problem else 200,
        given=_EMPTY | given,
        refresh=given.get("written_refresh") or read_refresh(given),
        tables=known,
        folders=[folder.name for folder in folders if folder.name],
        audience=audience,
        problem=problem.sentence if problem else "",
        place=getattr(problem, "place", ""),
    )


def _particulars(form: dict[str, str]) -> Particulars:
    return Particulars(
        description=form.get("description", "").replace("\r\n", "\n"),
        folder=form.get("folder", ""),
        is_public=form.get("private") != "yes",
        refresh=read_refresh(form),
    )


def _written_rule(form: dict[str, str]) -> Rule:
    try:
        written = json.loads(form.get("rule", ""))
    except (ValueError, RecursionError):
        raise RuleMalformed("$", "this is no JSON") from None
    return read_rule(written)
