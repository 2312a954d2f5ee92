"""Long-running operations on a page: a fragment that asks how far one is, and the wish to end it.

Pages name an operation as `?operation=`; its fragment asks each second until the end, then shows
what came of it, or leads on to where that is seen.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.audiences.seen_operations import check_seen
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.visit import Visit
from textwave.kit.ids import OperationId
from textwave.kit.refusal import NotFound
from textwave.storage import progress
from textwave.storage.progress import Operation

_RESULTS: Final[Mapping[str, str]] = {
    "audiences.snapshot": "audience_refreshed.html",
    "audiences.preview": "audience_preview.html",
    "audiences.profile": "audience_profile.html",
    "audiences.compare": "audience_overlap.html",
    "audiences.download": "audience_download.html",
    "lists.upload": "audience_uploaded.html",
    "customers.import": "tables_imported.html",
    "feeds.import": "tables_imported.html",
    "customers.rejected_rows": "tables_rejected_rows.html",
    "aipl.flow": "models_flow.html",
    "suppression.import": "opt_outs_imported.html",
    "suppression.export": "opt_outs_exported.html",
    "previews.preview": "templates_previewed.html",
    "campaigns.dry_run": "campaign_dry_run.html",
    "campaigns.retry_failed": "campaign_retried.html",
    "campaigns.text_from_dropped": "campaign_retried.html",
}
"""Kind of operation → what shows its result."""
_LEADS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "customers.delete_table": lambda _: "/console/tables",
    "models.refresh": lambda request: named_address("models", request["model"]),
}
"""Kind of operation → where its success is seen, from its request."""


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/operations/{id:int}", page(_show), methods=["GET"]),
        Route("/operations/{id:int}/cancel", page(_cancel), methods=["POST"]),
    ]


async def begun(visit: Visit, operation_id: OperationId) -> Response:
    """Answer with the fragment of an operation that has just begun."""
    return visit.page("operation.html", **await _shown(visit, operation_id))


async def operation_of(visit: Visit) -> dict[str, Any] | None:
    """Return what the fragment shows of the operation that the address names, if it does.

    Raises:
        NotFound: the workspace has none with that id.
    """
    wanted = visit.request.query_params.get("operation", "")
    if not wanted:
        return None
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):  # noqa: PLR2004 - a bigint has 19 digits
        raise NotFound("operation", wanted[:30])
    return await _shown(visit, OperationId(int(wanted)))


def percent_done(operation: Operation) -> float | None:
    """Return how much of the work is done, 0 to 100, where that is known."""
    told = operation.progress
    read = told.get("bytes", told.get("bytes_read", 0))
    if told.get("bytes_total") and (read or not told.get("rows_read")):
        return min(100.0, 100 * read / told["bytes_total"])
    if told.get("days"):
        return 100 * (told.get("days_done", 0) + told.get("percent", 0) / 100) / told["days"]
    return float(told["percent"]) if "percent" in told else None


async def _show(visit: Visit) -> Response:
    shown = await _shown(visit, OperationId(visit.request.path_params["id"]))
    operation: Operation = shown["operation"]
    answer = visit.page("operation.html", **shown)
    if operation.finished:
        answer.headers["HX-Reswap"] = "outerHTML"  # so that nothing asks any more
        if operation.state == "succeeded" and operation.kind in _LEADS:
            answer.headers["HX-Redirect"] = _LEADS[operation.kind](operation.request)
    return answer


async def _cancel(visit: Visit) -> Response:
    await visit.trusted_form()
    operation_id = OperationId(visit.request.path_params["id"])
    key: dict[str, Any] = {"workspace_id": visit.workspace_id, "operation_id": operation_id}
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        await check_seen(connection, **key, viewer=visit.viewer)
        await progress.cancel(connection, **key)
    return RedirectResponse(f"/console/operations/{operation_id}", 303)


async def _shown(visit: Visit, operation_id: OperationId) -> dict[str, Any]:
    workspace_id = visit.workspace_id
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    async with visit.ground.ledger.transaction(workspace_id) as connection:
        await check_seen(connection, **key, viewer=visit.viewer)
        operation = await progress.read(connection, **key)
        zone = (await workspace(connection, workspace_id)).time_zone
    return {
        "operation": operation,
        "done": percent_done(operation),
        "result_template": _RESULTS.get(operation.kind),
        "zone": zone,
    }
