"""`textwave signature`."""

from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Signatures: who speaks.", no_args_is_help=True)
At = Annotated[str, typer.Option("--platform", help="The platform that it is at.")]
Qualification = Annotated[
    int, typer.Option(help="Number of the qualification, as the platform's console shows it.")
]
Source = Annotated[str, typer.Option(help="What the name is: enterprise, trademark or app.")]
Remark = Annotated[str, typer.Option(help="For the reviewer.")]
Scene = Annotated[str, typer.Option(help="Where it is used: an address, what is sent.")]
Letter = Annotated[int | None, typer.Option(help="Number of the letter for somebody else's name.")]
Trademark = Annotated[int | None, typer.Option(help="Number of the trademark.")]
AppRecord = Annotated[int | None, typer.Option(help="Number of the app's record.")]


@app.command("add")
def add_signature(
    name: Annotated[str, typer.Argument(help="Without 【】.")],
    platform: Annotated[str, typer.Option(help="Where it exists.")],
    as_json: AsJson = False,
) -> None:
    """Add a signature that exists at the platform."""
    made = open_api().post("/api/signatures", {"platform": platform, "name": name})
    _print_signature(made, as_json=as_json)


@app.command("create")
def create_signature(
    name: Annotated[str, typer.Argument(help="2-12 characters, without 【】.")],
    platform: At,
    qualification: Qualification,
    source: Source = "enterprise",
    remark: Remark = "",
    scene: Scene = "",
    letter: Letter = None,
    trademark: Trademark = None,
    app_record: AppRecord = None,
    as_json: AsJson = False,
) -> None:
    """Create a signature with its papers, where the platform takes new ones from Textwave."""
    papers = _papers(source, qualification, remark, scene, letter, trademark, app_record)
    body = {"platform": platform, "name": name, "papers": papers}
    _print_signature(open_api().post("/api/signatures", body), as_json=as_json)


@app.command("edit")
def edit_signature(
    name: str,
    platform: At,
    qualification: Qualification,
    source: Source = "enterprise",
    remark: Remark = "",
    scene: Scene = "",
    letter: Letter = None,
    trademark: Trademark = None,
    app_record: AppRecord = None,
    as_json: AsJson = False,
) -> None:
    """Give a rejected signature other papers and submit it again."""
    papers = _papers(source, qualification, remark, scene, letter, trademark, app_record)
    body = {"platform": platform, "papers": papers}
    kept = open_api().put(f"/api/signatures/{segment(name)}/papers", body)
    _print_signature(kept, as_json=as_json)


@app.command("ask-again")
def ask_again(name: str, platform: At, as_json: AsJson = False) -> None:
    """Ask again for a rejected signature that was corrected at the platform itself."""
    path = f"/api/signatures/{segment(name)}/ask-again"
    _print_signature(open_api().post(path, {"platform": platform}), as_json=as_json)


@app.command("rate")
def set_signature_rate(
    name: str,
    platform: At,
    rate: Annotated[
        int | None, typer.Option("--per-second", min=1, help="Without it: as the account takes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set how many messages a second may leave under a signature."""
    body = {"platform": platform, "rate_per_second": rate}
    kept = open_api().put(f"/api/signatures/{segment(name)}/rate", body)
    _print_signature(kept, as_json=as_json)


@app.command("show")
def show_signature(name: str, platform: At, as_json: AsJson = False) -> None:
    """Show a signature: its review, its registration at carriers, and what to know of it."""
    found = open_api().get(f"/api/signatures/{segment(name)}", platform=platform)
    _print_signature(found, as_json=as_json)


@app.command("list")
def list_signatures(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the signatures."""
    found = list(open_api().items("/api/signatures", limit=limit))
    if as_json:
        print_json(found)
        return
    columns = ("platform", "name", "state", "verified", "registered", "reason", "warnings")
    print_rows([_line(one) for one in found], columns)


@app.command("delete")
def delete_signature(
    name: str,
    platform: At,
    at_platform: Annotated[
        bool, typer.Option("--at-platform", help="Delete it there too, which is for good.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a signature here, and with --at-platform at the platform too."""
    where = f"here and for good at “{platform}”" if at_platform else "here"
    if not yes:
        typer.confirm(f"Delete the signature “{name}” {where}?", abort=True)
    query = f"?platform={segment(platform)}&at_platform={str(at_platform).lower()}"
    open_api().delete(f"/api/signatures/{segment(name)}{query}")
    print(f"“{name}” is deleted {where}.")


def _papers(
    source: str,
    qualification: int,
    remark: str,
    scene: str,
    letter: int | None,
    trademark: int | None,
    app_record: int | None,
) -> dict[str, Any]:
    return {
        "source": source, "qualification_id": qualification, "remark": remark, "scene": scene,
        "authorization_letter_id": letter, "trademark_id": trademark, "app_record_id": app_record,
    }  # fmt: skip


def _line(signature: Answer) -> dict[str, Any]:
    warnings = [one["code"] for one in signature["warnings"]]
    return signature | {"registered": _registered(signature), "warnings": warnings}


def _registered(signature: Answer) -> list[str]:
    return [f"{one['carrier']} {one['state']}" for one in signature["carriers"]]


def _print_signature(signature: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(signature)
        return
    shown = signature | {"carriers": _registered(signature)}
    print_fields({name: value for name, value in shown.items() if name != "warnings"})
    for warning in signature["warnings"]:
        print(f"Mind: {warning['sentence']}")
