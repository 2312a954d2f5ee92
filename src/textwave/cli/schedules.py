"""`textwave campaign schedule|unschedule|edit|delete`, and `textwave recurrence`."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.effort import ErrorBudget, ErrorBudgetAfter, Priority, effort_body
from textwave.cli.options import AsJson, Limit, Quiet, read_source
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.cli.timing import (
    At,
    LateMinutes,
    LateRule,
    SendingWindow,
    Spread,
    WindowDays,
    given,
    read_days,
    timing_body,
)

_EDITED: Final = ("name", "type", "platform", "signature", "template", "audience", "variables",
                  "numbers", "schedule", "window", "spread_minutes", "exclude", "control",
                  "variants", "winner", "seed", "priority", "error_budget", "quiet")  # fmt: skip
_SHOWN: Final = ("name", "state", "sentence", "starts_on", "ends_on", "runs", "max_runs")
_RUNS: Final = ("due_at", "begins_at", "state", "campaign", "campaign_state", "reason")
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
recurrences = typer.Typer(help="Campaigns that are sent again and again.", no_args_is_help=True)
Variables = Annotated[
    list[str] | None,
    typer.Option(help="name=column[:default=text|:empty|:drop]; repeatable."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def schedule(
    name: str,
    at: Annotated[str, typer.Option(help="2026-12-01T09:00 in the workspace's time.")],
    late_minutes: LateMinutes = None,
    late_rule: LateRule = None,
    as_json: AsJson = False,
) -> None:
    """Give a campaign a time, or another one; possible until five minutes before."""
    said = given({"at": at, "late_minutes": late_minutes, "late_rule": late_rule})
    moved = open_api().post(f"/api/campaigns/{segment(name)}/schedule", said)
    tell_state(moved, as_json=as_json)


def unschedule(name: str, as_json: AsJson = False) -> None:
    """Take a campaign off its time: it is a draft again."""
    moved = open_api().post(f"/api/campaigns/{segment(name)}/unschedule")
    tell_state(moved, as_json=as_json)


def edit(
    name: str,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    platform: Annotated[str | None, typer.Option()] = None,
    signature: Annotated[str | None, typer.Option()] = None,
    template: Annotated[str | None, typer.Option()] = None,
    audience: Annotated[str | None, typer.Option()] = None,
    variable: Variables = None,
    numbers: Annotated[str | None, typer.Option(help="first, latest or all.")] = None,
    quiet: Annotated[str | None, typer.Option(help="In quiet hours: wait or drop.")] = None,
    priority: Priority = None,
    error_budget: ErrorBudget = None,
    error_budget_after: ErrorBudgetAfter = None,
    at: At = None,
    late_minutes: LateMinutes = None,
    late_rule: LateRule = None,
    window: SendingWindow = None,
    window_days: WindowDays = None,
    spread: Spread = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change a draft, a rejected or a scheduled campaign; what is not given stays as it is."""
    api = open_api()
    path = f"/api/campaigns/{segment(name)}"
    known = api.get(path)
    changes: dict[str, Any] = given(
        {
            "name": new_name, "platform": platform, "signature": signature, "template": template,
            "audience": audience, "numbers": numbers, "quiet": quiet,
            "variables": dict(read_source(one) for one in variable) if variable else None,
        }
    )  # fmt: skip
    changes |= timing_body(
        at=at, late_minutes=late_minutes, late_rule=late_rule, window=window,
        window_days=window_days, spread=spread,
    ) | effort_body(
        priority=priority, error_budget=error_budget, error_budget_after=error_budget_after
    )  # fmt: skip
    if "error_budget" in changes:
        changes["error_budget"] = known["error_budget"] | changes["error_budget"]
    if "schedule" in changes:
        changes["schedule"] = known["schedule"] | changes["schedule"]
    if known["state"] == "scheduled":
        _confirm(f"“{name}” starts at {known['schedule']['starts_at']}. Change it?", yes=yes)
    body = {field: known[field] for field in _EDITED if field in known} | changes
    tell_state(api.put(path, body), as_json=as_json)


