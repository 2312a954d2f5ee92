"""`textwave template` and `count`."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.kit.text import Counting

_LOOK_SECONDS = 0.5
app = typer.Typer(help="Templates: what is said.", no_args_is_help=True)


@app.command("create")
def create_template(
    name: str,
    content: Annotated[str, typer.Option(help="The text, with ${variables}.")],
    platform: Annotated[str, typer.Option(help="Where it is to be approved.")],
    message_type: Annotated[
        str, typer.Option("--type", help="promotional or notification.")
    ] = "promotional",
    remark: Annotated[str, typer.Option(help="For the reviewer.")] = "Campaign text",
    as_json: AsJson = False,
) -> None:
    """Write a template; it is a draft until it is submitted."""
    body = {
        "name": name, "platform": platform, "type": message_type, "content": content,
        "remark": remark,
    }  # fmt: skip
    _print_written(open_api().post("/api/templates", body), as_json=as_json)


@app.command("submit")
def submit_template(
    name: str,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the decision.")] = False,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long at most.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Submit a template for review."""
    api = open_api()
    written = api.post(f"/api/templates/{segment(name)}/submit")
    if wait:
        written["template"] = _decided(api, name, wait_seconds)
    _print_written(written, as_json=as_json)
    if wait and written["template"]["state"] != "approved":
        raise typer.Exit(1)


@app.command("list")
def list_templates(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the templates."""
    found = list(open_api().items("/api/templates", limit=limit))
    columns = ("name", "platform", "type", "state", "reason", "content")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("show")
def show_template(name: str, as_json: AsJson = False) -> None:
    """Show a template and how its review stands."""
    found = open_api().get(f"/api/templates/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


def count_text(
    text: Annotated[str, typer.Argument(help="The text as it is sent.")],
    signature: Annotated[str, typer.Option(help="Without 【】.")] = "",
    rule: Annotated[Counting, typer.Option(help="How it is counted.")] = Counting.MAINLAND,
    as_json: AsJson = False,
) -> None:
    """Count encoding, units and billed parts of a text, here and without a server."""
    from textwave.kit.text import count

    counted = asdict(count(text, signature, rule))
    print_json(counted) if as_json else print_fields(counted)


def _decided(api: Api, name: str, seconds: float) -> Answer:
    deadline = time.monotonic() + seconds
    while True:
        template = api.get(f"/api/templates/{segment(name)}")
        if template["state"] != "reviewing" or time.monotonic() > deadline:
            return template
        time.sleep(_LOOK_SECONDS)


def _print_written(written: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(written)
        return
    print_fields(written["template"])
    for finding in written["warnings"]:
        print(f"{finding['severity']} at {finding['position']}: {finding['sentence']}")
