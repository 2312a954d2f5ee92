"""`textwave opt-out` and `textwave deny`: who must not be written to, by hand and by file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from textwave.cli.client import Answer, Api, open_api
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

opt_outs = typer.Typer(help="Numbers that opted out.", no_args_is_help=True)
deny = typer.Typer(help="Numbers that get nothing from anybody here.", no_args_is_help=True)
_COLUMNS = ("denied_at", "mobile", "source", "reason", "evidence", "denied_by")
_REJECTED_SHOWN = 10
_MOST_REJECTED = 100_000_000
Input = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Output = Annotated[Path, typer.Option("--to", dir_okay=False, help="File to write.")]
Evidence = Annotated[str, typer.Option(help="Where and when it was asked for.")]
Consent = Annotated[str, typer.Option(help="Where and when the person consented anew.")]
Encoding = Annotated[str | None, typer.Option(help="Such as gb18030; default: told by the file.")]
Delimiter = Annotated[str | None, typer.Option(help="Between columns; default: guessed.")]
Column = Annotated[str | None, typer.Option(help="Column; default: by its name.")]
Reveal = Annotated[bool, typer.Option(help="Whole mobile numbers; needs an administrator's key.")]
WithLifted = Annotated[bool, typer.Option(help="Also entries that were lifted.")]
Form = Annotated[str, typer.Option("--format", help="csv or xlsx.")]


@opt_outs.command("list")
def list_opt_outs(
    platform: Annotated[str | None, typer.Option(help="With --signature.")] = None,
    signature: Annotated[str | None, typer.Option(help="Only of this signature.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List opt-outs in force, newest first; numbers masked. Of a platform alone: whole platform."""
    columns: tuple[str, ...] = ("opted_out_at", "mobile", "signature", "source", "evidence")
    if platform is not None and signature is None:
        found, columns = (
            list(open_api().items("/api/deny-list", limit=limit, platform=platform)),
            _COLUMNS,
        )
    else:
        query = {"platform": platform, "signature": signature}
        found = list(open_api().items("/api/opt-outs", limit=limit, **query))
    print_json(found) if as_json else print_rows(found, columns)


@opt_outs.command("add")
def add_opt_out(
    mobile: str,
    platform: Annotated[str, typer.Option()],
    signature: Annotated[
        str | None, typer.Option(help="Without it: all signatures of the platform.")
    ] = None,
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Block a number for a signature, or for a whole platform, at once."""
    body = {"mobile": mobile, "platform": platform, "evidence": evidence}
    if signature is None:
        made = open_api().post("/api/deny-list", body)
    else:
        made = open_api().post("/api/opt-outs", body | {"signature": signature})
    print_json(made) if as_json else print_fields(made)


@opt_outs.command("lift")
def lift_opt_out(
    mobile: str,
    platform: Annotated[str, typer.Option()],
    evidence: Consent,
    signature: Annotated[
        str | None, typer.Option(help="Without it: the opt-out of the whole platform.")
    ] = None,
) -> None:
    """End an opt-out because its owner consented anew."""
    body = {"mobile": mobile, "platform": platform, "evidence": evidence}
    if signature is None:
        open_api().post("/api/deny-list/lift", body)
    else:
        open_api().post("/api/opt-outs/lift", body | {"signature": signature})
    print("Lifted.")


@opt_outs.command("import")
def import_opt_outs(
    file: Input,
    platform: Annotated[str, typer.Option()],
    signature: Annotated[
        str | None, typer.Option(help="Without it: all signatures of the platform.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    mobile_column: Column = None,
    time_column: Column = None,
    evidence_column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Opt the numbers of a CSV, TXT or XLSX file out: number, time and evidence."""
    query = {
        "platform": platform, "signature": signature, "encoding": encoding,
        "delimiter": delimiter, "mobile_column": mobile_column, "time_column": time_column,
        "evidence_column": evidence_column,
    }  # fmt: skip
    _import("/api/opt-outs/import", file, query, as_json=as_json)


@opt_outs.command("rejected")
def rejected(
    operation: Annotated[int, typer.Argument(help="Operation of the import.")],
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="Write them as CSV.")] = None,
    reveal_numbers: Reveal = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List the lines of an import that were not taken, with the reason; all of them with --to."""
    path = f"/api/opt-outs/imports/{operation}/rejected-lines"
    most = limit if to is None else _MOST_REJECTED
    found = open_api().items(path, limit=most, reveal_numbers=reveal_numbers)
    if to is not None:
        print(f"{_write(to, found):,} lines in {to}.")
        return
    lines = list(found)
    print_json(lines) if as_json else print_rows(lines, ("line", "reason", "content"))


@opt_outs.command("export")
def export_opt_outs(
    to: Output,
    platform: Annotated[str | None, typer.Option(help="Only of this platform.")] = None,
    signature: Annotated[str | None, typer.Option(help="Only of this signature.")] = None,
    with_lifted: WithLifted = False,
    form: Form = "csv",
    reveal_numbers: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Write opt-outs with time and evidence to a file; numbers masked unless revealed."""
    body = {
        "kind": "opt-outs", "platform": platform, "signature": signature, "format": form,
        "with_lifted": with_lifted, "reveal_numbers": reveal_numbers,
    }  # fmt: skip
    _export(body, to, as_json=as_json)


