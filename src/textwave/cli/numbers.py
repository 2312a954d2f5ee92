"""`textwave number why`: what a number got, what not, and which rule decided."""

from typing import Annotated

import typer

from textwave.cli.client import open_api
from textwave.cli.options import AsJson
from textwave.cli.output import print_json, print_rows

app = typer.Typer(help="One number.", no_args_is_help=True)
_SENT = ("prepared_at", "campaign", "signature", "state", "cause", "finished_at", "clicked_at")
_NOT_SENT = ("dropped_at", "campaign", "signature", "reason", "said")
_BLOCKS = ("blocked_at", "platform", "signature", "source", "reason", "evidence", "lifted_at")
_OBSTACLES = ("rule", "said", "until")


@app.callback()
def _number() -> None:
    """Look at one number."""


@app.command("why")
def why(
    mobile: str,
    platform: Annotated[str | None, typer.Option(help="With --signature.")] = None,
    signature: Annotated[
        str | None, typer.Option(help="Also what would happen now to a message under it.")
    ] = None,
    before: Annotated[int | None, typer.Option(help="Go on before this campaign.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain what a number got, what it did not get, and which rule decided."""
    body = {"mobile": mobile, "platform": platform, "signature": signature, "before": before}
    found = open_api().post("/api/numbers/why", body)
    if as_json:
        print_json(found)
        return
    for title, rows, columns in (
        ("Sent", found["sent"], _SENT),
        ("Not sent", found["not_sent"], _NOT_SENT),
        ("Opt-outs and deny list", found["blocks"], _BLOCKS),
    ):
        print(f"{title}: {len(rows) or 'nothing'}")
        if rows:
            print_rows(rows, columns)
    if now := found["now"]:
        listed = " (on the allowlist)" if now["on_allowlist"] else ""
        print(
            f"Now under “{now['signature']}”: {'allowed' if now['allowed'] else 'blocked'}{listed}"
        )
        if now["obstacles"]:
            print_rows(now["obstacles"], _OBSTACLES)
    if moved := found["moved_until"]:
        print(f"Messages of {moved[:7]} and before were moved to the warehouse; they are not here.")
    if found["next"]:
        print(f"Older campaigns: --before {found['next']}")
