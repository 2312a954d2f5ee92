"""The list of audiences, and the page of each: rule, size over time, people, what is done with it.

Whatever takes more than a moment is begun here and awaited by a fragment of `operation_pages`.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from textwave.audiences import comparison_operations, life_operations, operations, store
from textwave.console import operation_pages
from textwave.console.addresses import audience_address
from textwave.console.answering import page
from textwave.console.audience_reading import read_portrait, read_shelf
from textwave.console.pages import local
from textwave.console.visit import Visit
from textwave.downloads import operations as downloads
from textwave.downloads.writing import FileFormat
from textwave.kit.ids import OperationId
from textwave.kit.refusal import NotFound, Refusal
from textwave.profiles import operations as profiles
from textwave.storage.ledger import Connection

Begin = Callable[[Visit, Connection, dict[str, str]], Awaitable[OperationId]]
Change = Callable[[Visit, Connection, dict[str, str]], Awaitable[str]]
_MEDIA = {".csv": "text/csv; charset=utf-8", ".parquet": "application/vnd.apache.parquet"}


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/audiences/{name}"
    return [
        Route("/audiences", page(_list), methods=["GET"]),
        Route(shown, page(_show), methods=["GET"]),
        Route(f"{shown}/sizes", page(_sizes), methods=["GET"]),
        Route(f"{shown}/archive", page(_confirm_archive), methods=["GET"]),
        Route(f"{shown}/downloads/{{operation:int}}", page(_file), methods=["GET"]),
        *(
            Route(f"{shown}/{what}", page(partial(_begin, begin)), methods=["POST"])
            for what, begin in _BEGUN.items()
        ),
        *(
            Route(f"{shown}/{what}", page(partial(_change, change)), methods=["POST"])
            for what, change in _CHANGES.items()
        ),
    ]


async def _list(visit: Visit) -> Response:
    return visit.page("audiences.html", shelf=await read_shelf(visit))


async def _show(visit: Visit) -> Response:
    portrait = await read_portrait(visit)
    operation = await operation_pages.operation_of(visit) or {"operation": None}
    return visit.page("audience.html", **{**operation, "portrait": portrait, "problem": ""})


async def _sizes(visit: Visit) -> Response:
    """Return the sizes, oldest first, with times as the workspace's clocks show them."""
    portrait = await read_portrait(visit)
    points = [
        [local(snapshot.computed_at, portrait.zone), snapshot.size]
        for snapshot in reversed(portrait.history)
    ]
    return JSONResponse({"points": points})


async def _confirm_archive(visit: Visit) -> Response:
    return visit.page("audience_archive.html", portrait=await read_portrait(visit))


async def _begin(begin: Begin, visit: Visit) -> Response:
    """Begin work and answer with the fragment that waits for it, or with the refusal."""
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await begin(visit, connection, form)
    except NotFound:
        raise
    except Refusal as refusal:
        return visit.page("refusal.html", problem=refusal.sentence)
    return await operation_pages.begun(visit, operation_id)


async def _refresh(visit: Visit, connection: Connection, _: dict[str, str]) -> OperationId:
    return await operations.start_snapshot(
        connection, workspace_id=visit.workspace_id, name=visit.name, viewer=visit.viewer
    )


async def _preview(visit: Visit, connection: Connection, _: dict[str, str]) -> OperationId:
    found = await store.audience(connection, visit.workspace_id, visit.name, visit.viewer)
    return await operations.start_preview(
        connection,
        workspace_id=visit.workspace_id,
        table=found.definition.table,
        rule=found.definition.rule,
        audience=visit.name,
    )


async def _profile(visit: Visit, connection: Connection, form: dict[str, str]) -> OperationId:
    return await profiles.start_profile(
        connection,
        workspace_id=visit.workspace_id,
        name=visit.name,
        against=form.get("against") or None,
        viewer=visit.viewer,
    )


async def _overlap(visit: Visit, connection: Connection, form: dict[str, str]) -> OperationId:
    chosen = [value for name, value in form.items() if name.startswith("with_")]
    return await comparison_operations.start_comparison(
        connection,
        workspace_id=visit.workspace_id,
        names=[visit.name, *chosen],
        viewer=visit.viewer,
    )


async def _download(visit: Visit, connection: Connection, form: dict[str, str]) -> OperationId:
    form_of = {one.value: one for one in FileFormat}
    return await downloads.start_download(
        connection,
        workspace_id=visit.workspace_id,
        viewer=visit.viewer,
        name=visit.name,
        wanted=downloads.Wanted(
            form_of.get(form.get("format", ""), FileFormat.CSV),
            reveal_numbers=form.get("reveal") == "yes",
        ),
    )


_BEGUN: dict[str, Begin] = {
    "refresh": _refresh,
    "preview": _preview,
    "profile": _profile,
    "overlap": _overlap,
    "download": _download,
}


async def _file(visit: Visit) -> Response:
    operation_id = int(visit.request.path_params["operation"])
    if operation_id >= 2**63:
        raise HTTPException(404)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        path = await downloads.find_download(
            connection,
            workspace_id=visit.workspace_id,
            viewer=visit.viewer,
            name=visit.name,
            operation_id=OperationId(operation_id),
            folder=visit.ground.settings.shared_folder / "downloads",
        )
    return FileResponse(path, media_type=_MEDIA[path.suffix], filename=visit.name + path.suffix)


async def _change(change: Change, visit: Visit) -> Response:
    """Change the audience and go on to it, or show the refusal on its page."""
    form = await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            leads_to = await change(visit, connection, form)
    except NotFound:
        raise
    except Refusal as refusal:
        told = {"portrait": await read_portrait(visit), "problem": refusal.sentence}
        return visit.page("audience.html", 409, **told, operation=None)
    return RedirectResponse(leads_to, 303)


async def _copy(visit: Visit, connection: Connection, form: dict[str, str]) -> str:
    made = await life_operations.copy_audience(
        connection, **_named(visit), new_name=form.get("new_name", "")
    )
    return audience_address(made.name)


async def _archive(visit: Visit, connection: Connection, _: dict[str, str]) -> str:
    await life_operations.archive_audience(connection, **_named(visit))
    return "/console/audiences"


async def _unarchive(visit: Visit, connection: Connection, _: dict[str, str]) -> str:
    await life_operations.unarchive_audience(connection, **_named(visit))
    return audience_address(visit.name)


def _named(visit: Visit) -> dict[str, Any]:
    return {"workspace_id": visit.workspace_id, "viewer": visit.viewer, "name": visit.name}


_CHANGES: dict[str, Change] = {
    "copy": _copy,
    "archive": _archive,
    "unarchive": _unarchive,
}