@deny.command("list")
def list_denied(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the deny list, newest first; numbers masked."""
    found = list(open_api().items("/api/deny-list", limit=limit))
    print_json(found) if as_json else print_rows(found, _COLUMNS)


@deny.command("add")
def deny_number(
    mobile: str,
    reason: Annotated[str, typer.Option(help="Why nobody may write to the number.")],
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Let nothing be sent to a number, by no campaign and of no kind."""
    body = {"mobile": mobile, "reason": reason, "evidence": evidence}
    made = open_api().post("/api/deny-list", body)
    print_json(made) if as_json else print_fields(made)


@deny.command("lift")
def lift_denial(
    mobile: str,
    evidence: Annotated[str, typer.Option(help="Why the number may be written to again.")],
) -> None:
    """Take a number off the deny list; the entry stays as evidence."""
    open_api().post("/api/deny-list/lift", {"mobile": mobile, "evidence": evidence})
    print("Lifted.")


@deny.command("import")
def import_deny_list(
    file: Input,
    reason: Annotated[str, typer.Option(help="Why nobody may write to the numbers.")],
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    mobile_column: Column = None,
    time_column: Column = None,
    evidence_column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Put the numbers of a CSV, TXT or XLSX file on the deny list."""
    query = {
        "reason": reason, "encoding": encoding, "delimiter": delimiter,
        "mobile_column": mobile_column, "time_column": time_column,
        "evidence_column": evidence_column,
    }  # fmt: skip
    _import("/api/deny-list/import", file, query, as_json=as_json)


@deny.command("export")
def export_deny_list(
    to: Output,
    with_lifted: WithLifted = False,
    form: Form = "csv",
    reveal_numbers: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Write the deny list with reasons and evidence to a file."""
    body = {
        "kind": "deny list", "format": form, "with_lifted": with_lifted,
        "reveal_numbers": reveal_numbers,
    }  # fmt: skip
    _export(body, to, as_json=as_json)


def _import(path: str, file: Path, query: Answer, *, as_json: bool) -> None:
    api = open_api()
    operation = _sent(api, path, file, query | {"file_name": file.name})
    result = api.finished(operation)
    if as_json:
        print_json(result | {"operation": operation["id"]})
        return
    print(
        f"{result['rows_read']:,} rows: {result['added']:,} added, {result['duplicates']:,} there "
        f"already or twice, {result['overtaken']:,} overtaken by a later consent, "
        f"{result['invalid']:,} not taken."
    )
    if result["invalid"]:
        lines = f"/api/opt-outs/imports/{operation['id']}/rejected-lines"
        shown = list(api.items(lines, limit=_REJECTED_SHOWN))
        print_rows(shown, ("line", "reason", "content"))
        print(f"All of them: textwave opt-out rejected {operation['id']} --to rejected.csv")


def _sent(api: Api, path: str, file: Path, query: Answer) -> Answer:
    bars = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*bars, console=Console(stderr=True), transient=True) as progress:
        sending = progress.add_task("sending", total=file.stat().st_size)
        return api.upload(path, file, query, lambda length: progress.advance(sending, length))


def _export(body: Answer, to: Path, *, as_json: bool) -> None:
    api = open_api()
    operation = api.post("/api/opt-outs/export", body)
    result = api.finished(operation)
    api.download(f"/api/opt-outs/export/{operation['id']}", to)
    if as_json:
        print_json(result | {"file": str(to)})
        return
    shown = "whole" if result["reveal_numbers"] else "masked"
    print(f"{result['rows']:,} entries in {to}; mobile numbers are {shown}.")


def _write(to: Path, lines: Iterator[Answer]) -> int:
    """Write rejected lines as CSV; a text in front of a formula keeps it a text."""
    count = 0
    with to.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "content"))
        for line in lines:
            content = str(line["content"])
            risky = content[:1] in ("=", "+", "-", "@", "\t", "\r")
            writer.writerow((line["line"], line["reason"], f"'{content}" if risky else content))
            count += 1
    return count
