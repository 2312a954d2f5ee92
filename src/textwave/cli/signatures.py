"""`textwave signature`."""

from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Signatures: who speaks.", no_args_is_help=True)


@app.command("add")
def add_signature(
    name: Annotated[str, typer.Argument(help="Without 【】.")],
    platform: Annotated[str, typer.Option(help="Where it exists.")],
    as_json: AsJson = False,
) -> None:
    """Add a signature that exists at the platform."""
    made = open_api().post("/api/signatures", {"platform": platform, "name": name})
    print_json(made) if as_json else print_fields(made)


@app.command("rate")
def set_signature_rate(
    name: str,
    platform: Annotated[str, typer.Option(help="The platform that it is at.")],
    rate: Annotated[
        int | None, typer.Option("--per-second", min=1, help="Without it: as the account takes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set how many messages a second may leave under a signature."""
    body = {"platform": platform, "rate_per_second": rate}
    kept = open_api().put(f"/api/signatures/{segment(name)}/rate", body)
    print_json(kept) if as_json else print_fields(kept)


@app.command("list")
def list_signatures(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the signatures."""
    found = list(open_api().items("/api/signatures", limit=limit))
    columns = ("platform", "name", "state", "verified", "reason")
    print_json(found) if as_json else print_rows(found, columns)
