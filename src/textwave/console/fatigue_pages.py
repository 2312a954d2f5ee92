"""The form of a fatigue rule: a new one, or one that is changed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from textwave.console.answering import page
from textwave.console.fields import text
from textwave.console.limit_reading import read_signatures
from textwave.console.visit import Visit
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.limits import operations as limits
from textwave.limits import store as limits_store
from textwave.limits.fatigue import HIGHEST_LIMIT, WINDOW_SECONDS
from textwave.limits.operations import RuleDraft, SignatureName
from textwave.limits.store import FatigueRule
from textwave.signatures.store import Signature

_LARGEST_FORM_BYTES: Final = 64_000


def routes() -> list[Route]:
    """Return the routes below /console."""
    return [
        Route("/limits/new-rule", page(_form), methods=["GET"]),
        Route("/limits/new-rule", page(_create), methods=["POST"]),
        Route("/limits/rules/{name:path}", page(_show), methods=["GET"]),
        Route("/limits/rules/{name:path}", page(_change), methods=["POST"]),
    ]


async def _form(visit: Visit) -> Response:
    return await _page_of(visit, "", {"whole": "yes"}, "")


async def _show(visit: Visit) -> Response:
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        rule = await limits.rule(connection, visit.workspace_id, visit.name)
    return await _page_of(visit, rule.name, _written(rule, await read_signatures(visit)), "")


async def _page_of(visit: Visit, name: str, given: Mapping[str, str], problem: str) -> Response:
    """Show the form; `name` is that of the rule which is changed, "" for a new one."""
    values: dict[str, Any] = {
        "rule": name,
        "given": given,
        "problem": problem,
        "windows": list(WINDOW_SECONDS),
        "signatures": await read_signatures(visit),
        "highest": HIGHEST_LIMIT,
    }
    return visit.page("limits_rule.html", 409 if problem else 200, **values)


async def _create(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    return await _keep(visit, "", form)


async def _change(visit: Visit) -> Response:
    form = await visit.trusted_form(_LARGEST_FORM_BYTES)
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        rule = await limits.rule(connection, visit.workspace_id, visit.name)
    return await _keep(visit, rule.name, form)


async def _keep(visit: Visit, name: str, form: Mapping[str, str]) -> Response:
    signatures = await read_signatures(visit)
    try:
        draft = _draft(name or text(form, "name"), form, signatures)
        async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
            if not name and await limits_store.rules(
                connection, visit.workspace_id, name=draft.name
            ):
                raise AlreadyExists("fatigue rule", draft.name)
            await limits.set_rule(
                connection,
                workspace_id=visit.workspace_id,
                actor=visit.actor,
                draft=draft,
                now=visit.now,
            )
    except Refusal as refusal:
        return await _page_of(visit, name, form, refusal.sentence)
    return RedirectResponse("/console/limits", 303)


def _draft(name: str, form: Mapping[str, str], signatures: Sequence[Signature]) -> RuleDraft:
    whole = form.get("whole") == "yes"
    named = [] if whole else [one for one in signatures if form.get(f"signature_{one.id}") == "yes"]
    limited = {window: _limit(form, window) for window in WINDOW_SECONDS}
    if not any(limited.values()):
        raise InvalidValue("limits", "are missing. Give a number for at least one window.")
    return RuleDraft(
        name=name,
        limits=limited,
        is_global=whole,
        signatures=[SignatureName(one.platform, one.name) for one in named],
    )


def _limit(form: Mapping[str, str], window: str) -> float | None:
    given = text(form, window)
    try:
        return float(given) if given else None
    except ValueError:
        raise InvalidValue(window, f"“{given[:20]}” is no number.") from None


def _written(rule: FatigueRule, signatures: Sequence[Signature]) -> dict[str, str]:
    """Write a rule into the form's fields."""
    counted = set(zip(rule.platforms, rule.signatures, strict=True))
    chosen = [one for one in signatures if (one.platform, one.name) in counted]
    limited = {window: getattr(rule, window) for window in WINDOW_SECONDS}
    return (
        {"whole": "yes" if rule.is_global else "no"}
        | {window: "" if limit is None else str(limit) for window, limit in limited.items()}
        | {f"signature_{one.id}": "yes" for one in chosen}
    )
