"""`textwave audience`, its further commands: change, compare, look back."""

from typing import Annotated

import typer

from textwave.cli.audiences import MaybeRule, app
from textwave.cli.client import Answer, open_api, segment
from textwave.cli.options import AsJson, Limit, read_json_option
from textwave.cli.output import print_fields, print_json, print_rows


@app.command("edit")
def edit(
    name: str,
    rule: MaybeRule = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    folder: Annotated[str | None, typer.Option(help="Such as 2026/spring; “”: none.")] = None,
    is_public: Annotated[bool | None, typer.Option("--public/--private")] = None,
    refresh: Annotated[
        str | None, typer.Option(help="“after_import”, five cron fields, or “” (by hand).")
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Refuse if it is not this version; default: the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; members stay as they are until the next refresh."""
    api = open_api()
    path = f"/api/audiences/{segment(name)}"
    body = {
        "version": version or api.get(path)["version"],
        "rule": None if rule is None else read_json_option(rule, "--rule"),
        "description": description,
        "folder": folder,
        "is_public": is_public,
        "refresh": refresh,
    }
    _show(api.patch(path, body), as_json=as_json)


@app.command("rename")
def rename(name: str, new_name: str, as_json: AsJson = False) -> None:
    """Rename an audience; rules that name it are rewritten."""
    path = f"/api/audiences/{segment(name)}/rename"
    _show(open_api().post(path, {"name": new_name}), as_json=as_json)


@app.command("copy")
def copy(name: str, new_name: str, as_json: AsJson = False) -> None:
    """Make an audience of your own with the same rule; it is refreshed by hand."""
    path = f"/api/audiences/{segment(name)}/copy"
    _show(open_api().post(path, {"name": new_name}), as_json=as_json)


@app.command("archive")
def archive(name: str, as_json: AsJson = False) -> None:
    """Put an audience away; refused while a rule, a model or a campaign uses it."""
    _show(open_api().post(f"/api/audiences/{segment(name)}/archive"), as_json=as_json)


@app.command("unarchive")
def unarchive(name: str, as_json: AsJson = False) -> None:
    """Take an audience out of the archive."""
    _show(open_api().post(f"/api/audiences/{segment(name)}/unarchive"), as_json=as_json)


@app.command("history")
def history(name: str, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the sizes of an audience over time, newest first."""
    found = list(open_api().items(f"/api/audiences/{segment(name)}/snapshots", limit=limit))
    columns = ("id", "size", "computed_at", "lake_version", "milliseconds", "members_removed_at")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("compare")
def compare(
    names: Annotated[list[str], typer.Argument(help="Two to five audiences.")],
    as_json: AsJson = False,
) -> None:
    """Count how audiences overlap, by their newest members."""
    api = open_api()
    result = api.finished(api.post("/api/audiences/compare", {"audiences": names}))
    if as_json:
        print_json(result)
        return
    print_rows(result["audiences"], ("audience", "size", "only_in"))
    pairs = [
        {
            "both": " and ".join(pair["audiences"]),
            "size": pair["size"],
            "shares": " and ".join(f"{share:.1%}" for share in pair["shares"]),
        }
        for pair in result["pairs"]
    ]
    print_rows(pairs, ("both", "size", "shares"))
    print(f"In all of them: {result['in_all']:,}. In any of them: {result['in_any']:,}.")


@app.command("changes")
def changes(
    name: str,
    before: Annotated[int, typer.Argument(help="Snapshot, from the history.")],
    after: Annotated[int | None, typer.Argument(help="Later snapshot; default: newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count who joined, left and stayed between two snapshots."""
    api = open_api()
    body = {"before": before, "after": after}
    result = api.finished(api.post(f"/api/audiences/{segment(name)}/changes", body))
    if as_json:
        print_json(result)
    else:
        print(f"{result['joined']:,} joined, {result['left']:,} left, {result['stayed']:,} stayed.")


def _show(audience: Answer, *, as_json: bool) -> None:
    print_json(audience) if as_json else print_fields(audience)
