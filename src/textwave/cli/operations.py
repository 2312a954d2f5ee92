"""`textwave operation`: looking at long-running work, and ending it."""

from typing import Annotated

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Long-running operations: imports, estimates, plans.", no_args_is_help=True)


@app.command("list")
def list_operations(
    state: Annotated[
        str | None, typer.Option(help="queued, running, succeeded, failed or cancelled.")
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest operations, such as imports and refreshes."""
    found = list(open_api().items("/api/operations", limit=limit, state=state))
    columns = ("id", "kind", "state", "created_at", "finished_at")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("show")
def show(number: int, as_json: AsJson = False) -> None:
    """Show how far an operation is, or how it ended."""
    found = open_api().get(f"/api/operations/{number}")
    print_json(found) if as_json else print_fields(found)


@app.command("cancel")
def cancel(number: int, as_json: AsJson = False) -> None:
    """End an operation; nothing that it began to change stays changed."""
    api = open_api()
    operation = api.post(f"/api/operations/{number}/cancel")
    ended = api.get(f"/api/operations/{operation['id']}", wait_seconds=10)
    if as_json:
        print_json(ended)
    else:
        print(f"Operation {number} is {ended['state']}.")
