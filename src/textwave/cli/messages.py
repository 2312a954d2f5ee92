"""`textwave message`: one notification to one number."""

import time
import uuid
from typing import Annotated, Any

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Single notifications, one number each.", no_args_is_help=True)
_OPEN = frozenset({"waiting", "planned", "prepared", "retrying"})
_LOOK_SECONDS = 0.3


@app.command("send")
def send(
    to: Annotated[str, typer.Argument(help="The number, such as +8615412345678.")],
    signature: Annotated[str, typer.Option(help="An approved signature.")],
    template: Annotated[str, typer.Option(help="An approved notification template.")],
    variable: Annotated[
        list[str] | None, typer.Option(help="name=value for each variable of the template.")
    ] = None,
    platform: Annotated[str | None, typer.Option(help="Without it the template's.")] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Idempotency key: the same key sends the same message only once."),
    ] = None,
    wait_seconds: Annotated[
        float, typer.Option(min=0, max=600, help="Wait so long until the platform has it.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Send one notification."""
    api, chosen = open_api(), key or str(uuid.uuid4())
    body = {
        "to": to,
        "signature": signature,
        "template": template,
        "variables": dict(_pair(one) for one in variable or []),
        "platform": platform,
    }
    message = api.post("/api/messages", body, key=chosen)
    ends = time.monotonic() + wait_seconds
    while message["state"] in _OPEN and time.monotonic() < ends:
        time.sleep(_LOOK_SECONDS)
        message = api.get(f"/api/messages/{message['id']}")
    _print(message, as_json=as_json)


@app.command("show")
def show(
    message: Annotated[int, typer.Argument(help="The id that sending printed.")],
    as_json: AsJson = False,
) -> None:
    """Show a message and what became of it."""
    _print(open_api().get(f"/api/messages/{message}"), as_json=as_json)


@app.command("list")
def list_messages(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List single messages, newest first."""
    found = list(open_api().items("/api/messages", limit=limit))
    columns = ("id", "created_at", "mobile", "template", "state", "cause", "finished_at")
    print_json(found) if as_json else print_rows(found, columns)


def _pair(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not separator or not name:
        raise typer.BadParameter(f"“{given}” is not name=value")
    return name, value


def _print(message: dict[str, Any], *, as_json: bool) -> None:
    print_json(message) if as_json else print_fields(message)
