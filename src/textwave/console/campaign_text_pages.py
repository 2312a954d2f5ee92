"""A text for those whom a digital campaign did not reach because of their carrier, in one step.

The page says how many they are, asks for the text, and makes the draft; what is refused stands over
the form, which keeps what was chosen.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.campaigns import dropped_operations
from textwave.campaigns.dropped_operations import AskedText
from textwave.campaigns.operations import campaign
from textwave.campaigns.repeating import NEVER_AGAIN
from textwave.campaigns.store import Campaign
from textwave.console.addresses import campaign_address
from textwave.console.answering import page
from textwave.console.board import Board
from textwave.console.campaign_choices import Choices, read_choices, settled
from textwave.console.campaign_forms import NEW, read_draft
from textwave.console.operation_pages import operation_of
from textwave.console.reading import read_board
from textwave.console.visit import Visit
from textwave.kit.refusal import NotFound, Refusal
from textwave.plans.served import CARRIER_NOT_APPROVED
from textwave.platforms.contract import MessageType

_LARGEST_FORM_BYTES: Final = 64_000
_LONGEST_NAME: Final = 100
_TEXTS: Final = (MessageType.promotional, MessageType.notification)
_PAGE: Final = "/text-from-dropped"


def routes() -> list[Route]:
    """Return the routes below /console."""
    shown = "/campaigns/{name:path}" + _PAGE
    return [
        Route(shown, page(_form), methods=["GET"]),
        Route(shown, page(_make), methods=["POST"]),
    ]


async def _form(visit: Visit) -> Response:
    return await _ask(visit, {}, "")


async def _make(visit: Visit) -> Response:
    """Begin to make the draft; a form that only chooses is shown again."""
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    given = {name: value.replace("\0", "") for name, value in form.items()}
    if "redraw" in given:
        return await _ask(visit, given, "")
    try:
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            source = await campaign(connection, visit.workspace_id, visit.name)
            fields = _fields(source, given)
            choices = await read_choices(
                connection, visit.workspace_id, fields, viewer=visit.viewer, now=visit.now
            )
            operation_id = await dropped_operations.start_text(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                name=visit.name,
                asked=_asked(fields, choices),
                now=visit.now,
            )
    except NotFound as refusal:
        if refusal.kind == "campaign":
            raise
        return await _ask(visit, given, refusal.sentence)
    except Refusal as refusal:
        return await _ask(visit, given, refusal.sentence)
    address = campaign_address(visit.name, f"{_PAGE}?operation={operation_id}")
    return RedirectResponse(address, 303)


def _fields(source: Campaign, given: Mapping[str, str]) -> dict[str, str]:
    """Return the form's fields; what it does not say is as in the digital campaign."""
    name = source.name[: _LONGEST_NAME - 6] + ", text"
    said = {"name": name, "platform": source.platform, "signature": source.signature, **given}
    kind = said.get("type", "")
    return {**NEW, **said, "audience": source.audience} | {
        "type": kind if kind in _TEXTS else MessageType.promotional.value
    }


def _asked(fields: Mapping[str, str], choices: Choices) -> AskedText:
    """Read what text is wanted.

    Raises:
        InvalidValue: a field says nothing that could be sent.
    """
    draft = read_draft(fields, choices.variables)
    return AskedText(
        name=draft.name,
        template="" if draft.content else draft.template,
        content=draft.content,
        type=draft.type,
        platform=draft.platform,
        signature=draft.signature,
        variables=draft.variables,
        causes=[value for name, value in fields.items() if name.startswith("cause_")],
    )


async def _ask(visit: Visit, given: Mapping[str, str], problem: str) -> Response:
    board = await read_board(visit.ground.ledger, visit.workspace_id, visit.name)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        source = await campaign(connection, visit.workspace_id, visit.name)
        fields = _fields(source, given)
        choices = await read_choices(
            connection, visit.workspace_id, fields, viewer=visit.viewer, now=visit.now
        )
    operation = await operation_of(visit) or {
        "operation": None,
        "result_template": None,
        "done": None,
    }
    values: dict[str, Any] = {
        "board": board,
        "dropped": board.figures.drops.get(CARRIER_NOT_APPROVED, 0),
        "given": settled(fields, choices),
        "choices": choices,
        "types": [one.value for one in _TEXTS],
        "causes": _causes(board, given),
        "problem": problem,
    }
    return visit.page("campaign_text.html", 409 if problem else 200, **operation | values)


def _causes(board: Board, given: Mapping[str, str]) -> list[tuple[str, int, bool]]:
    """Return with what messages failed, and whether those people get the text as well."""
    chosen = {value for name, value in given.items() if name.startswith("cause_")}
    failures = board.figures.failures.items()
    return [
        (cause, count, cause in chosen) for cause, count in failures if cause not in NEVER_AGAIN
    ]