def delete(name: str, yes: Yes = False) -> None:
    """Delete a draft, a rejected or a scheduled campaign."""
    _confirm(f"Delete the campaign “{name}”?", yes=yes)
    open_api().delete(f"/api/campaigns/{segment(name)}")
    print(f"“{name}” is deleted.")


@recurrences.command("create")
def create_recurrence(
    name: str,
    platform: Annotated[str, typer.Option()],
    signature: Annotated[str, typer.Option()],
    template: Annotated[str, typer.Option()],
    audience: Annotated[str, typer.Option()],
    every: Annotated[str, typer.Option(help="day, week or month.")],
    at: Annotated[str, typer.Option(help="09:00, in the workspace's time.")],
    on: Annotated[
        str | None, typer.Option(help="Weekdays, such as mon,thu; of a month with --nth.")
    ] = None,
    day: Annotated[
        int | None, typer.Option(min=1, max=31, help="Day of the month; 31: its last.")
    ] = None,
    nth: Annotated[
        str | None, typer.Option(help="first, second, third, fourth or last weekday of a month.")
    ] = None,
    starts_on: Annotated[str | None, typer.Option(help="2026-12-01; usual: today.")] = None,
    ends_on: Annotated[str | None, typer.Option(help="Last day; usual: none.")] = None,
    max_runs: Annotated[int | None, typer.Option(min=1, help="So many times at most.")] = None,
    refresh: Annotated[
        bool, typer.Option(help="Refresh the audience before each run; if that fails, skip it.")
    ] = True,
    message_type: Annotated[
        str, typer.Option("--type", help="promotional, notification or digital.")
    ] = "promotional",
    variable: Variables = None,
    numbers: Annotated[str, typer.Option(help="first, latest or all.")] = "first",
    quiet: Quiet = "wait",
    late_minutes: LateMinutes = None,
    late_rule: LateRule = None,
    window: SendingWindow = None,
    window_days: WindowDays = None,
    spread: Spread = None,
    as_json: AsJson = False,
) -> None:
    """Make a campaign that is sent every day, week or month."""
    campaign = {
        "type": message_type, "platform": platform, "signature": signature, "template": template,
        "audience": audience, "numbers": numbers, "quiet": quiet,
        "variables": dict(read_source(one) for one in variable or []),
    } | timing_body(
        late_minutes=late_minutes, late_rule=late_rule, window=window, window_days=window_days,
        spread=spread,
    )  # fmt: skip
    body = {
        "name": name, "campaign": campaign, "rule": _rule(every, at, on, day, nth),
        "refresh_audience": refresh,
    } | given({"starts_on": starts_on, "ends_on": ends_on, "max_runs": max_runs})  # fmt: skip
    made = open_api().post("/api/recurrences", body)
    print_json(made) if as_json else print_fields(made)


