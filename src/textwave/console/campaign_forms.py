"""The form of a campaign: its fields read into a draft, a campaign shown as fields again.

Percentages are of the whole, times of day the workspace's. A figure that is none is refused; what
the product refuses is put beside the field that it is about.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Final, TypeVar

from textwave.audiences.particulars import AudienceArchived
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.effort import (
    DEFAULT_BUDGET_AFTER,
    DEFAULT_BUDGET_PERCENT,
    Effort,
    ErrorBudget,
    Priority,
)
from textwave.campaigns.shares import (
    MOST_EXCLUSIONS,
    MOST_VARIANTS,
    ChosenBy,
    Control,
    Shares,
    Variant,
    WinnerRule,
)
from textwave.campaigns.store import Campaign
from textwave.campaigns.timing import EVERY_DAY, LATE_MINUTES, LateRule, Timing, check_window
from textwave.content.variables import WhenMissing
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.limits.quiet import WhenQuiet

VARIANT_ROWS: Final = tuple(range(MOST_VARIANTS))
MOST_LISTED: Final = 1_000
NEW: Final[Mapping[str, str]] = {
    "type": "promotional",
    "numbers": "first",
    "texts": "one",
    "winner": "none",
    "test_percent": "20",
    "winner_minutes": "120",
    "control": "none",
    "control_percent": "10",
    "when": "now",
    "window": "any",
    "window_from": "09:00",
    "window_until": "21:00",
    "spread_minutes": "0",
    "late_minutes": str(LATE_MINUTES),
    "late_rule": LateRule.WINDOW.value,
    "quiet": WhenQuiet.WAIT.value,
    "priority": Priority.NORMAL.value,
    "budget_percent": str(DEFAULT_BUDGET_PERCENT),
    "budget_after": str(DEFAULT_BUDGET_AFTER),
    **{f"day_{day}": "yes" for day in EVERY_DAY},
    "variant_name_0": "A",
    "variant_name_1": "B",
}
"""What a new form says before anybody has filled it in."""
_Choice = TypeVar("_Choice", WhenQuiet, LateRule, Priority)
_PLACES: Final = (
    ("variables.", "variables"),
    ("control", "control"),
    ("variants", "variants"),
    ("winner", "winner"),
    ("exclude", "exclude"),
    ("schedule.late", "late"),
    ("window", "window"),
    ("error_budget", "budget"),
)
_OF_CODE: Final[Mapping[str, str]] = {
    "time_unfit": "at",
    "text_not_reviewed": "content",
    "text_not_acceptable": "content",
    "variable_without_source": "variables",
    "source_not_in_template": "variables",
    "column_unknown": "variables",
    "type_differs": "template",
    "shares_do_not_add_up": "variants",
    "clicks_not_counted": "winner",
    "other_table": "exclude",
    "audience_archived": "audience",
}
_FIELDS: Final = frozenset({"name", "platform", "signature", "template", "audience", "at"})


def read_draft(form: Mapping[str, str], variables: Sequence[str]) -> CampaignDraft:
    """Read a draft from the fields; `variables` are those of its templates.

    Raises:
        InvalidValue: a figure or a choice is none; `place` names the field.
    """
    shares = _shares(form)
    several = form.get("texts") == "several"
    template = shares.variants[0].template if shares.variants else form.get("template", "")
    if several and not shares.variants:
        raise InvalidValue("variants", "give two or more variants, each with a template.")
    for noun in ("platform", "signature", "audience"):
        if not form.get(noun):
            raise InvalidValue(noun, "choose one.")
    own = own_text(form)
    if not template and not own:
        raise InvalidValue("template", "choose one.")
    return CampaignDraft(
        name=form.get("name", "").strip(),
        type=form.get("type", ""),
        platform=form.get("platform", ""),
        signature=form.get("signature", ""),
        template=template,
        audience=form.get("audience", ""),
        variables={name: _source(form, name) for name in variables},
        numbers=form.get("numbers", "first"),
        timing=_timing(form),
        shares=shares,
        quiet=_choice(WhenQuiet, form, "quiet"),
        effort=_effort(form),
        content=own,
    )


def own_text(form: Mapping[str, str]) -> str:
    """Return the text that a form gives the campaign itself; empty: that of its template."""
    if form.get("texts") != "own":
        return ""
    return form.get("content", "").replace("\r\n", "\n").strip()


def _source(form: Mapping[str, str], name: str) -> dict[str, str]:
    missing = form.get(f"missing_{name}", WhenMissing.DROP.value)
    source = {"column": form.get(f"column_{name}", ""), "missing": missing}
    default = form.get(f"default_{name}", "")
    return source | ({"default": default} if missing == WhenMissing.DEFAULT else {})


def _shares(form: Mapping[str, str]) -> Shares:
    excluded = [form.get(f"exclude_{place}", "") for place in range(MOST_LISTED)]
    names = tuple(name for name in excluded if name)
    if len(names) > MOST_EXCLUSIONS:
        raise InvalidValue("exclude", f"names more than {MOST_EXCLUSIONS} audiences.")
    if form.get("texts") != "several":
        return Shares(exclude=names, control=_control(form))
    return Shares(names, _control(form), _variants(form), _winner(form))


def _control(form: Mapping[str, str]) -> Control | None:
    match form.get("control", "none"):
        case "share":
            return Control(share_milli=_milli(form, "control_percent", "control.share"))
        case "size":
            return Control(size=_whole(form, "control_size", "control.size"))
        case _:
            return None


def _variants(form: Mapping[str, str]) -> tuple[Variant, ...]:
    rows = [
        (form.get(f"variant_name_{row}", "").strip(), form.get(f"variant_template_{row}", ""), row)
        for row in VARIANT_ROWS
    ]
    variants: list[Variant] = []
    for name, template, row in rows:
        if not template:
            continue
        share = f"variant_share_{row}"
        milli = _milli(form, share, "variants.share") if form.get(share, "").strip() else 0
        variants.append(Variant(name or "ABCDE"[row], template, milli))
    return tuple(variants)


def _winner(form: Mapping[str, str]) -> WinnerRule | None:
    by = form.get("winner", "none")
    if by not in tuple(ChosenBy):
        return None
    minutes = _whole(form, "winner_minutes", "winner.after_minutes") if by == "clicks" else 120
    return WinnerRule(_milli(form, "test_percent", "winner.test_share"), by, minutes)


def _timing(form: Mapping[str, str]) -> Timing:
    at = form.get("at", "").strip()
    if form.get("when") == "at" and not at:
        raise InvalidValue("at", "is missing. Choose a day and a time.")
    own = form.get("window") == "own"
    days = [day for day in EVERY_DAY if form.get(f"day_{day}")]
    opens, closes = (_clock(form, name) if own else None for name in ("from", "until"))
    return Timing(
        at=at if form.get("when") == "at" else None,
        late_minutes=_whole(form, "late_minutes", "schedule.late_minutes"),
        late_rule=_choice(LateRule, form, "late_rule"),
        window=check_window(opens, closes, days if own else EVERY_DAY),
        spread_minutes=_whole(form, "spread_minutes", "spread_minutes"),
    )


def _clock(form: Mapping[str, str], end: str) -> time | None:
    text = form.get(f"window_{end}", "").strip()
    try:
        return time.fromisoformat(text) if text else None
    except ValueError:
        problem = f"“{text[:20]}” is no time of day. Write 09:00."
        raise InvalidValue(f"window.{end}", problem) from None


def _effort(form: Mapping[str, str]) -> Effort:
    percent = _whole(form, "budget_percent", "error_budget.percent")
    after = _whole(form, "budget_after", "error_budget.after")
    return Effort(_choice(Priority, form, "priority"), ErrorBudget(percent, after))


def _choice(kind: type[_Choice], form: Mapping[str, str], name: str) -> _Choice:
    given = form.get(name, NEW[name])
    if given not in tuple(kind):
        raise InvalidValue(name, f"“{given[:40]}” is none of: {', '.join(kind)}.")
    return kind(given)


def _whole(form: Mapping[str, str], name: str, place: str) -> int:
    text = form.get(name, NEW.get(name, "")).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - fits anywhere
        raise InvalidValue(place, f"“{text[:40]}” is no whole number.")
    return int(text)


def _milli(form: Mapping[str, str], name: str, place: str) -> int:
    """Read a percentage as thousandths of the whole."""
    text = form.get(name, "").strip()
    try:
        percent = float(text)
    except ValueError:
        raise InvalidValue(place, f"“{text[:40]}” is no percentage.") from None
    if not 0 < percent <= 100:  # noqa: PLR2004 - percent
        raise InvalidValue(place, f"“{text[:40]}” is not between 0.1 and 100 percent.")
    return round(percent * 10)


def fields_of(campaign: Campaign) -> dict[str, str]:
    """Return the fields of a form that say what a campaign says."""
    return {
        **{name: value for name, value in NEW.items() if not name.startswith(("day_", "variant"))},
        "name": campaign.name,
        "type": campaign.type,
        "platform": campaign.platform,
        "signature": campaign.signature,
        "template": campaign.template,
        "audience": campaign.audience,
        "numbers": campaign.numbers,
        "quiet": campaign.quiet,
        "priority": campaign.priority.value,
        "budget_percent": str(campaign.error_budget.percent),
        "budget_after": str(campaign.error_budget.after),
        "texts": "own" if campaign.own_text else "one",
        **_source_fields(campaign),
        **_share_fields(campaign),
        **_time_fields(campaign),
    }


def _source_fields(campaign: Campaign) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, source in campaign.variables.items():
        for part, default in (("column", ""), ("missing", "drop"), ("default", "")):
            fields[f"{part}_{name}"] = str(source.get(part, default))
    return fields


def _share_fields(campaign: Campaign) -> dict[str, str]:
    fields = {f"exclude_{place}": name for place, name in enumerate(campaign.exclude)}
    if campaign.control_share_milli:
        fields |= {"control": "share", "control_percent": _percent(campaign.control_share_milli)}
    elif campaign.control_size:
        fields |= {"control": "size", "control_size": str(campaign.control_size)}
    for row, variant in enumerate(campaign.variants):
        fields["texts"] = "several"
        fields[f"variant_name_{row}"] = variant["name"]
        fields[f"variant_template_{row}"] = variant["template"]
        fields[f"variant_share_{row}"] = f"{float(variant['share']) * 100:g}"
    if campaign.winner_by is not None and campaign.test_share_milli is not None:
        fields |= {
            "winner": campaign.winner_by,
            "test_percent": _percent(campaign.test_share_milli),
        }
        if campaign.winner_after_minutes is not None:
            fields["winner_minutes"] = str(campaign.winner_after_minutes)
    if not campaign.variants:
        fields |= {"variant_name_0": "A", "variant_name_1": "B"}
    return fields


def _time_fields(campaign: Campaign) -> dict[str, str]:
    fields = {
        "spread_minutes": str(campaign.spread_minutes),
        "late_minutes": str(campaign.late_minutes),
        "late_rule": campaign.late_rule,
    }
    at = campaign.schedule.at
    if at is not None:
        fields |= {"when": "at", "at": f"{at:%Y-%m-%dT%H:%M}"}
    window = campaign.window
    if window is not None:
        fields |= {"window": "own", "window_from": window["from"] or ""}
        fields["window_until"] = window["until"] or ""
    days = EVERY_DAY if window is None else window["days"]
    return fields | {f"day_{day}": "yes" for day in days}


def _percent(milli: int) -> str:
    return f"{milli / 10:g}"


def field_of(refusal: Refusal, form: Mapping[str, str]) -> str:
    """Return the part of the form that a refusal is about; what is of no field is of the text."""
    excluded = {value for name, value in form.items() if name.startswith("exclude_")}
    if isinstance(refusal, AudienceArchived) and refusal.audience in excluded:
        return "exclude"
    if isinstance(refusal, NotFound) and refusal.kind == "audience" and refusal.name in excluded:
        return "exclude"
    if isinstance(refusal, NotFound):
        return refusal.kind if refusal.kind in _FIELDS else "template"
    if isinstance(refusal, AlreadyExists):
        return "name"
    if isinstance(refusal, InvalidValue):
        found = next((part for start, part in _PLACES if refusal.place.startswith(start)), "")
        return found or refusal.place
    found = _OF_CODE.get(refusal.code, "template")
    return "template" if found == "content" and form.get("texts") != "own" else found
