"""`textwave retention`: which months of messages are in the ledger, and moving old ones out."""

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson
from textwave.cli.output import print_json, print_rows

app = typer.Typer(
    help="How long messages stay in the ledger before they move to the warehouse.",
    no_args_is_help=True,
)
_COLUMNS = (
    "month", "campaigns", "messages", "drops", "bytes", "open_messages", "exported", "dropped_at",
    "held_up", "waits_for",
)  # fmt: skip


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Show each month: messages, bytes in the ledger, what was moved, and what holds it up."""
    found = open_api().get("/api/retention")
    if as_json:
        print_json(found)
        return
    if found["message_months"]:
        print(f"Messages from {found['oldest_kept']} on stay; older months move to the warehouse.")
    else:
        print("Messages stay for ever (TEXTWAVE_MESSAGE_MONTHS is 0).")
    rows = [month | {"month": month["month"][:7]} for month in found["months"]]
    print_rows(rows, _COLUMNS)


@app.command("run")
def run(as_json: AsJson = False) -> None:
    """Move the months that are old enough now, as a worker does once a day.

    Ctrl-C ends it; what was copied stays, and the next run goes on from there.
    """
    api = open_api()
    result = api.finished(api.post("/api/retention/run"))
    if as_json:
        print_json(result)
        return
    for month in result["moved"]:
        print(f"{month} is in the warehouse now; its counters stay here.")
    for month, reason in result["held_up"].items():
        print(f"{month} stays: {reason}.")
    if not result["moved"] and not result["held_up"]:
        print("No month is old enough to move.")
