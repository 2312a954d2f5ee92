"""`textwave audience`: rules, their size, and the members they select."""

from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson, Limit, read_json_option
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Audiences: named rules over a table.", no_args_is_help=True)
Rule = Annotated[str, typer.Option("--rule", help="JSON, a file with it, or - for stdin.")]
TableName = Annotated[str, typer.Option("--table", help="Table of customers.")]


@app.command("create")
def create(name: str, rule: Rule, table: TableName = "customers", as_json: AsJson = False) -> None:
    """Make an audience and compute its members."""
    api = open_api()
    body = {"name": name, "table": table, "rule": read_json_option(rule, "--rule")}
    made = api.post("/api/audiences", body)
    operation = api.post(f"/api/audiences/{segment(made['name'])}/snapshots")
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(made | {"snapshot": result})
    else:
        print(f"“{made['name']}” has {result['size']:,} customers. {result['note']}".strip())


@app.command("estimate")
def estimate(rule: Rule, table: TableName = "customers", as_json: AsJson = False) -> None:
    """Count whom a rule selects, without keeping it."""
    api = open_api()
    body = {"table": table, "rule": read_json_option(rule, "--rule")}
    operation = api.post("/api/audiences/estimate", body)
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(result)
    else:
        print(f"{result['size']:,} of {result['of']:,} customers: {result['sentence']}")


@app.command("list")
def list_audiences(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the audiences."""
    found = list(open_api().items("/api/audiences", limit=limit))
    if as_json:
        print_json(found)
        return
    rows = [one | {"size": (one["snapshot"] or {}).get("size")} for one in found]
    print_rows(rows, ("name", "table", "size", "created_by", "created_at"))


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show an audience with its newest snapshot."""
    found = open_api().get(f"/api/audiences/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("preview")
def preview(name: str, as_json: AsJson = False) -> None:
    """Show the first 100 customers, numbers masked."""
    api = open_api()
    operation = api.post(f"/api/audiences/{segment(name)}/preview")
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(result)
    else:
        print_rows(result["customers"], result["columns"])


@app.command("refresh")
def refresh(name: str, as_json: AsJson = False) -> None:
    """Compute the members anew."""
    api = open_api()
    operation = api.post(f"/api/audiences/{segment(name)}/snapshots")
    result = api.finished(operation, lambda _: None, every_seconds=10)
    if as_json:
        print_json(result)
    else:
        print(f"“{name}” has {result['size']:,} customers. {result['note']}".strip())
