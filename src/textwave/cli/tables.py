"""`textwave table`: importing files and looking at tables."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from textwave.cli.client import Answer, Api, OperationFailed, open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Tables of customers and of what they did.", no_args_is_help=True)
KINDS = "customers, orders, behaviours, order_summary or metrics."
DESCRIBED_COLUMNS = (
    "name", "type", "separator", "nulls", "distinct", "from", "to", "most_frequent",
)  # fmt: skip
SHOWN_VALUES = 5
REJECTED_COLUMNS = ("line", "column_name", "value", "reason")


@app.command("import")
def import_file(
    name: Annotated[str, typer.Argument(help="Table, made if there is none.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    kind: Annotated[str, typer.Option(help=KINDS)] = "customers",
    mode: Annotated[str, typer.Option(help="replace, upsert or append.")] = "replace",
    customer: Annotated[str | None, typer.Option(help="Column of the customer's key.")] = None,
    mobile: Annotated[str | None, typer.Option(help="Column of the mobile number.")] = None,
    time: Annotated[str | None, typer.Option(help="Column of the time.")] = None,
    amount: Annotated[str | None, typer.Option(help="Column of the amount.")] = None,
    count: Annotated[str | None, typer.Option(help="Column of a number of orders.")] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="type=column, e.g. email=mail; repeatable.")
    ] = None,
    customer_id_type: Annotated[
        str | None, typer.Option(help="What the customer column holds: customer, mobile, email …")
    ] = None,
    partition: Annotated[
        str | None, typer.Option(help="With append: replace rows of the same day, say.")
    ] = None,
    mobile_encrypted: Annotated[
        bool, typer.Option("--mobile-encrypted", help="The mobile column is ciphertext.")
    ] = False,
    key_version: Annotated[
        int | None, typer.Option(min=1, help="Of its encryption key; default: the newest.")
    ] = None,
    column_type: Annotated[
        list[str] | None,
        typer.Option("--type", help="column=type: text, number, time or multi_value; repeatable."),
    ] = None,
    separator: Annotated[str | None, typer.Option(help="Between the values of one cell.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as gb18030; default UTF-8.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Between columns; default guessed.")] = None,
    region: Annotated[str | None, typer.Option(help="Of numbers without country code.")] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Take changed columns and types.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a CSV, XLSX or Parquet file; the table stays as it was until all is taken."""
    options = {
        "kind": kind, "mode": mode, "file_name": file.name, "customer": customer,
        "mobile": mobile, "time": time, "amount": amount, "types": column_type or [],
        "separator": separator, "encoding": encoding, "delimiter": delimiter, "region": region,
        "count": count, "ids": ids or [], "customer_id_type": customer_id_type,
        "partition": partition, "accept_changes": accept_changes,
        "mobile_encrypted": mobile_encrypted, "key_version": key_version,
    }  # fmt: skip
    _check(name, options)
    result = _import_accepted(open_api(), name, file, options, ask=not as_json)
    if as_json:
        print_json(result)
    else:
        _tell(result, encoding)


def _guessed(result: Answer) -> str:
    """Say which columns play a part and have a type, and how many mobile numbers are good."""
    parts = [
        f"{part} is “{one['column']}”{' (guessed)' if one['guessed'] else ''}"
        for part, one in result["parts"].items()
    ]
    types = [
        f"“{column['name']}” is {column['type']}"
        for column in result["columns"]
        if column["guessed"] and column["type"] != "text"
    ]
    numbers = [f"{kind} {count:,}" for kind, count in result["numbers"].items() if count]
    said = [
        f"Columns: {', '.join(parts)}.",
        f"Guessed: {', '.join(types)}." if types else "",
        f"Mobile numbers: {', '.join(numbers)}." if "mobile" in result["parts"] else "",
    ]
    return "\n".join(line for line in said if line)


@app.command("list")
def list_tables(as_json: AsJson = False) -> None:
    """List the tables."""
    tables = open_api().get("/api/tables")["items"]
    if as_json:
        print_json(tables)
    else:
        print_rows(tables, ("name", "kind", "row_count", "customer_column", "mobile_column"))


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show a table's columns and imports."""
    api = open_api()
    table = api.get(f"/api/tables/{segment(name)}")
    table["imports"] = api.get(f"/api/tables/{segment(name)}/imports")["items"]
    if as_json:
        print_json(table)
        return
    imports, columns = table.pop("imports"), table.pop("columns")
    statistics = table.pop("statistics") or {}
    print_fields(table)
    print_rows([_described(column, statistics) for column in columns], DESCRIBED_COLUMNS)
    print_rows(imports, ("id", "file_name", "mode", "rows_kept", "rows_rejected", "finished_at"))


def _described(column: Answer, statistics: Answer) -> Answer:
    """Describe a column with what is known of its values."""
    known = statistics.get(column["name"], {})
    about = "about " if known.get("approximate") else ""
    top = [f"{value} ({count:,})" for value, count in known.get("top", [])[:SHOWN_VALUES]]
    return column | {
        "nulls": known.get("nulls"),
        "distinct": f"{about}{known['distinct']:,}" if known else None,
        "from": known.get("min"),
        "to": known.get("max"),
        "most_frequent": "hidden" if known.get("hidden") and not top else top,
    }


