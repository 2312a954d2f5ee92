"""`textwave audience download`: the customers of an audience as a file."""

from pathlib import Path
from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_json


def download(
    name: str,
    to: Annotated[Path, typer.Option("--to", dir_okay=False, help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    columns: Annotated[list[str] | None, typer.Option(help="Only this column; repeatable.")] = None,
    reveal_numbers: Annotated[
        bool, typer.Option(help="Whole mobile numbers; needs an administrator's key.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download the customers; numbers are masked unless they are to be revealed."""
    api = open_api()
    body = {"format": form, "columns": columns or None, "reveal_numbers": reveal_numbers}
    operation = api.post(f"/api/audiences/{segment(name)}/downloads", body)
    result = api.finished(operation)
    api.download(f"/api/audiences/{segment(name)}/downloads/{operation['id']}", to)
    if as_json:
        print_json(result | {"file": str(to)})
    else:
        shown = "whole" if result["reveal_numbers"] else "masked"
        print(f"{result['rows']:,} customers in {to}; mobile numbers are {shown}.")
