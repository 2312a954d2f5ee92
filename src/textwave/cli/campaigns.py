"""`textwave campaign` and `reply`: sending, and what comes back."""

import time
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.effort import ErrorBudget, ErrorBudgetAfter, Priority, effort_body
from textwave.cli.options import AsJson, Limit, Quiet, read_source
from textwave.cli.output import console, print_fields, print_json, print_rows, written
from textwave.cli.schedules import tell_state
from textwave.cli.shares import (
    ControlOption,
    Exclude,
    Seed,
    TestShare,
    VariantOption,
    WinnerAfter,
    WinnerBy,
    shares_body,
    winner,
)
from textwave.cli.timing import (
    At,
    LateMinutes,
    LateRule,
    SendingWindow,
    Spread,
    WindowDays,
    timing_body,
)

_ENDED = ("completed", "cancelled", "rejected", "failed")
_LIVE = ("campaign", "state", "reason", "stalled_since", "stalled_reason", "trouble", "audience",
         "messages", "drops", "submitted", "delivered", "failed", "failures", "waiting",
         "in_doubt", "parts", "clicks", "clickers", "replies", "opt_outs",
         "seconds")  # fmt: skip
app = typer.Typer(help="Campaigns.", no_args_is_help=True)
app.command("winner")(winner)
replies = typer.Typer(help="Texts from recipients.", no_args_is_help=True)


@app.command("create")
def create(
    name: str,
    platform: Annotated[str, typer.Option()],
    signature: Annotated[str, typer.Option()],
    audience: Annotated[str, typer.Option()],
    template: Annotated[
        str | None, typer.Option(help="Its template; with variants theirs.")
    ] = None,
    text: Annotated[
        str,
        typer.Option(help="A text of its own: a new template, named after the campaign."),
    ] = "",
    message_type: Annotated[
        str, typer.Option("--type", help="promotional, notification or digital.")
    ] = "promotional",
    variable: Annotated[
        list[str] | None,
        typer.Option(help="name=column[:default=text|:empty|:drop]; repeatable."),
    ] = None,
    numbers: Annotated[
        str, typer.Option(help="Which of a customer's numbers: first, latest or all.")
    ] = "first",
    quiet: Quiet = "wait",
    priority: Priority = None,
    error_budget: ErrorBudget = None,
    error_budget_after: ErrorBudgetAfter = None,
    at: At = None,
    late_minutes: LateMinutes = None,
    late_rule: LateRule = None,
    window: SendingWindow = None,
    window_days: WindowDays = None,
    spread: Spread = None,
    exclude: Exclude = None,
    control: ControlOption = None,
    variant: VariantOption = None,
    test_share: TestShare = None,
    winner_by: WinnerBy = None,
    winner_after: WinnerAfter = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Write a campaign; nothing is sent before it is started."""
    sources = dict(read_source(one) for one in variable or [])
    body = {
        "name": name, "type": message_type, "platform": platform, "signature": signature,
        "template": template, "content": text, "audience": audience, "variables": sources,
        "numbers": numbers, "quiet": quiet,
    } | effort_body(
        priority=priority, error_budget=error_budget, error_budget_after=error_budget_after
    ) | timing_body(
        at=at, late_minutes=late_minutes, late_rule=late_rule, window=window,
        window_days=window_days, spread=spread,
    ) | shares_body(
        exclude=exclude, control=control, variant=variant, test_share=test_share,
        winner_by=winner_by, winner_after=winner_after, seed=seed,
    )  # fmt: skip
    made = open_api().post("/api/campaigns", body)
    print_json(made) if as_json else print_fields(made)


@app.command("list")
def list_campaigns(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the campaigns, newest first."""
    found = list(open_api().items("/api/campaigns", limit=limit))
    columns = ("name", "type", "state", "audience", "template", "started_at", "completed_at")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show a campaign."""
    found = open_api().get(f"/api/campaigns/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("dry-run")
def dry_run(name: str, as_json: AsJson = False) -> None:
    """Plan without sending: messages, drops, parts, price, samples, and what limits may drop."""
    api = open_api()
    operation = api.post(f"/api/campaigns/{segment(name)}/dry-run")
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(result)
        return
    samples = result.pop("samples", [])
    longest = result.pop("longest", None)
    print_fields(result)
    more = [longest] if longest and longest not in samples else []
    print_rows([*samples, *more], tuple((longest or {}).keys()))


@app.command("start")
def start(name: str, as_json: AsJson = False) -> None:
    """Start at its time; without one now, or as soon as the template is approved."""
    _move(name, "start", as_json=as_json)


@app.command("pause")
def pause(name: str, as_json: AsJson = False) -> None:
    """Stop preparing messages."""
    _move(name, "pause", as_json=as_json)


@app.command("resume")
def resume(name: str, as_json: AsJson = False) -> None:
    """Go on with what has not been sent."""
    _move(name, "resume", as_json=as_json)


@app.command("cancel")
def cancel(name: str, as_json: AsJson = False) -> None:
    """End the campaign; what has not left will not leave."""
    _move(name, "cancel", as_json=as_json)


@app.command("watch")
def watch(
    name: str,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show the progress until the campaign has ended; with --json only the end."""
    api = open_api()
    path = f"/api/campaigns/{segment(name)}/report"
    report = api.get(path)
    with Live(_live(report), console=console(), auto_refresh=False, transient=as_json) as live:
        while report["state"] not in _ENDED:
            time.sleep(every)
            report = api.get(path)
            live.update(_live(report), refresh=not as_json)
    if as_json:
        print_json(report)


@app.command("report")
def report(name: str, as_json: AsJson = False) -> None:
    """Show the effect so far."""
    found = open_api().get(f"/api/campaigns/{segment(name)}/report")
    if as_json:
        print_json(found)
        return
    variants = found.pop("variants", [])
    print_fields(found)
    if variants:
        print_rows(variants, tuple(variants[0]))


@replies.command("list")
def list_replies(
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign.")] = None,
    intent: Annotated[str | None, typer.Option(help="opt out, leaning or other.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List replies, newest first; numbers masked."""
    query = {"campaign": campaign, "intent": intent}
    found = list(open_api().items("/api/replies", limit=limit, **query))
    columns = ("received_at", "mobile", "intent", "content")
    print_json(found) if as_json else print_rows(found, columns)


def _move(name: str, action: str, *, as_json: bool) -> None:
    tell_state(open_api().post(f"/api/campaigns/{segment(name)}/{action}"), as_json=as_json)


def _live(report: Answer) -> Table:
    table = Table.grid(padding=(0, 2))
    for name in _LIVE:
        if report[name] not in ("", {}, None):
            table.add_row(name.replace("_", " "), written(report[name]))
    return table
