"""Options that several commands have, and how what is given to them is read."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

Quiet = Annotated[
    str, typer.Option(help="In quiet hours and holidays messages wait, or drop their recipients.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(min=1, help="Most items to list.")]


def read_json_option(given: str, option: str) -> dict[str, Any]:
    """Read JSON that is given as such, as the name of a file, or as `-` for standard input."""
    try:
        if given == "-":
            text = sys.stdin.read()
        elif given.lstrip().startswith("{"):
            text = given
        else:
            text = Path(given).read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{option} holds no JSON that can be read ({error})") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{option} must be a JSON object")
    return value


def read_source(given: str) -> tuple[str, dict[str, str]]:
    """Read `variable=column[:default=text|:empty|:drop]`."""
    variable, _, source = given.partition("=")
    column, _, rest = source.partition(":")
    if not variable or not column:
        raise typer.BadParameter(f"“{given}” is not name=column[:default=text|:empty|:drop]")
    missing, _, default = rest.partition("=")
    if missing not in ("", "default", "empty", "drop"):
        raise typer.BadParameter(f"“{missing}” is none of default=text, empty, drop")
    return variable, {"column": column, "missing": missing or "drop", "default": default}
