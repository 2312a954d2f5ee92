"""`textwave key`: who may call the API, and as what."""

from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_json, print_rows

app = typer.Typer(help="The keys of the API.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Written beside all that is done with it.")],
    is_administrator: Annotated[
        bool,
        typer.Option(
            "--administrator/--no-administrator", help="Sees and changes private audiences too."
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, for the only time."""
    body = {"name": name, "is_administrator": is_administrator}
    made = open_api().post("/api/keys", body)
    print_json(made) if as_json else print(made["key"])


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys in use; the keys themselves are not kept."""
    found = open_api().get("/api/keys")["items"]
    columns = ("name", "is_administrator", "created_at")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("revoke")
def revoke(name: str) -> None:
    """End the use of a key, at once and for good."""
    open_api().delete(f"/api/keys/{segment(name)}")
    print(f"“{name}” opens nothing any more.")
