"""Writing a campaign in the browser: the form, new and for editing, and what it offers meanwhile.

When a choice changes what else can be chosen, the form is asked for anew with what it says so far;
a refusal stands beside its field, and nothing that was typed is lost.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import campaign, create_campaign
from textwave.campaigns.schedule_operations import edit_campaign
from textwave.console.addresses import campaign_address
from textwave.console.answering import page
from textwave.console.campaign_choices import read_choices, settled, with_first_variant
from textwave.console.campaign_forms import NEW, VARIANT_ROWS, field_of, fields_of, read_draft
from textwave.console.visit import Visit
from textwave.kit.refusal import Refusal
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

LARGEST_FORM_BYTES: Final = 200_000
EDITABLE: Final = ("draft", "rejected", "scheduled")


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/campaigns/{name:path}"
    return [
        Route("/campaigns/-/new", page(_new), methods=["GET"]),
        Route("/campaigns/-/new", page(_create), methods=["POST"]),
        Route(f"{shown}/edit", page(_edit), methods=["GET"]),
        Route(f"{shown}/edit", page(_save), methods=["POST"]),
    ]


async def _new(visit: Visit) -> Response:
    asked = visit.request.query_params.get("audience", "")
    return await _form(visit, {**NEW, "audience": asked})


async def _create(visit: Visit) -> Response:
    form = await _given(visit)
    if "redraw" in form:
        return await _form(visit, with_first_variant(form))
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            made = await create_campaign(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                draft=await _draft(visit, connection, form),
                links_url=links_url(visit.ground.settings),
                now=visit.now,
                viewer=visit.viewer,
            )
    except Refusal as refusal:
        return await _form(visit, form, refusal=refusal)
    return RedirectResponse(_following(made.name, form), 303)


async def _edit(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await campaign(connection, visit.workspace_id, visit.name)
    if found.state not in EDITABLE:
        return RedirectResponse(campaign_address(visit.name), 303)
    return await _form(visit, fields_of(found), before=visit.name)


async def _save(visit: Visit) -> Response:
    form = await _given(visit)
    if "redraw" in form:
        return await _form(visit, with_first_variant(form), before=visit.name)
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            await campaign(connection, visit.workspace_id, visit.name)
            edited = await edit_campaign(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                draft=await _draft(visit, connection, form),
                links_url=links_url(visit.ground.settings),
                now=visit.now,
                viewer=visit.viewer,
            )
    except Refusal as refusal:
        return await _form(visit, form, before=visit.name, refusal=refusal)
    return RedirectResponse(_following(edited.name, form), 303)


async def _given(visit: Visit) -> dict[str, str]:
    """Read the form without what no column of a database holds."""
    form = await visit.trusted_form(LARGEST_FORM_BYTES)
    return {name.replace("\0", ""): value.replace("\0", "") for name, value in form.items()}


async def _draft(visit: Visit, connection: Connection, form: Mapping[str, str]) -> CampaignDraft:
    """Read the draft of a form, with the variables that its templates have now."""
    choices = await read_choices(
        connection, visit.workspace_id, form, viewer=visit.viewer, now=visit.now
    )
    return read_draft(form, choices.variables)


def _following(name: str, form: Mapping[str, str]) -> str:
    return campaign_address(name, "/recur" if form.get("when") == "again" else "")


async def _form(
    visit: Visit,
    given: Mapping[str, str],
    *,
    before: str = "",
    refusal: Refusal | None = None,
) -> Response:
    """Show the form with what it says; `before` is the name of the campaign that is edited."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        choices = await read_choices(
            connection, visit.workspace_id, given, viewer=visit.viewer, now=visit.now
        )
    values: dict[str, Any] = {
        "given": settled(given, choices),
        "choices": choices,
        "rows": VARIANT_ROWS,
        "before": before,
        "excluded": {value for name, value in given.items() if name.startswith("exclude_")},
        "problem": refusal.sentence if refusal else "",
        "place": field_of(refusal, given) if refusal else "",
    }
    return visit.page("campaign_form.html", 409 if refusal else 200, **values)
