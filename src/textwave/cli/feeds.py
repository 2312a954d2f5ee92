"""`textwave source` and `textwave feed`: tables brought up to date from databases and folders."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows

sources = typer.Typer(
    help="Sources: databases and folders that tables are fed from.", no_args_is_help=True
)
feeds = typer.Typer(
    help="Feeds: how tables are brought up to date from sources.", no_args_is_help=True
)
_LONGEST_ADDRESS = 2_000
_LISTS = ("types", "ids")
Query = Annotated[
    str, typer.Option(help="In the database's own words; of a folder: a file's pattern, a*.csv.")
]
SourceName = Annotated[str, typer.Option(help="The source's name.")]
Schedule = Annotated[str, typer.Option(help="Five cron fields in the workspace's time.")]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        help="name=value as of `textwave table import`, e.g. kind=orders; repeatable.",
    ),
]


@sources.command("add")
def add_source(
    name: str,
    kind: Annotated[str, typer.Option(help="postgres, mysql, sqlite, duckdb or folder.")],
    address_file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="File with the address."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a source; its address is asked for, or read from standard input or a file."""
    body = {"name": name, "kind": kind, "address": _address(address_file)}
    made = open_api().post("/api/sources", body)
    print_json(made) if as_json else print_fields(made)


@sources.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List the sources; passwords are not shown."""
    found = open_api().get("/api/sources")["items"]
    columns = ("name", "kind", "shown_address", "created_by")
    print_json(found) if as_json else print_rows(found, columns)


@sources.command("check")
def check_source(name: str, as_json: AsJson = False) -> None:
    """Try to open a source."""
    api = open_api()
    result = api.finished(api.post(f"/api/sources/{segment(name)}/check"))
    print_json(result) if as_json else print(f"“{name}” can be opened.")


@sources.command("delete")
def delete_source(name: str) -> None:
    """Forget a source that no feed reads."""
    open_api().delete(f"/api/sources/{segment(name)}")
    print(f"“{name}” is forgotten.")


@sources.command("import")
def import_query(
    name: str,
    table: Annotated[str, typer.Option(help="Table, made if there is none.")],
    query: Query,
    option: Options = None,
    as_json: AsJson = False,
) -> None:
    """Import what a query gives, once."""
    api = open_api()
    body = {"query": query, "options": _options(option)}
    operation = api.post(f"/api/sources/{segment(name)}/imports/{segment(table)}", body)
    _say(api.finished(operation), as_json)


@feeds.command("create")
def create_feed(
    name: str,
    source: SourceName,
    query: Query,
    table: Annotated[str, typer.Option(help="Table, made if there is none.")],
    schedule: Schedule = "",
    option: Options = None,
    as_json: AsJson = False,
) -> None:
    """Keep how a table is brought up to date: by a schedule, or when asked for."""
    body: dict[str, Any] = {
        "name": name,
        "source": source,
        "query": query,
        "table": table,
        "schedule": schedule,
        "options": _options(option),
    }
    made = open_api().post("/api/feeds", body)
    print_json(made) if as_json else print_fields(_readable(made))


@feeds.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """List the feeds and how their last runs ended."""
    found = open_api().get("/api/feeds")["items"]
    columns = ("name", "source", "table_name", "schedule", "next_run_at", "last_run_at", "problem")
    rows = [feed | {"problem": (feed["problem"] or {}).get("sentence")} for feed in found]
    print_json(found) if as_json else print_rows(rows, columns)


@feeds.command("show")
def show_feed(name: str, as_json: AsJson = False) -> None:
    """Show a feed."""
    found = open_api().get(f"/api/feeds/{segment(name)}")
    print_json(found) if as_json else print_fields(_readable(found))


@feeds.command("run")
def run_feed(name: str, as_json: AsJson = False) -> None:
    """Run a feed now."""
    api = open_api()
    _say(api.finished(api.post(f"/api/feeds/{segment(name)}/runs")), as_json)


@feeds.command("schedule")
def schedule_feed(
    name: str,
    schedule: Annotated[str, typer.Argument(help="Five cron fields; '' to run when asked.")],
    as_json: AsJson = False,
) -> None:
    """Give a feed another schedule."""
    path = f"/api/feeds/{segment(name)}/schedule"
    changed = open_api().put(path, {"schedule": schedule})
    print_json(changed) if as_json else print_fields(_readable(changed))


@feeds.command("delete")
def delete_feed(name: str) -> None:
    """Forget a feed; its table stays as it is."""
    open_api().delete(f"/api/feeds/{segment(name)}")
    print(f"“{name}” is forgotten; its table stays.")


def _options(written: list[str] | None) -> Answer:
    options: dict[str, Any] = {"kind": "customers"}
    for one in written or []:
        name, found, value = one.partition("=")
        if not found:
            raise typer.BadParameter(
                f"“{one}” is not written as name=value.", param_hint="--option"
            )
        if name in _LISTS:
            options.setdefault(name, []).append(value)
        else:
            options[name] = value
    return options


def _address(file: Path | None) -> str:
    """Read the address from where no list of processes and no shell history shows it."""
    if file is not None:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_LONGEST_ADDRESS + 1).strip()
    if sys.stdin.isatty():
        answer: str = typer.prompt("Address", hide_input=True)
        return answer.strip()
    return sys.stdin.read(_LONGEST_ADDRESS + 1).strip()


def _say(result: Answer, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    again = " (imported before; nothing changed)" if result.get("already_imported") else ""
    print(
        f"{result['rows_kept']:,} rows kept, {result['rows_rejected']:,} rejected; "
        f"“{result['table']}” has {result['row_count']:,} rows{again}."
    )


def _readable(feed: Answer) -> Answer:
    """Leave out the options that are not given."""
    return feed | {"options": {name: one for name, one in feed["options"].items() if one}}