@recurrences.command("edit")
def edit_recurrence(
    name: str,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    platform: Annotated[str | None, typer.Option()] = None,
    signature: Annotated[str | None, typer.Option()] = None,
    template: Annotated[str | None, typer.Option()] = None,
    audience: Annotated[str | None, typer.Option()] = None,
    variable: Variables = None,
    numbers: Annotated[str | None, typer.Option(help="first, latest or all.")] = None,
    quiet: Annotated[str | None, typer.Option(help="In quiet hours: wait or drop.")] = None,
    every: Annotated[str | None, typer.Option(help="day, week or month; needs --at.")] = None,
    at: Annotated[str | None, typer.Option(help="09:00; needs --every.")] = None,
    on: Annotated[str | None, typer.Option(help="Weekdays, as for create.")] = None,
    day: Annotated[int | None, typer.Option(min=1, max=31, help="Day of the month.")] = None,
    nth: Annotated[str | None, typer.Option(help="Which weekday of a month.")] = None,
    starts_on: Annotated[str | None, typer.Option(help="2026-12-01.")] = None,
    ends_on: Annotated[str | None, typer.Option(help="Last day; never: no end.")] = None,
    max_runs: Annotated[int | None, typer.Option(min=0, help="At most; 0: no end.")] = None,
    refresh: Annotated[bool | None, typer.Option(help="Refresh before each run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a recurrence from its next run on; what is not given stays as it is."""
    parts = given(
        {
            "platform": platform, "signature": signature, "template": template,
            "audience": audience, "numbers": numbers, "quiet": quiet,
            "variables": dict(read_source(one) for one in variable) if variable else None,
        }
    )  # fmt: skip
    if (every is None) != (at is None) or (every is None and (on or day or nth)):
        raise typer.BadParameter("another rule needs both --every and --at")
    body: dict[str, Any] = {"parts": parts} | given(
        {"name": new_name, "starts_on": starts_on, "refresh_audience": refresh}
    )
    if every is not None and at is not None:
        body["rule"] = _rule(every, at, on, day, nth)
    if ends_on is not None:
        body["ends_on"] = None if ends_on == "never" else ends_on
    if max_runs is not None:
        body["max_runs"] = max_runs or None
    tell_state(open_api().put(f"/api/recurrences/{segment(name)}", body), as_json=as_json)


def _rule(every: str, at: str, on: str | None, day: int | None, nth: str | None) -> dict[str, Any]:
    if nth is not None and nth not in _NTH:
        raise typer.BadParameter(f"--nth “{nth}” is none of {', '.join(_NTH)}")
    weekdays = read_days(on) if on else []
    rule: Mapping[str, Any] = {"day": day, "nth": _NTH[nth] if nth else None}
    return {"every": every, "at": at, "weekdays": weekdays} | given(rule)


@recurrences.command("list")
def list_recurrences(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the recurrences, newest first."""
    found = list(open_api().items("/api/recurrences", limit=limit))
    print_json(found) if as_json else print_rows(found, _SHOWN)


@recurrences.command("show")
def show_recurrence(name: str, as_json: AsJson = False) -> None:
    """Show a recurrence, its next five times and its last runs."""
    api = open_api()
    path = f"/api/recurrences/{segment(name)}"
    found = api.get(path)
    runs = api.get(f"{path}/runs", limit=10)["items"]
    if as_json:
        print_json({**found, "last_runs": runs})
        return
    print_fields(found)
    if runs:
        print_rows(runs, _RUNS)


@recurrences.command("runs")
def list_runs(name: str, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List what became of its times, newest first."""
    found = open_api().get(f"/api/recurrences/{segment(name)}/runs", limit=min(limit, 1000))
    print_json(found["items"]) if as_json else print_rows(found["items"], _RUNS)


@recurrences.command("pause")
def pause_recurrence(name: str, as_json: AsJson = False) -> None:
    """Let no further run begin."""
    tell_state(open_api().post(f"/api/recurrences/{segment(name)}/pause"), as_json=as_json)


@recurrences.command("resume")
def resume_recurrence(name: str, as_json: AsJson = False) -> None:
    """Go on with the next time; those in between are left out."""
    tell_state(open_api().post(f"/api/recurrences/{segment(name)}/resume"), as_json=as_json)


@recurrences.command("delete")
def delete_recurrence(name: str, yes: Yes = False) -> None:
    """Delete a recurrence; the campaigns that it has made stay."""
    _confirm(f"Delete the recurrence “{name}”?", yes=yes)
    open_api().delete(f"/api/recurrences/{segment(name)}")
    print(f"“{name}” is deleted.")


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)


def tell_state(moved: Answer, *, as_json: bool) -> None:
    """Say which state a campaign or a recurrence is in now, and when it starts or runs next."""
    if as_json:
        print_json(moved)
        return
    starts = moved.get("schedule", {}).get("starts_at")
    next_run = next(iter(moved.get("next_runs", [])), None)
    when = f" Starts at {starts}." if starts else f" Runs next at {next_run}." if next_run else ""
    state = "a draft" if moved["state"] == "draft" else moved["state"]
    print(f"“{moved['name']}” is {state}.{when} {moved.get('reason', '')}".strip())
