"""The models: their list, RFM types and scores, AIPL stages and flows, and audiences of a part."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.audiences.operations import create_audience, start_snapshot
from textwave.audiences.sentence import chinese, english
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.model_forms import (
    BAND_ROWS,
    part_fields,
    read_rfm,
    read_stages,
    rule_of_part,
)
from textwave.console.model_reading import (
    ShownModel,
    read_model,
    read_models,
    tables_of_kinds,
    thresholds,
    type_lines,
    warmth,
)
from textwave.console.operation_pages import operation_of
from textwave.console.refreshing import read_refresh, shown_refresh
from textwave.console.visit import Visit
from textwave.customers.columns import TableKind
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.models import aipl_operations, operations
from textwave.models.aipl import STAGES
from textwave.models.definition import KINDS
from textwave.models.operations import Days
from textwave.models.scoring import MEASURES
from textwave.models.store import AIPL, RFM

_LARGEST_FORM_BYTES: Final = 400_000
_RULE_OF_ALL: Final = '{"kind": "all", "of": []}'


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/models/{name}"
    return [
        Route("/models", page(_list), methods=["GET"]),
        Route("/models/new/{kind}", page(_form), methods=["GET"]),
        Route("/models/new/{kind}", page(_create), methods=["POST"]),
        Route(shown, page(_model), methods=["GET"]),
        Route(f"{shown}/refresh", page(_refresh), methods=["POST"]),
        Route(f"{shown}/flow", page(_flow), methods=["GET"]),
        Route(f"{shown}/flow", page(_begin_flow), methods=["POST"]),
        Route(f"{shown}/audience", page(_audience_form), methods=["GET"]),
        Route(f"{shown}/audience", page(_make_audience), methods=["POST"]),
        Route(f"{shown}/delete", page(_confirm_delete), methods=["GET"]),
        Route(f"{shown}/delete", page(_delete), methods=["POST"]),
    ]


async def _list(visit: Visit) -> Response:
    models, zone = await read_models(visit.ground.ledger, visit.workspace_id)
    return visit.page("models.html", models=models, zone=zone)


async def _model(visit: Visit) -> Response:
    return await _page_of(visit, "")


async def _page_of(visit: Visit, problem: str) -> Response:
    shown = await read_model(visit.ground.ledger, visit.workspace_id, visit.name)
    operation = await operation_of(visit) or {"operation": None}
    values = operation | {"shown": shown, "zone": shown.zone, "problem": problem}
    status = 409 if problem else 200
    if shown.model.kind == AIPL:
        return visit.page("models_aipl.html", status, **values | {"stages": STAGES})
    return visit.page("models_rfm.html", status, **values | _rfm_values(visit, shown))


def _rfm_values(visit: Visit, shown: ShownModel) -> dict[str, Any]:
    result = shown.model.result
    if result is None:
        return {}
    frequencies, rows = warmth(result)
    types = type_lines(result, visit.language)
    return {
        "types": types,
        "type_figures": [
            {"name": f"{one.name} {one.letters}", "letters": one.letters}
            | {size: getattr(one, size) for size in ("users", "amount", "orders")}
            for one in types
        ],
        "frequencies": frequencies,
        "rows": rows,
        "thresholds": thresholds(result),
    }


async def _refresh(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        days = Days(_day(form, "until"), _day(form, "from")) if "from" in form else None
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await operations.start_refresh(
                connection,
                workspace_id=visit.workspace_id,
                name=visit.name,
                now=visit.now,
                days=days,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _page_of(visit, refusal.sentence)
    address = named_address("models", visit.name)
    return RedirectResponse(f"{address}?operation={operation_id}", 303)


async def _flow(visit: Visit) -> Response:
    return await _flow_page(visit, {}, "")


async def _flow_page(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    shown = await read_model(visit.ground.ledger, visit.workspace_id, visit.name)
    if shown.model.kind != AIPL:
        raise NotFound("AIPL model", visit.name)
    operation = await operation_of(visit) or {"operation": None}
    values = {"shown": shown, "given": given, "problem": problem, "zone": shown.zone}
    return visit.page("models_flows.html", 409 if problem else 200, **operation | values)


async def _begin_flow(visit: Visit) -> Response:
    form = await visit.trusted_form()
    try:
        first, last = _day(form, "from"), _day(form, "until")
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            operation_id = await aipl_operations.start_flow(
                connection,
                workspace_id=visit.workspace_id,
                name=visit.name,
                first=first,
                last=last,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _flow_page(visit, form, refusal.sentence)
    address = named_address("models", visit.name, "/flow")
    return RedirectResponse(f"{address}?operation={operation_id}", 303)


def _day(form: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError:
        raise InvalidValue(name, "A day is needed, written as 2026-03-01.") from None


async def _audience_form(visit: Visit) -> Response:
    return await _audience_page(visit, dict(visit.request.query_params), "")


async def _audience_page(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    shown = await read_model(visit.ground.ledger, visit.workspace_id, visit.name)
    rule = rule_of_part(shown.model, given)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        roots = await tables_of_kinds(connection, visit.workspace_id, TableKind.CUSTOMERS)
    if shown.model.kind == AIPL:
        roots = [table for table in roots if table.name == shown.model.definition["table"]]
    table = given.get("table") or (roots[0].name if roots else "")
    in_words = chinese if visit.language == "zh_CN" else english
    values = {
        "model": shown.model,
        "part": part_fields(given),
        "roots": roots,
        "table": table,
        "sentence": in_words(rule, table=table),
        "name": given.get("name", ""),
        "problem": problem,
    }
    return visit.page("models_audience.html", 409 if problem else 200, **values)


async def _make_audience(visit: Visit) -> Response:
    form = await visit.trusted_form()
    shown = await read_model(visit.ground.ledger, visit.workspace_id, visit.name)
    rule = rule_of_part(shown.model, form)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await create_audience(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=form.get("name", ""),
                table=form.get("table", ""),
                rule=rule,
                viewer=visit.viewer,
            )
            await start_snapshot(
                connection, workspace_id=visit.workspace_id, name=made.name, viewer=visit.viewer
            )
    except Refusal as refusal:
        return await _audience_page(visit, form, refusal.sentence)
    return RedirectResponse(named_address("audiences", made.name), 303)


async def _form(visit: Visit) -> Response:
    return await _form_page(visit, {}, "")


async def _form_page(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    kind = str(visit.request.path_params["kind"])
    if kind not in (RFM, AIPL):
        raise HTTPException(404)
    kinds = KINDS if kind == RFM else (TableKind.CUSTOMERS,)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        tables = await tables_of_kinds(connection, visit.workspace_id, *kinds)
    values = {
        "tables": tables,
        "given": given,
        "problem": problem,
        "measures": MEASURES,
        "band_rows": range(BAND_ROWS),
        "stages": STAGES,
        "rule_of_all": _RULE_OF_ALL,
        "refresh": shown_refresh(read_refresh(given)),
    }
    return visit.page(f"models_new_{kind}.html", 409 if problem else 200, **values)


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    kind = str(visit.request.path_params["kind"])
    try:
        definition = read_rfm(form) if kind == RFM else read_stages(form)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await operations.create_model(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=form.get("name", ""),
                definition=definition,
                now=visit.now,
                refresh=read_refresh(form),
                viewer=visit.viewer,
            )
            operation_id = await operations.start_refresh(
                connection, workspace_id=visit.workspace_id, name=made.name, now=visit.now
            )
    except Refusal as refusal:
        return await _form_page(visit, form, refusal.sentence)
    address = named_address("models", made.name)
    return RedirectResponse(f"{address}?operation={operation_id}", 303)


async def _confirm_delete(visit: Visit) -> Response:
    return await _asked(visit, "")


async def _asked(visit: Visit, problem: str) -> Response:
    shown = await read_model(visit.ground.ledger, visit.workspace_id, visit.name)
    status = 409 if problem else 200
    return visit.page("models_delete.html", status, model=shown.model, problem=problem)


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.delete_model(
                connection, workspace_id=visit.workspace_id, actor=visit.actor, name=visit.name
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return await _asked(visit, refusal.sentence)
    return RedirectResponse("/console/models", 303)
