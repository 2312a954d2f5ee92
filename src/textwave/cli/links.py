"""`textwave link`."""

from typing import Annotated

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_json, print_rows

app = typer.Typer(help="Short links.", no_args_is_help=True)


@app.command("create")
def create_link(
    name: str,
    url: Annotated[str, typer.Argument(help="The long address.")],
    days: Annotated[int | None, typer.Option(min=1, max=3_650, help="How long it lives.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow an address inside the own network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a short link."""
    body = {"name": name, "long_url": url, "days": days, "allow_private": allow_private}
    made = open_api().post("/api/links", body)
    print_json(made) if as_json else print(made["url"])


@app.command("list")
def list_links(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the short links."""
    found = list(open_api().items("/api/links", limit=limit))
    columns = ("name", "url", "long_url", "enabled", "expires_at", "total_clicks", "human_clicks")
    print_json(found) if as_json else print_rows(found, columns)
