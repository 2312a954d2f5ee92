"""Digital templates: the list, one with its carriers, the editor of its parts, and their ends.

The editor is drawn by the server: each step sends the form and gets the parts back, so that it
works without a script as well, only with more of the page.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.console.addresses import named_address
from textwave.console.answering import page
from textwave.console.digital_reading import (
    Editor,
    draft_from,
    moved,
    part_at,
    read_digital,
    read_editor,
    read_parts,
    written,
)
from textwave.console.material_pages import content_of, thumbnail_of
from textwave.console.material_reading import librarian
from textwave.console.visit import Visit
from textwave.content.operations import REMARK_MAX
from textwave.content.states import TEMPLATE_STATES, TemplateEvent
from textwave.content.version_store import versions
from textwave.digital import operations, store
from textwave.digital.operations import NAME_MAX, Surroundings
from textwave.digital.parts import (
    LARGEST_BYTES,
    LONGEST_PART,
    LONGEST_SUBJECT,
    SMALLEST_BYTES,
    MaterialPart,
    Part,
)
from textwave.digital.store import DigitalTemplate
from textwave.kit.refusal import Refusal
from textwave.materials.kinds import Kind
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

_LIST: Final = "/console/digital"
_LARGEST_FORM_BYTES: Final = 200_000
_ENDS: Final = ("keep", "submit")
"""What a form is sent with when it is to be kept; everything else is a step of editing."""


def routes() -> list[Route]:
    """Return the routes below /console."""
    one = "/digital/{name:path}"
    return [
        Route("/digital", page(_list), methods=["GET"]),
        Route("/digital/-/new", page(_new), methods=["GET"]),
        Route("/digital/-/new", page(_create), methods=["POST"]),
        Route("/digital/-/parts", page(_parts), methods=["POST"]),
        Route("/digital/-/check", page(_check), methods=["POST"]),
        Route(f"{one}/parts/{{place:int}}", page(_part), methods=["GET"]),
        Route(f"{one}/edit", page(_edit), methods=["GET"]),
        Route(f"{one}/edit", page(_save), methods=["POST"]),
        Route(f"{one}/copy", page(_copy), methods=["GET"]),
        Route(f"{one}/submit", page(_submit), methods=["POST"]),
        Route(f"{one}/delete", page(_ask_to_delete), methods=["GET"]),
        Route(f"{one}/delete", page(_delete), methods=["POST"]),
        Route(one, page(_show), methods=["GET"]),
    ]


async def _list(visit: Visit) -> Response:
    return visit.page("digital.html", found=await read_digital(visit))


async def _new(visit: Visit) -> Response:
    return await _form(visit, {"text_0": ""})


async def _create(visit: Visit) -> Response:
    form = await _given(visit)
    if form.get("then") not in _ENDS:
        return await _form(visit, form)
    try:
        draft = draft_from(form)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.create_digital(connection, _around(visit), draft)
            await _submit_if_asked(connection, visit, draft.name, form)
    except Refusal as refusal:
        return await _form(visit, form, problem=refusal.sentence)
    return RedirectResponse(named_address("digital", draft.name), 303)


async def _edit(visit: Visit) -> Response:
    template = await _template(visit)
    if template.row.state not in TEMPLATE_STATES.sources(TemplateEvent.EDIT):
        return RedirectResponse(named_address("digital", template.row.name), 303)
    return await _form(visit, written(template), before=template)


async def _save(visit: Visit) -> Response:
    form = await _given(visit)
    template = await _template(visit)
    name, kept = template.row.name, {**form, "platform": template.row.platform}
    if form.get("then") not in _ENDS:
        return await _form(visit, kept, before=template)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.edit_digital(connection, _around(visit), draft_from(form, name))
            await _submit_if_asked(connection, visit, name, form)
    except Refusal as refusal:
        return await _form(visit, kept, before=template, problem=refusal.sentence)
    return RedirectResponse(named_address("digital", name), 303)


async def _copy(visit: Visit) -> Response:
    template = await _template(visit)
    return await _form(visit, written(template) | {"name": ""})


async def _parts(visit: Visit) -> Response:
    """Answer a step of editing with the parts as they are then."""
    return await _fragment(visit, "digital_editor.html")


async def _check(visit: Visit) -> Response:
    """Answer what is typed with how it looks, and what is wrong with it."""
    return await _fragment(visit, "digital_checked.html")


async def _fragment(visit: Visit, template: str) -> Response:
    given = await _given(visit)
    before = None
    if edited := given.get("before", ""):
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            before = await store.digital_template(connection, visit.workspace_id, edited)
    return visit.page(template, **await _editor_values(visit, given, before))


async def _given(visit: Visit) -> dict[str, str]:
    """Read the form after the step of editing that it asks for."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    given = {name.replace("\0", ""): value.replace("\0", "") for name, value in form.items()}
    if given.get("act"):
        parts = moved(read_parts(given), given["act"])
        left = {name: value for name, value in given.items() if not _is_part(name)}
        return left | {f"{_field(part)}_{place}": _value(part) for place, part in enumerate(parts)}
    return given


