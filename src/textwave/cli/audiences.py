"""`textwave audience`: rules, their size, and the members they select."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit, read_json_option
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Audiences: named rules over a table.", no_args_is_help=True)
Rule = Annotated[str, typer.Option("--rule", help="JSON, a file with it, or - for stdin.")]
MaybeRule = Annotated[
    str | None, typer.Option("--rule", help="JSON, a file with it, or - for stdin.")
]
TableName = Annotated[str, typer.Option("--table", help="Table of customers.")]
Description = Annotated[str, typer.Option(help="What it is for.")]
Folder = Annotated[str, typer.Option(help="Where it is listed, such as 2026/spring.")]
Public = Annotated[
    bool, typer.Option("--public/--private", help="Seen by all, or by you and administrators.")
]
Refresh = Annotated[
    str,
    typer.Option(
        help="“after_import” or five cron fields in the workspace's time, such as “0 6 * * *”; "
        "nothing: by hand."
    ),
]


@app.command("create")
def create(
    name: str,
    rule: MaybeRule = None,
    union: Annotated[
        list[str] | None, typer.Option(help="Who is in any of these audiences; repeatable.")
    ] = None,
    intersect: Annotated[
        list[str] | None, typer.Option(help="Who is in all of these audiences; repeatable.")
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(help="Without who is in this audience; repeatable.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Customers of this campaign, with an --outcome.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Such as delivered, failed, clicked or dropped.")
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option(help="Why it failed or was dropped; repeatable.")
    ] = None,
    table: TableName = "customers",
    description: Description = "",
    folder: Folder = "",
    is_public: Public = True,
    refresh: Refresh = "",
    as_json: AsJson = False,
) -> None:
    """Make an audience from a rule, other audiences or a campaign, and compute its members."""
    parts = [read_json_option(rule, "--rule")] if rule else []
    parts += [{"kind": "any", "of": _audiences(union)}] if union else []
    parts += [{"kind": "all", "of": _audiences(intersect)}] if intersect else []
    parts += _of_campaign(campaign, outcome, reason or [])
    body = {
        "name": name,
        "table": table,
        "rule": _joined(parts, minus or []),
        "description": description,
        "folder": folder,
        "is_public": is_public,
        "refresh": refresh,
    }
    api = open_api()
    made = api.post("/api/audiences", body)
    result = _refreshed(api, made["name"])
    if as_json:
        print_json(api.get(f"/api/audiences/{segment(made['name'])}") | {"snapshot": result})
    else:
        print(f"“{made['name']}” has {result['size']:,} customers. {result['note']}".strip())


@app.command("estimate")
def estimate(rule: Rule, table: TableName = "customers", as_json: AsJson = False) -> None:
    """Count whom a rule selects, without keeping it."""
    api = open_api()
    body = {"table": table, "rule": read_json_option(rule, "--rule")}
    result = api.finished(api.post("/api/audiences/estimate", body))
    if as_json:
        print_json(result)
    else:
        print(f"{result['size']:,} of {result['of']:,} customers: {result['sentence']}")


@app.command("list")
def list_audiences(
    folder: Annotated[
        str | None, typer.Option(help="Only this folder and those in it; “”: in none.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="Text in name or description.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those put away.")] = False,
    whose: Annotated[str, typer.Option(help="all, mine or public.")] = "all",
    sort: Annotated[
        str, typer.Option(help="created_at, name, size or computed_at.")
    ] = "created_at",
    limit: Limit = 1_000,
    as_json: AsJson = False,
) -> None:
    """List the audiences that you see."""
    wanted = {"folder": folder, "search": search, "archived": archived or None}
    query = {**wanted, "whose": whose, "sort": sort}
    found = list(open_api().items("/api/audiences", limit=limit, **query))
    if as_json:
        print_json(found)
        return
    columns = ("name", "folder", "table", "size", "computed_at", "refresh", "created_by")
    print_rows([one | _newest(one) for one in found], columns)


@app.command("folders")
def list_folders(as_json: AsJson = False) -> None:
    """List the folders, with how many audiences are directly in each."""
    found = open_api().get("/api/audience-folders")["items"]
    print_json(found) if as_json else print_rows(found, ("name", "audiences"))


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show an audience with its newest snapshot."""
    found = open_api().get(f"/api/audiences/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("preview")
def preview(name: str, as_json: AsJson = False) -> None:
    """Show the first 100 customers, numbers masked."""
    api = open_api()
    result = api.finished(api.post(f"/api/audiences/{segment(name)}/preview"))
    if as_json:
        print_json(result)
    else:
        print_rows(result["customers"], result["columns"])


@app.command("refresh")
def refresh(name: str, as_json: AsJson = False) -> None:
    """Compute the members anew."""
    result = _refreshed(open_api(), name)
    if as_json:
        print_json(result)
    else:
        print(f"“{name}” has {result['size']:,} customers. {result['note']}".strip())


def _refreshed(api: Api, name: str) -> Answer:
    return api.finished(api.post(f"/api/audiences/{segment(name)}/snapshots"))


def _newest(audience: Answer) -> Answer:
    snapshot = audience["snapshot"] or {}
    return {"size": snapshot.get("size"), "computed_at": snapshot.get("computed_at")}


def _audiences(names: Sequence[str]) -> list[Answer]:
    return [{"kind": "audience", "audience": name} for name in names]


def _of_campaign(campaign: str | None, outcome: str | None, reasons: list[str]) -> list[Answer]:
    if campaign is None and outcome is None and not reasons:
        return []
    if campaign is None or outcome is None:
        raise typer.BadParameter("--campaign and --outcome are given together")
    of: Answer = {"kind": "campaign", "campaign": campaign, "outcome": outcome}
    return [of | ({"reasons": reasons} if reasons else {})]


def _joined(parts: list[Answer], minus: Sequence[str]) -> dict[str, Any]:
    if not parts:
        raise typer.BadParameter("give --rule, --union, --intersect or --campaign")
    chosen = parts[0] if len(parts) == 1 else {"kind": "all", "of": parts}
    return {"kind": "minus", "of": [chosen, *_audiences(minus)]} if minus else chosen
