"""`textwave fatigue`, `quiet`, `holiday` and `allowlist`: what people get at most, and when."""

from typing import Annotated, Any, Final

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows

fatigue = typer.Typer(
    help="How many marketing messages somebody gets at most.", no_args_is_help=True
)
quiet = typer.Typer(help="Hours in which nobody is written to.", no_args_is_help=True)
holidays = typer.Typer(help="Days on which nobody is written to.", no_args_is_help=True)
allowlist = typer.Typer(
    help="Audiences to whom no limit but opt-outs and the deny list applies.",
    no_args_is_help=True,
)
_WINDOWS: Final = ("per_minute", "per_hour", "per_day", "per_week", "per_month")
_HOLIDAY: Final = ("name", "begins", "ends")
_ENTRY: Final = ("audience", "numbers", "problem", "added_by", "added_at")
Most = Annotated[float | None, typer.Option(min=0, help="0: no limit.")]


@fatigue.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """List the fatigue rules and whose messages they count together."""
    api = open_api()
    found = list(api.items("/api/fatigue-rules", limit=1_000))
    if as_json:
        print_json(found)
        return
    print_rows([_row(rule) for rule in found], ("name", "signatures", *_WINDOWS))
    policy = api.get("/api/sending-policy")
    change = f", changing to {policy['changing_to']}" if policy["changing_to"] else ""
    print(f"Counted by {policy['counts_by']}{change}.")


@fatigue.command("set")
def set_rule(
    name: str,
    everything: Annotated[
        bool, typer.Option("--global", help="Over all signatures of the workspace.")
    ] = False,
    signature: Annotated[
        list[str] | None, typer.Option(help="platform/signature; repeatable.")
    ] = None,
    per_minute: Most = None,
    per_hour: Most = None,
    per_day: Most = None,
    per_week: Most = None,
    per_month: Annotated[float | None, typer.Option(min=0, help="Of 30 days.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a fatigue rule, or change the one of that name; windows that are not named are off."""
    limits = (per_minute, per_hour, per_day, per_week, per_month)
    body: dict[str, Any] = dict(zip(_WINDOWS, limits, strict=True))
    body |= {"global": everything, "signatures": [_signature(one) for one in signature or []]}
    kept = open_api().put(f"/api/fatigue-rules/{segment(name)}", body)
    print_json(kept) if as_json else print_fields(_row(kept))


@fatigue.command("delete")
def delete_rule(name: str) -> None:
    """Delete a fatigue rule."""
    open_api().delete(f"/api/fatigue-rules/{segment(name)}")
    print(f"The fatigue rule “{name}” is deleted.")


@fatigue.command("count-by")
def count_by(
    whom: Annotated[str, typer.Argument(help="number or customer.")], as_json: AsJson = False
) -> None:
    """Say whose messages are counted together; counting by customer looks up the last 30 days."""
    api = open_api()
    answer = api.put("/api/sending-policy/counts-by", {"counts_by": whom})
    if "kind" in answer:
        result = api.finished(answer)
        print_json(result) if as_json else print(
            f"Counted by {result['counts_by']} from now on; {result['touches']:,} messages of the "
            "last 30 days have their customer."
        )
        return
    print_json(answer) if as_json else print(f"Counted by {answer['counts_by']}.")


@quiet.command("show")
def show_quiet(as_json: AsJson = False) -> None:
    """Show the daily quiet hours."""
    _tell_quiet(open_api().get("/api/sending-policy"), as_json=as_json)


@quiet.command("set")
def set_quiet(
    hours: Annotated[str, typer.Argument(help="21:00-09:00, or “off”.")],
    zone: Annotated[str, typer.Option(help="Whose clock: workspace or recipient.")] = "workspace",
    as_json: AsJson = False,
) -> None:
    """Set or remove the daily quiet hours; campaigns wait or drop recipients in them."""
    begins, _, ends = ("", "", "") if hours == "off" else hours.partition("-")
    body = {"from": begins or None, "until": ends or None, "zone": zone}
    _tell_quiet(open_api().put("/api/sending-policy/quiet-hours", body), as_json=as_json)


@holidays.command("add")
def add_holiday(
    name: str,
    begins: Annotated[str, typer.Option("--from", help="2027-02-05, or 2027-02-05T18:00.")],
    ends: Annotated[str, typer.Option("--until", help="The last day, or a time.")],
    as_json: AsJson = False,
) -> None:
    """Add a holiday in which nobody is written to."""
    kept = open_api().post("/api/holidays", {"name": name, "from": begins, "until": ends})
    print_json(kept) if as_json else print_fields(kept)


@holidays.command("list")
def list_holidays(as_json: AsJson = False) -> None:
    """List the holidays; local times, “ends” is the first moment after."""
    found = list(open_api().items("/api/holidays", limit=1_000))
    print_json(found) if as_json else print_rows(found, _HOLIDAY)


@holidays.command("delete")
def delete_holiday(name: str) -> None:
    """Delete a holiday."""
    open_api().delete(f"/api/holidays/{segment(name)}")
    print(f"The holiday “{name}” is deleted.")


@allowlist.command("add")
def add_to_allowlist(audience: str, as_json: AsJson = False) -> None:
    """Let no limit but opt-outs and the deny list apply to an audience."""
    kept = open_api().post("/api/allowlist", {"audience": audience})
    print_json(kept) if as_json else print(
        f"“{audience}” is on the allowlist; its numbers follow within seconds."
    )


@allowlist.command("list")
def list_allowlist(as_json: AsJson = False) -> None:
    """List the audiences on the allowlist."""
    found = list(open_api().items("/api/allowlist", limit=1_000))
    print_json(found) if as_json else print_rows(found, _ENTRY)


@allowlist.command("delete")
def delete_from_allowlist(audience: str) -> None:
    """Take an audience off the allowlist."""
    open_api().delete(f"/api/allowlist/{segment(audience)}")
    print(f"“{audience}” is off the allowlist.")


def _row(rule: dict[str, Any]) -> dict[str, Any]:
    named = ", ".join(f"{one['platform']}/{one['name']}" for one in rule["signatures"])
    return {**rule, "signatures": "all" if rule["global"] else named}


def _signature(given: str) -> dict[str, str]:
    platform, slash, name = given.partition("/")
    if not (platform and slash and name):
        raise typer.BadParameter(f"“{given}” is not platform/signature")
    return {"platform": platform, "name": name}


def _tell_quiet(policy: dict[str, Any], *, as_json: bool) -> None:
    hours = policy["quiet_hours"]
    if as_json:
        print_json(hours)
    elif hours["from"] is None:
        print("There are no quiet hours.")
    else:
        clock = "each recipient's own clock"
        if hours["zone"] == "workspace":
            clock = f"the workspace's clock ({policy['time_zone']})"
        print(f"Quiet from {hours['from'][:5]} to {hours['until'][:5]} by {clock}.")
