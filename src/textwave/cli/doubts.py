"""`textwave in-doubt`: requests of which nobody knows whether they were sent."""

from enum import StrEnum
from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

_COLUMNS = ("request", "campaign", "platform", "prepared_at", "detail", "messages", "delivered",
            "failed", "answer", "asked_at", "ends_at", "settled_as")  # fmt: skip
_GROUPS = ("campaign", "campaign_state", "platform", "requests", "messages", "oldest_at")
app = typer.Typer(help="Requests in doubt: perhaps sent, perhaps not.", no_args_is_help=True)


class As(StrEnum):
    """What a request in doubt was."""

    SENT = "sent"
    NOT_SENT = "not-sent"
    SEND_AGAIN = "send-again"


@app.command("list")
def list_doubts(
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign.")] = None,
    platform: Annotated[str | None, typer.Option(help="Only over this platform.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List requests in doubt with their evidence."""
    query = {"campaign": campaign, "platform": platform}
    found = list(open_api().items("/api/in-doubt", limit=limit, **query))
    print_json(found) if as_json else print_rows(found, _COLUMNS)


@app.command("campaigns")
def list_campaigns(as_json: AsJson = False) -> None:
    """List how much is in doubt, by campaign."""
    found = open_api().get("/api/in-doubt/campaigns")["items"]
    print_json(found) if as_json else print_rows(found, _GROUPS)


@app.command("settle")
def settle(
    settled_as: Annotated[
        As, typer.Option("--as", help="What it was, or that it shall be sent again.")
    ],
    request: Annotated[
        str | None, typer.Argument(help="A request as listed, such as 17-4-0.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="All requests of this campaign, instead of one.")
    ] = None,
    confirmed: Annotated[
        bool,
        typer.Option("--confirm", help="To send again: that some may get it twice is meant."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a request in doubt was: sent, not-sent, or send-again."""
    if (request is None) == (campaign is None):
        raise typer.BadParameter("name one request, or a campaign with --campaign")
    body = {"as": settled_as.replace("-", " "), "confirmed": confirmed}
    if request is not None:
        said = open_api().post(f"/api/in-doubt/{segment(request)}/settle", body)
    else:
        said = open_api().post("/api/in-doubt/settle", {**body, "campaign": campaign})
    print_json(said) if as_json else print_fields(said)