@app.command("values")
def values(
    name: Annotated[str, typer.Argument(help="The table.")],
    column: Annotated[str, typer.Argument(help="A column of texts or of several values.")],
    contains: Annotated[str, typer.Option(help="Only values with this text in them.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the 100 most frequent values of a column; ids of people are not shown."""
    api = open_api()
    path = f"/api/tables/{segment(name)}/columns/{segment(column)}/values"
    operation = api.get(path, contains=contains)
    found = api.finished(operation, lambda _: None, every_seconds=10)["values"]
    if as_json:
        print_json(found)
    else:
        print_rows(found, ("value", "count"))


@app.command("delete")
def delete(
    name: Annotated[str, typer.Argument(help="The table.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a table with its rows, its imports and their rejected rows, for good."""
    api = open_api()
    path = f"/api/tables/{segment(name)}"
    rows = api.get(path)["row_count"]
    if not yes:
        typer.confirm(f"Delete table “{name}” with {rows:,} rows for good?", abort=True)
    api.finished(api.delete(path), lambda _: None, every_seconds=10)
    print(f"Table “{name}” is deleted.")


@app.command("rejected")
def rejected(
    name: Annotated[str, typer.Argument(help="The table.")],
    import_id: Annotated[
        int | None, typer.Option("--import", help="Number of the import; default: the newest.")
    ] = None,
    after: Annotated[int, typer.Option(help="Only lines after this one.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the rows that an import did not take, with line, value and reason."""
    api = open_api()
    imports = f"/api/tables/{segment(name)}/imports"
    if import_id is None:
        newest = api.get(imports)["items"][:1]
        import_id = newest[0]["id"] if newest else 0
    path = f"{imports}/{import_id}/rejected"
    operation = api.get(path, after=after or None, limit=limit)
    rows = api.finished(operation, lambda _: None, every_seconds=10)["rows"]
    if as_json:
        print_json(rows)
    else:
        print_rows(rows, REJECTED_COLUMNS)


def _check(name: str, options: Answer) -> None:
    """Refuse before the upload what would be refused after it."""
    from textwave.customers.columns import TableKind
    from textwave.customers.request import MOBILE_ID, ImportMode, ImportRequest, read_ids

    ids = read_ids(options["ids"])
    mobile = ids.pop(MOBILE_ID, options["mobile"])
    for option, kinds in (("kind", TableKind), ("mode", ImportMode)):
        if options[option] not in list(kinds):
            raise typer.BadParameter(f"--{option} is one of: {', '.join(kinds)}")
    ImportRequest(
        path="",
        file_name=options["file_name"],
        table=name,
        kind=TableKind(options["kind"]),
        mode=ImportMode(options["mode"]),
        separator=options["separator"],
        encoding=options["encoding"],
        delimiter=options["delimiter"],
        mobile_column=mobile,
        customer_id_type=options["customer_id_type"],
        ids=ids,
        partition_column=options["partition"],
    ).check()


def _import_accepted(api: Api, name: str, file: Path, options: Answer, *, ask: bool) -> Answer:
    """Import; a change of the table's shape is shown on a terminal and taken if wanted."""
    try:
        return _import(api, name, file, options)
    except OperationFailed as failure:
        changed = failure.problem.get("code") == "schema_changed"
        if not (changed and ask and sys.stdin.isatty()):
            raise
        _show_changes(failure.problem["fields"])
        if not typer.confirm("Import the file and take these changes?"):
            raise typer.Abort from None
    return _import(api, name, file, options | {"accept_changes": True})


def _show_changes(fields: Answer) -> None:
    """Show what the file would change, and whose rules speak of it."""
    changes = [
        *({"what": name, "was": None, "now": "new"} for name in fields["added"]),
        *({"what": name, "was": "there", "now": "gone"} for name in fields["removed"]),
        *fields["retyped"],
        *fields["roles"],
    ]
    print_rows(changes, ("what", "was", "now"))
    for use in fields["used_by"]:
        print(f"Used by {use['kind']} “{use['name']}”: {', '.join(use['columns'])}")


def _import(api: Api, name: str, file: Path, options: Answer) -> Answer:
    bars = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*bars, console=Console(stderr=True), transient=True) as progress:
        total = file.stat().st_size
        sending = progress.add_task("sending", total=total)
        operation = api.upload(
            f"/api/tables/{segment(name)}/imports",
            file,
            options,
            lambda length: progress.advance(sending, length),
        )
        taking = progress.add_task("importing", total=total)
        return api.finished(operation, lambda seen: _show(progress, taking, seen), every_seconds=1)


def _tell(result: Answer, encoding: str | None) -> None:
    """Say what was taken, and what the user may want to look at."""
    again = " (imported before; nothing changed)" if result.get("already_imported") else ""
    print(
        f"{result['rows_kept']:,} rows kept, {result['rows_rejected']:,} rejected; "
        f"“{result['table']}” has {result['row_count']:,} rows{again}."
    )
    print(_guessed(result))
    if result["encoding"] not in (None, "utf-8", encoding):
        print(f"The file was read as {result['encoding']}; say so with --encoding if it is not.")
    if result["rows_rejected"]:
        print(f"See why: textwave table rejected {result['table']}")


def _show(progress: Progress, task: TaskID, operation: Answer) -> None:
    said: dict[str, Any] = operation.get("progress") or {}
    if total := said.get("bytes_total"):
        progress.update(task, completed=said.get("bytes_read", 0), total=total)
