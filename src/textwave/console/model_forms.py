"""What the forms of models ask for, read into definitions, and what makes an audience of a part."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from textwave.audiences.rule import Rule, read_rule
from textwave.kit.refusal import InvalidValue
from textwave.models.aipl import STAGES, AiplDefinition, read_aipl
from textwave.models.definition import RfmDefinition, read_definition
from textwave.models.scoring import DIMENSIONS, MEASURES
from textwave.models.store import RFM, Model

BAND_ROWS: Final = 8
_PART_FIELDS: Final = ("types", "stages", "day", "from", "until", "was", "became")


def read_rfm(form: Mapping[str, str]) -> RfmDefinition:
    """Read an RFM model: from bands, rows of `recency_days_until_0` and so on, or from quantiles.

    Raises:
        ScoringMalformed, InvalidValue, RuleMalformed: with the place.
    """
    given: dict[str, Any] = {"table": form.get("table", "")}
    if form.get("scoring") == "bands":
        given["bands"] = {measure: _bands(form, measure) for measure in MEASURES}
    else:
        given["quantiles"] = _number(form, "quantiles")
    if form.get("baseline") == "numbers":
        given["baseline"] = [_number(form, f"baseline_{name}") for name in DIMENSIONS]
    elif form.get("scoring") == "bands":
        given["baseline"] = "mean"
    if form.get("last_days", "").strip():
        given["last_days"] = _number(form, "last_days")
    if form.get("where", "").strip():
        given["where"] = _json(form, "where")
    return read_definition(given)


def read_stages(form: Mapping[str, str]) -> AiplDefinition:
    """Read an AIPL model: a rule as JSON for each stage.

    Raises:
        InvalidValue, RuleMalformed: with the stage and the place in it.
    """
    given: dict[str, Any] = {
        "table": form.get("table", ""),
        "stages": {stage: _json(form, stage) for stage in STAGES},
    }
    if form.get("keep_days", "").strip():
        given["keep_days"] = _number(form, "keep_days")
    return read_aipl(given)


def part_fields(given: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that name a part of a model, for a form to keep."""
    return {name: given[name] for name in _PART_FIELDS if given.get(name)}


def rule_of_part(model: Model, given: Mapping[str, str]) -> Rule:
    """Return the rule that selects a part of a model: types, stages, or a move between stages.

    Raises:
        RuleMalformed: it names no part.
    """
    if model.kind == RFM:
        kind, lists, days = "rfm", ("types",), ()
    elif "was" in given:
        kind, lists, days = "aipl_flow", ("was", "became"), ("from", "until")
    else:
        kind, lists, days = "aipl", ("stages",), ("day",)
    rule: dict[str, Any] = {"kind": kind, "model": model.name}
    rule |= {name: given.get(name, "").split(",") for name in lists}
    return read_rule(rule | {name: given[name] for name in days if given.get(name)})


def _bands(form: Mapping[str, str], measure: str) -> Sequence[Sequence[float | None]]:
    rows: list[list[float | None]] = []
    for row in range(BAND_ROWS):
        until, score = f"{measure}_until_{row}", f"{measure}_score_{row}"
        if form.get(score, "").strip():
            bound = _number(form, until) if form.get(until, "").strip() else None
            rows.append([bound, _number(form, score)])
    return rows


def _number(form: Mapping[str, str], name: str) -> float:
    """Read a number; a whole one is an int."""
    text = form.get(name, "").strip()
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 16 else float(text)  # noqa: PLR2004 - exact
    except ValueError:
        raise InvalidValue(name, f"“{text[:40]}” is no number.") from None


def _json(form: Mapping[str, str], name: str) -> Any:
    text = form.get(name, "").strip()
    if not text:
        raise InvalidValue(name, "A rule is needed here.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(name, f"This is not JSON: {str(error)[:120]}.") from None
