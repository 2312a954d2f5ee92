"""`textwave digital`: templates of texts, images, sounds and videos."""

from typing import Annotated

import typer

from textwave.cli.client import Answer, open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Digital templates: texts, images, sounds, videos.", no_args_is_help=True)
Parts = Annotated[
    list[str],
    typer.Option(
        "--part", help="In order: text:WORDS or material:NAME; give it once for each part."
    ),
]
Signature = Annotated[str, typer.Option(help="The signature in front, approved at the platform.")]
Subject = Annotated[str, typer.Option(help="What is shown above the message, 1-20 characters.")]
Remark = Annotated[str, typer.Option(help="For the reviewers: what it is sent for.")]
_COLUMNS = ("name", "platform", "subject", "state", "mobile", "unicom", "telecom", "size_bytes")


@app.command("create")
def create(
    name: str,
    platform: Annotated[str, typer.Option(help="An account at Alibaba Cloud.")],
    signature: Signature,
    subject: Subject,
    part: Parts,
    remark: Remark = "Campaign message",
    as_json: AsJson = False,
) -> None:
    """Write a digital template; it is a draft until it is submitted."""
    body = {"name": name, "platform": platform, **_body(signature, subject, part, remark)}
    _print_written(open_api().post("/api/digital-templates", body), as_json=as_json)


@app.command("edit")
def edit(
    name: str,
    signature: Signature,
    subject: Subject,
    part: Parts,
    remark: Remark = "Campaign message",
    as_json: AsJson = False,
) -> None:
    """Change a draft or a rejected template; it is a draft then, to be submitted again."""
    body = _body(signature, subject, part, remark)
    changed = open_api().put(f"/api/digital-templates/{segment(name)}", body)
    _print_written(changed, as_json=as_json)


@app.command("copy")
def copy(name: str, new_name: str, as_json: AsJson = False) -> None:
    """Write a draft with the parts of another template."""
    path = f"/api/digital-templates/{segment(name)}/copy"
    _print_written(open_api().post(path, {"name": new_name}), as_json=as_json)


@app.command("submit")
def submit(name: str, as_json: AsJson = False) -> None:
    """Submit a digital template to the carriers."""
    made = open_api().post(f"/api/digital-templates/{segment(name)}/submit")
    _print_written(made, as_json=as_json)


@app.command("list")
def list_digital(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the digital templates and where they stand at the carriers."""
    found = list(open_api().items("/api/digital-templates", limit=limit))
    if as_json:
        print_json(found)
        return
    standing = [
        one | {carrier["carrier"]: carrier["state"] for carrier in one["carriers"]} for one in found
    ]
    print_rows(standing, _COLUMNS)


@app.command("show")
def show(name: str, as_json: AsJson = False) -> None:
    """Show a digital template, its parts, and what each carrier says."""
    found = open_api().get(f"/api/digital-templates/{segment(name)}")
    if as_json:
        print_json(found)
        return
    print_fields({key: value for key, value in found.items() if key not in {"parts", "carriers"}})
    print_rows(found["parts"], ("text", "material", "kind", "size_bytes"))
    print_rows(found["carriers"], ("name", "state", "reason", "changed_at"))


@app.command("versions")
def versions(name: str, as_json: AsJson = False) -> None:
    """List what was submitted, and what came of it."""
    found = open_api().get(f"/api/digital-templates/{segment(name)}/versions")["items"]
    columns = ("number", "submitted_at", "submitted_by", "decision", "reason", "content")
    if as_json:
        print_json(found)
        return
    print_rows([one | {"content": _as_read(one["content"])} for one in found], columns)


@app.command("delete")
def delete(name: str) -> None:
    """Delete a digital template, here and at its platform."""
    open_api().delete(f"/api/digital-templates/{segment(name)}")
    print(f"“{name}” is deleted.")


def _as_read(content: Answer) -> str:
    """Write a submission for people: its subject, then its parts, materials in brackets."""
    parts = [part.get("text") or f"[{part['material']}]" for part in content["parts"]]
    return "\n".join([content["subject"], *parts])


def _body(signature: str, subject: str, parts: list[str], remark: str) -> Answer:
    return {
        "signature": signature,
        "subject": subject,
        "remark": remark,
        "parts": [_part(given) for given in parts],
    }


def _part(given: str) -> dict[str, str]:
    kind, _, value = given.partition(":")
    if kind not in {"text", "material"} or not value:
        raise typer.BadParameter(f"“{given}” is neither text:WORDS nor material:NAME")
    return {kind: value}


def _print_written(made: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    template = made["template"]
    print(f"“{template['name']}” is {template['state']}, {template['size_bytes']:,} bytes.")
    for warning in made["warnings"]:
        print(f"Warning: {warning['sentence']}")
