"""`textwave platform`."""

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.kit.text import Counting

app = typer.Typer(help="Accounts at SMS platforms.", no_args_is_help=True)


@app.command("add")
def add_platform(
    name: str,
    url: Annotated[str, typer.Argument(help="Base URL of the platform.")],
    key: Annotated[str, typer.Option(envvar="PLATFORM_KEY", help="The shared key.")],
    rate: Annotated[int, typer.Option(help="Messages a second.")] = 100,
    batch: Annotated[int, typer.Option(help="Messages a request.")] = 100,
    opt_out_text: Annotated[str, typer.Option(help="End of promotional texts.")] = "",
    counting: Annotated[Counting, typer.Option(help="How parts are counted.")] = Counting.MAINLAND,
    price_milli: Annotated[int, typer.Option(help="Thousandths of the currency a part.")] = 0,
    currency: str = "CNY",
    callback_signing: Annotated[str, typer.Option(help="strict or qa.")] = "strict",
    receipts: Annotated[str, typer.Option(help="push or pull.")] = "push",
    connect: Annotated[bool, typer.Option(help="Ask it for its limits at once.")] = True,
    as_json: AsJson = False,
) -> None:
    """Add a platform account; its limits and capabilities are asked for."""
    api = open_api()
    body = {
        "name": name, "base_url": url, "key": key, "rate_per_second": rate, "max_batch": batch,
        "opt_out_text": opt_out_text, "counting": counting, "price_milli": price_milli,
        "currency": currency, "callback_signing": callback_signing, "receipts": receipts,
    }  # fmt: skip
    made = api.post("/api/platforms", body)
    if connect:
        made = api.post(f"/api/platforms/{segment(name)}/connect")
    print_json(made) if as_json else print_fields(made)


@app.command("list")
def list_platforms(as_json: AsJson = False) -> None:
    """List the platforms."""
    found = open_api().get("/api/platforms")["items"]
    columns = ("name", "base_url", "rate_per_second", "max_batch", "capabilities", "receipts")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("check")
def check_platform(
    url: Annotated[str, typer.Argument(help="Base URL of the platform.")],
    key: Annotated[str, typer.Option(envvar="PLATFORM_KEY", help="The shared key.")] = "",
    signature: Annotated[str, typer.Option(help="A signature that it knows.")] = "Textwave",
    template_code: Annotated[str, typer.Option(help="An approved template.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check an implementation of the platform contract, rule by rule; status 1 when one fails."""
    from textwave.platforms.conformance import check

    findings = asyncio.run(check(url, key, signature=signature, template_code=template_code))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_rows([asdict(finding) for finding in findings], ("rule", "passed", "why"))
    if not all(finding.passed for finding in findings):
        failed = sum(not finding.passed for finding in findings)
        print(f"{failed} of {len(findings)} rules are not kept.", file=sys.stderr)
        raise typer.Exit(1)
