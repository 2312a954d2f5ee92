"""`textwave audience upload` and `textwave list`: files of ids that become audiences."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Uploaded lists of ids.", no_args_is_help=True)
_COLUMNS = ("name", "id_type", "rows_read", "matched", "unmatched", "file_name", "uploaded_at")
_REASONS_SHOWN = 10


def upload(
    name: Annotated[str, typer.Argument(help="Name of the list and of its audience.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    table: Annotated[str, typer.Option(help="Table of customers to match with.")] = "customers",
    id_type: Annotated[
        str, typer.Option(help="customer, mobile, email or a declared type of id.")
    ] = "mobile",
    column: Annotated[str | None, typer.Option(help="Column of the ids.")] = None,
    encrypted: Annotated[bool, typer.Option(help="The ids are AES ciphertexts.")] = False,
    key_version: Annotated[int | None, typer.Option(help="Default: the newest key.")] = None,
    keep_unmatched: Annotated[
        bool, typer.Option(help="Keep ids that nobody has as new people.")
    ] = False,
    replace: Annotated[bool, typer.Option(help="Replace the list of that name.")] = False,
    encoding: Annotated[str | None, typer.Option(help="Such as gb18030; default UTF-8.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Between columns; default guessed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an audience of a CSV, TXT or XLSX file of ids."""
    options = {
        "table": table, "id_type": id_type, "file_name": file.name, "column": column,
        "encrypted": encrypted, "key_version": key_version, "keep_unmatched": keep_unmatched,
        "replace": replace, "encoding": encoding, "delimiter": delimiter,
    }  # fmt: skip
    result = _upload(open_api(), name, file, options)
    if as_json:
        print_json(result)
        return
    again = " (uploaded before; nothing changed)" if result["already_uploaded"] else ""
    fate = "kept as new people" if result["keeps_unmatched"] else "dropped"
    print(
        f"{result['rows_read']:,} rows: {result['invalid']:,} invalid, "
        f"{result['duplicates']:,} duplicates, {result['matched']:,} matched, "
        f"{result['unmatched']:,} unmatched ({fate}); the audience “{name}” has "
        f"{result['size']:,} people{again}."
    )
    if result["invalid_rows"]:
        print_rows(result["invalid_rows"][:_REASONS_SHOWN], ("line", "reason"))


@app.command("list")
def list_lists(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the uploaded lists."""
    found = list(open_api().items("/api/lists", limit=limit))
    print_json(found) if as_json else print_rows(found, _COLUMNS)


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show what became of a list's rows."""
    found = open_api().get(f"/api/lists/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("delete")
def delete(name: str) -> None:
    """Delete a list that no rule names, and the new people it kept."""
    open_api().delete(f"/api/lists/{segment(name)}")
    print(f"The list “{name}” is deleted.")


def _upload(api: Api, name: str, file: Path, options: Answer) -> Answer:
    bars = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*bars, console=Console(stderr=True), transient=True) as progress:
        total = file.stat().st_size
        sending = progress.add_task("sending", total=total)
        operation = api.upload(
            f"/api/lists/{segment(name)}/imports",
            file,
            options,
            lambda length: progress.advance(sending, length),
        )
        taking = progress.add_task("reading", total=total)
        return api.finished(operation, lambda seen: _show(progress, taking, seen))


def _show(progress: Progress, task: TaskID, operation: Answer) -> None:
    said: Answer = operation.get("progress") or {}
    if total := said.get("bytes_total"):
        progress.update(task, completed=said.get("bytes_read", 0), total=total)
    elif "percent" in said:
        progress.update(task, description="matching", completed=said["percent"], total=100)
