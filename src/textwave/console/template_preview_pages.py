"""Previews of a template: its text as named customers would get it, and the worst of an audience.

Begins an operation of the worker and shows the form again with what was asked and what came of it.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.campaign_choices import Choices, read_choices, settled
from textwave.console.fields import text
from textwave.console.operation_pages import operation_of
from textwave.console.visit import Visit
from textwave.content.store import Template, template_named
from textwave.kit.refusal import NotFound, Refusal
from textwave.previews.operations import (
    MOST_CUSTOMERS,
    PREVIEW_TASK,
    AskedPreview,
    start_preview,
)
from textwave.storage.ledger import Connection
from textwave.storage.progress import Operation

_LARGEST_FORM_BYTES: Final = 64_000
_NO_OPERATION: Final = {"operation": None, "result_template": None, "done": None, "zone": ""}


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/templates/{name}/preview", page(_show), methods=["GET"]),
        Route("/templates/{name}/preview", page(_begin), methods=["POST"]),
    ]


async def _show(visit: Visit) -> Response:
    shown = await operation_of(visit)
    given = dict(visit.request.query_params)
    if shown is not None:
        operation: Operation = shown["operation"]
        if operation.kind != PREVIEW_TASK or operation.request["template"] != visit.name:
            raise NotFound("preview", str(operation.id))
        given = _asked_before(operation.request)
    return await _form(visit, given, shown=shown)


async def _begin(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    if "redraw" in form:
        return await _form(visit, form)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            template = await _template(connection, visit)
            choices = await _choices(connection, visit, template, form)
            operation_id = await start_preview(
                connection,
                workspace_id=visit.workspace_id,
                asked=_asked(template, form, choices),
                viewer=visit.viewer,
            )
    except Refusal as refusal:
        return await _form(visit, form, problem=refusal.sentence)
    address = named_address("templates", template.name, f"/preview?operation={operation_id}")
    return RedirectResponse(address, 303)


async def _form(
    visit: Visit,
    given: Mapping[str, str],
    *,
    shown: Mapping[str, Any] | None = None,
    problem: str = "",
) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        template = await _template(connection, visit)
        choices = await _choices(connection, visit, template, given)
    values: dict[str, Any] = {
        "template": template,
        "choices": choices,
        "given": settled(_fields(template, given, choices), choices),
        "most_customers": MOST_CUSTOMERS,
        "problem": problem,
    }
    status = 409 if problem else 200
    return visit.page("templates_preview.html", status, **{**(shown or _NO_OPERATION), **values})


async def _template(connection: Connection, visit: Visit) -> Template:
    return await template_named(connection, workspace_id=visit.workspace_id, name=visit.name)


async def _choices(
    connection: Connection, visit: Visit, template: Template, given: Mapping[str, str]
) -> Choices:
    """Return signatures, audiences, and the columns of the chosen audience's table.

    The audience that was last refreshed is chosen as long as none is.
    """
    fields = {
        "platform": template.platform,
        "type": template.type,
        "template": template.name,
        "audience": given.get("audience", "").replace("\0", ""),
    }
    viewing: dict[str, Any] = {"viewer": visit.viewer, "now": visit.now}
    choices = await read_choices(connection, visit.workspace_id, fields, **viewing)
    if fields["audience"]:
        return choices
    known = [one for one in choices.audiences if one.computed_at is not None]
    if not known:
        return choices
    newest = max(known, key=lambda one: one.computed_at or visit.now)
    fields["audience"] = newest.name
    return await read_choices(connection, visit.workspace_id, fields, **viewing)


def _fields(template: Template, given: Mapping[str, str], choices: Choices) -> dict[str, str]:
    """Return the form's fields; the audience whose columns are offered is the chosen one."""
    fields = {name: value.replace("\0", "") for name, value in given.items()}
    if not fields.get("audience") and choices.columns:
        known = [one for one in choices.audiences if one.computed_at is not None]
        fields["audience"] = max(known, key=lambda one: one.computed_at or choices.now).name
    return {**fields, "platform": template.platform}


def _asked(template: Template, form: Mapping[str, str], choices: Choices) -> AskedPreview:
    """Read what is asked for; a variable without a column is left to the preview's own rule."""
    typed = form.get("customers", "").replace("\0", "").replace("，", ",").replace(",", "\n")
    customers = [line.strip() for line in typed.splitlines() if line.strip()]
    sources = {name: _source(form, name) for name in choices.variables}
    return AskedPreview(
        template=template.name,
        audience=text(form, "audience"),
        customers=customers,
        signature=text(form, "signature"),
        variables={name: source for name, source in sources.items() if source["column"]},
    )


def _source(form: Mapping[str, str], name: str) -> dict[str, str]:
    missing = text(form, f"missing_{name}") or "drop"
    default = text(form, f"default_{name}") if missing == "default" else ""
    return {"column": text(form, f"column_{name}"), "missing": missing, "default": default}


def _asked_before(request: Mapping[str, Any]) -> dict[str, str]:
    """Write what was asked for into the form's fields."""
    fields: dict[str, str] = {
        "audience": request["audience"],
        "signature": request["signature"],
        "customers": "\n".join(request["customers"]),
    }
    for name, source in request["variables"].items():
        fields |= {f"{key}_{name}": value for key, value in source.items()}
    return fields
