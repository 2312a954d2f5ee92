"""Text templates: the list, one with its review, the form with its live count, and their ends."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.accounts.store import workspace
from textwave.console import template_preview_pages
from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.template_reading import (
    LONGEST_CONTENT,
    message_type,
    read_offered,
    read_templates,
)
from textwave.console.visit import Visit
from textwave.content import operations
from textwave.content.operations import NAME_MAX, REMARK_MAX, TemplateDraft
from textwave.content.states import TEMPLATE_STATES, TemplateEvent, TemplateState
from textwave.content.store import Template, template_named
from textwave.content.version_store import versions
from textwave.kit.refusal import Refusal
from textwave.wiring import links_url

_LIST: Final = "/console/templates"
_STATES: Final = tuple(state for state in TemplateState if state is not TemplateState.DELETED)
_LARGEST_FORM_BYTES: Final = 64_000


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/templates", page(_list), methods=["GET"]),
        Route("/templates/-/new", page(_new), methods=["GET"]),
        Route("/templates/-/new", page(_create), methods=["POST"]),
        Route("/templates/-/count", page(_count), methods=["POST"]),
        Route("/templates/{name}/edit", page(_edit), methods=["GET"]),
        Route("/templates/{name}/edit", page(_save), methods=["POST"]),
        Route("/templates/{name}/copy", page(_copy), methods=["GET"]),
        *template_preview_pages.routes(),
        Route("/templates/{name}/submit", page(_submit), methods=["POST"]),
        Route("/templates/{name}/delete", page(_ask_to_delete), methods=["GET"]),
        Route("/templates/{name}/delete", page(_delete), methods=["POST"]),
        Route("/templates/{name}", page(_show), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    state = visit.request.query_params.get("state", "")
    found = await read_templates(visit, state)
    return visit.page("templates.html", found=found, state=state, states=_STATES)


async def _new(visit: Visit) -> Response:
    return await _form(visit, {"type": "promotional"})


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    try:
        draft = TemplateDraft(
            name=text(form, "name"),
            type=message_type(form),
            platform=text(form, "platform"),
            content=_content(form),
            remark=text(form, "remark"),
        )
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.create_template(connection, draft=draft, **_by(visit))
            await _submit_if_asked(connection, visit, draft.name, form)
    except Refusal as refusal:
        return await _form(visit, form, problem=refusal.sentence)
    return RedirectResponse(named_address("templates", draft.name), 303)


async def _edit(visit: Visit) -> Response:
    template = await _template(visit)
    if template.state not in TEMPLATE_STATES.sources(TemplateEvent.EDIT):
        return RedirectResponse(named_address("templates", template.name), 303)
    return await _form(visit, _written(template), before=template)


async def _save(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    template = await _template(visit)
    kept = {**form, "platform": template.platform, "type": template.type}
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.edit_template(
                connection,
                name=template.name,
                content=_content(form),
                remark=text(form, "remark"),
                **_by(visit),
            )
            await _submit_if_asked(connection, visit, template.name, form)
    except Refusal as refusal:
        return await _form(visit, kept, before=template, problem=refusal.sentence)
    return RedirectResponse(named_address("templates", template.name), 303)


async def _copy(visit: Visit) -> Response:
    template = await _template(visit)
    return await _form(visit, _written(template) | {"name": ""})


async def _count(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    offered = await read_offered(visit, form)
    return visit.page("templates_count.html", offered=offered)


async def _submit(visit: Visit) -> Response:
    await visit.trusted_form()
    template = await _template(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.request_review(connection, name=template.name, **_by(visit))
    except Refusal as refusal:
        return await _page_of(visit, await _template(visit), refusal.sentence)
    return RedirectResponse(named_address("templates", template.name), 303)


async def _ask_to_delete(visit: Visit) -> Response:
    return visit.page("templates_delete.html", template=await _template(visit), problem="")


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    template = await _template(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.delete_template(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=template.name,
                now=visit.now,
            )
    except Refusal as refusal:
        values = {"template": template, "problem": refusal.sentence}
        return visit.page("templates_delete.html", 409, **values)
    return RedirectResponse(_LIST, 303)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, await _template(visit), "")


async def _page_of(visit: Visit, template: Template, problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        kept = await versions(connection, workspace_id=visit.workspace_id, template_id=template.id)
        zone = (await workspace(connection, visit.workspace_id)).time_zone
    values: dict[str, Any] = {
        "template": template,
        "versions": kept,
        "zone": zone,
        "offered": await read_offered(visit, _written(template)),
        "editable": template.state in TEMPLATE_STATES.sources(TemplateEvent.EDIT),
        "submittable": template.state in TEMPLATE_STATES.sources(TemplateEvent.SUBMIT),
        "problem": problem,
        "now": visit.now,
    }
    return visit.page("templates_template.html", 409 if problem else 200, **values)


async def _form(
    visit: Visit, given: Mapping[str, str], *, before: Template | None = None, problem: str = ""
) -> Response:
    values: dict[str, Any] = {
        "given": given,
        "before": before.name if before else "",
        "offered": await read_offered(visit, given),
        "longest": {"name": NAME_MAX, "remark": REMARK_MAX, "content": LONGEST_CONTENT},
        "problem": problem,
    }
    return visit.page("templates_form.html", 409 if problem else 200, **values)


async def _submit_if_asked(
    connection: Any, visit: Visit, name: str, form: Mapping[str, str]
) -> None:
    if form.get("then") == "submit":
        await operations.request_review(connection, name=name, **_by(visit))


async def _template(visit: Visit) -> Template:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await template_named(connection, workspace_id=visit.workspace_id, name=visit.name)


def _content(form: Mapping[str, str]) -> str:
    return text(form, "content").replace("\r\n", "\n")


def _written(template: Template) -> dict[str, str]:
    """Write a template into the form's fields."""
    return {
        "name": template.name,
        "type": template.type,
        "platform": template.platform,
        "content": template.content,
        "remark": template.remark,
    }


def _by(visit: Visit) -> dict[str, Any]:
    """Return who changes something, where and when."""
    return {
        "workspace_id": visit.workspace_id,
        "actor": visit.actor,
        "links_url": links_url(visit.ground.settings),
        "now": visit.now,
    }
