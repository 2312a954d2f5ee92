"""The tables: the list, a table's columns and imports, rejected rows, deletion once confirmed."""

from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.console.answering import page
from textwave.console.operation_pages import operation_of
from textwave.console.table_reading import find_import, read_table, read_tables
from textwave.console.visit import Visit
from textwave.customers import operations as customers
from textwave.customers import table_operations as tables
from textwave.kit.refusal import NotFound, Refusal
from textwave.storage import progress

_REJECTED_ROWS = 200


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/tables/{name}"
    return [
        Route("/tables", page(_list), methods=["GET"]),
        Route(shown, page(_table), methods=["GET"]),
        Route(f"{shown}/delete", page(_confirm_delete), methods=["GET"]),
        Route(f"{shown}/delete", page(_delete), methods=["POST"]),
        Route(f"{shown}/rejected/{{import:int}}", page(_rejected), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    lines, zone = await read_tables(visit.ground.ledger, visit.workspace_id)
    operation = await operation_of(visit) or {"operation": None}
    return visit.page("tables.html", **operation | {"lines": lines, "zone": zone})


async def _table(visit: Visit) -> Response:
    shown = await read_table(visit.ground.ledger, visit.workspace_id, visit.name)
    return visit.page("tables_table.html", shown=shown, zone=shown.zone)


async def _confirm_delete(visit: Visit) -> Response:
    return await _asked(visit, "")


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await tables.start_deletion(
                connection, workspace_id=visit.workspace_id, actor=visit.actor, name=visit.name
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _asked(visit, refusal.sentence)
    return RedirectResponse(f"/console/tables?operation={operation_id}", 303)


async def _asked(visit: Visit, problem: str) -> Response:
    shown = await read_table(visit.ground.ledger, visit.workspace_id, visit.name)
    status = 409 if problem else 200
    return visit.page("tables_delete.html", status, table=shown.table, problem=problem)


async def _rejected(visit: Visit) -> Response:
    """Show rejected rows; they are in the warehouse, so a worker is asked for them first."""
    shown = await read_table(visit.ground.ledger, visit.workspace_id, visit.name)
    one = find_import(shown, visit.request.path_params["import"])
    operation = await operation_of(visit)
    if operation is None:
        return await _begin_reading(visit, f"{shown.table.name}/rejected/{one.id}", one.id)
    values = operation | {"table": shown.table, "one": one, "zone": shown.zone}
    return visit.page("tables_rejected.html", **values)


async def _begin_reading(visit: Visit, place: str, import_id: int) -> Response:
    after = visit.request.query_params.get("after", "")
    request: dict[str, Any] = {
        "import_id": import_id,
        "after": int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,  # noqa: PLR2004 - a bigint has 19 digits
        "limit": _REJECTED_ROWS,
    }
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        operation_id = await progress.begin(
            connection,
            workspace_id=visit.workspace_id,
            kind=customers.REJECTED_ROWS_TASK,
            request=request,
        )
    return RedirectResponse(f"/console/tables/{place}?operation={operation_id}", 303)