def _is_part(name: str) -> bool:
    return name.startswith(("text_", "material_"))


def _field(part: Part) -> str:
    return "material" if isinstance(part, MaterialPart) else "text"


def _value(part: Part) -> str:
    return part.material if isinstance(part, MaterialPart) else part.text


async def _editor_values(
    visit: Visit, given: Mapping[str, str], before: DigitalTemplate | None
) -> dict[str, Any]:
    editor: Editor = await read_editor(visit, given, before)
    return {
        "given": given,
        "editor": editor,
        "before": before.row.name if before else "",
        "kinds": list(Kind),
        "sizes": {"least": SMALLEST_BYTES, "most": LARGEST_BYTES},
        "longest_part": LONGEST_PART,
        "added": given.get("act", "") == "text",
    }


async def _form(
    visit: Visit,
    given: Mapping[str, str],
    *,
    before: DigitalTemplate | None = None,
    problem: str = "",
) -> Response:
    values = await _editor_values(visit, given, before) | {
        "longest": {"name": NAME_MAX, "subject": LONGEST_SUBJECT, "remark": REMARK_MAX},
        "problem": problem,
    }
    return visit.page("digital_form.html", 409 if problem else 200, **values)


async def _submit(visit: Visit) -> Response:
    await visit.trusted_form()
    template = await _template(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.submit_digital(connection, _around(visit), name=template.row.name)
    except Refusal as refusal:
        return await _page_of(visit, await _template(visit), refusal.sentence)
    return RedirectResponse(named_address("digital", template.row.name), 303)


async def _ask_to_delete(visit: Visit) -> Response:
    return visit.page("digital_delete.html", template=await _template(visit), problem="")


async def _delete(visit: Visit) -> Response:
    await visit.trusted_form()
    template = await _template(visit)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await operations.delete_digital(connection, _around(visit), name=template.row.name)
    except Refusal as refusal:
        values = {"template": template, "problem": refusal.sentence}
        return visit.page("digital_delete.html", 409, **values)
    return RedirectResponse(_LIST, 303)


async def _show(visit: Visit) -> Response:
    return await _page_of(visit, await _template(visit), "")


async def _page_of(visit: Visit, template: DigitalTemplate, problem: str) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        kept = await versions(
            connection, workspace_id=visit.workspace_id, template_id=template.row.id
        )
    state = template.row.state
    values: dict[str, Any] = {
        "template": template,
        "versions": [(one, json.loads(one.content)) for one in kept],
        "editable": state in TEMPLATE_STATES.sources(TemplateEvent.EDIT),
        "submittable": state in TEMPLATE_STATES.sources(TemplateEvent.SUBMIT),
        "size_bytes": sum(
            one.size_bytes or len((one.text or "").encode()) for one in template.parts
        ),
        "problem": problem,
        "now": visit.now,
    }
    return visit.page("digital_template.html", 409 if problem else 200, **values)


async def _part(visit: Visit) -> Response:
    """Answer with the file of a part: who sees the template sees what it is made of."""
    found = part_at(await _template(visit), visit.request.path_params["place"])
    if found is None or found.material_id is None or found.suffix is None:
        raise HTTPException(404)
    if "small" in visit.request.query_params:
        return await thumbnail_of(visit, found.material_id, found.material or "")
    return await content_of(visit, found.material_id, found.suffix)


async def _submit_if_asked(
    connection: Connection, visit: Visit, name: str, form: Mapping[str, str]
) -> None:
    if form.get("then") == "submit":
        await operations.submit_digital(connection, _around(visit), name=name)


async def _template(visit: Visit) -> DigitalTemplate:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        return await store.digital_template(connection, visit.workspace_id, visit.name)


def _around(visit: Visit) -> Surroundings:
    """Return who changes something, where and when."""
    settings = visit.ground.settings
    return Surroundings(visit.workspace_id, librarian(visit), links_url(settings), visit.now)
