"""`textwave encryption`: the keys of encrypted mobile numbers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Keys of encrypted mobile numbers.", no_args_is_help=True)
_LONGEST_FILE_CHARACTERS = 200


@app.command("add")
def add(
    key_file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="File that holds the key alone."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a key of 16 characters, asked for or read from standard input or a file.

    It becomes the newest version. It is kept sealed: nobody can read, change or remove it.
    """
    made = open_api().post("/api/encryption-keys", {"key": _key(key_file)})
    print_json(made) if as_json else print_fields(made)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the versions, newest first, and the tables that need them."""
    found = open_api().get("/api/encryption-keys")["items"]
    columns = ("version", "created_at", "created_by", "tables")
    print_json(found) if as_json else print_rows(found, columns)


def _key(file: Path | None) -> str:
    """Read the key from where no list of processes and no shell history shows it."""
    if file is not None:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_LONGEST_FILE_CHARACTERS).rstrip("\r\n")
    if sys.stdin.isatty():
        answer: str = typer.prompt("Key", hide_input=True, confirmation_prompt=True)
        return answer
    return sys.stdin.read(_LONGEST_FILE_CHARACTERS).rstrip("\r\n")
