"""`textwave template`."""

import time
from typing import Annotated

import typer

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit, read_source
from textwave.cli.output import print_fields, print_json, print_rows

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
    signature: Annotated[
        str, typer.Option(help="Reviewers see the text with it; else with the first approved one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write a template; it is a draft until it is submitted."""
    body = {
        "name": name, "platform": platform, "type": message_type, "content": content,
        "remark": remark, "signature": signature,
    }  # fmt: skip
    _print_written(open_api().post("/api/templates", body), as_json=as_json)


@app.command("edit")
def edit_template(
    name: str,
    content: Annotated[str | None, typer.Option(help="The new text.")] = None,
    remark: Annotated[str | None, typer.Option(help="For the reviewer.")] = None,
    signature: Annotated[str | None, typer.Option(help="Reviewers see the text with it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a draft or a rejected template; it is a draft then, to be submitted again."""
    api, path = open_api(), f"/api/templates/{segment(name)}"
    known = api.get(path)
    body = {
        "content": known["content"] if content is None else content,
        "remark": known["remark"] if remark is None else remark,
        "signature": signature,
    }
    _print_written(api.put(path, body), as_json=as_json)


@app.command("copy")
def copy_template(
    name: str,
    new_name: str,
    platform: Annotated[str | None, typer.Option(help="Another platform.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a draft with the text of another template."""
    body = {"name": new_name, "platform": platform}
    path = f"/api/templates/{segment(name)}/copy"
    _print_written(open_api().post(path, body), as_json=as_json)


@app.command("check")
def check_text(
    content: Annotated[str, typer.Argument(help="The text, with ${variables}.")],
    platform: Annotated[str, typer.Option(help="Where it is to be approved.")],
    message_type: Annotated[
        str, typer.Option("--type", help="promotional or notification.")
    ] = "promotional",
    as_json: AsJson = False,
) -> None:
    """Check a text and keep nothing; status 1 when it has errors."""
    body = {"platform": platform, "type": message_type, "content": content}
    findings = open_api().post("/api/check-text", body)["items"]
    if as_json:
        print_json(findings)
    else:
        _print_findings(findings)
    if any(finding["severity"] == "error" for finding in findings):
        raise typer.Exit(1)


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


@app.command("preview")
def preview_template(
    name: str,
    audience: Annotated[str, typer.Option(help="Count it for this audience.")],
    customer: Annotated[
        list[str], typer.Option(help="Show this one's text too; may be given again, at most ten.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    variable: Annotated[
        list[str], typer.Option(help="name=column[:default=text|:empty|:drop].")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    signature: Annotated[str, typer.Option(help="Without it: the first approved one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what customers would read, the worst text of an audience, and what all come to."""
    api = open_api()
    body = {
        "audience": audience, "customers": customer, "signature": signature,
        "variables": dict(read_source(one) for one in variable),
    }  # fmt: skip
    result = api.finished(api.post(f"/api/templates/{segment(name)}/preview", body))
    print_json(result) if as_json else _print_preview(result)


@app.command("versions")
def list_versions(name: str, as_json: AsJson = False) -> None:
    """List what was submitted when and by whom, and what the platform decided."""
    found = open_api().get(f"/api/templates/{segment(name)}/versions")["items"]
    columns = ("number", "submitted_at", "submitted_by", "decision", "reason", "content")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("delete")
def delete_template(
    name: str, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Delete a template, here and at its platform."""
    if not yes:
        typer.confirm(f"Delete the template “{name}” here and at its platform?", abort=True)
    open_api().delete(f"/api/templates/{segment(name)}")
    print(f"“{name}” is deleted.")


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
    _print_findings(written["warnings"])


def _print_findings(findings: list[Answer]) -> None:
    for finding in findings:
        print(f"{finding['severity']} at {finding['position']}: {finding['sentence']}")


def _print_preview(result: Answer) -> None:
    for one in result["customers"]:
        lacks = ", ".join(one["missing"])
        reason = f"no value for {lacks}" if one["found"] else "not in the table"
        print(f"{one['customer']}: {one['text'] or reason}")
    counted = result["audience"]
    print_fields({name: value for name, value in counted.items() if name != "worst"})
    if worst := counted["worst"]:
        print(f"The longest has {worst['parts']} parts: {worst['text']}")
