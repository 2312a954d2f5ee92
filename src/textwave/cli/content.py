"""`textwave platform`, `signature`, `template`, `link` and `count`."""

import asyncio
import sys
import time
from dataclasses import asdict
from typing import Annotated

import typer

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.kit.text import Counting

_LOOK_SECONDS = 0.5
platforms = typer.Typer(help="Accounts at SMS platforms.", no_args_is_help=True)
signatures = typer.Typer(help="Signatures: who speaks.", no_args_is_help=True)
templates = typer.Typer(help="Templates: what is said.", no_args_is_help=True)
links = typer.Typer(help="Short links.", no_args_is_help=True)


@platforms.command("add")
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


@platforms.command("list")
def list_platforms(as_json: AsJson = False) -> None:
    """List the platforms."""
    found = open_api().get("/api/platforms")["items"]
    columns = ("name", "base_url", "rate_per_second", "max_batch", "capabilities", "receipts")
    print_json(found) if as_json else print_rows(found, columns)


@platforms.command("check")
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


@signatures.command("add")
def add_signature(
    name: Annotated[str, typer.Argument(help="Without 【】.")],
    platform: Annotated[str, typer.Option(help="Where it exists.")],
    as_json: AsJson = False,
) -> None:
    """Add a signature that exists at the platform."""
    made = open_api().post("/api/signatures", {"platform": platform, "name": name})
    print_json(made) if as_json else print_fields(made)


@signatures.command("rate")
def set_signature_rate(
    name: str,
    platform: Annotated[str, typer.Option(help="The platform that it is at.")],
    rate: Annotated[
        int | None, typer.Option("--per-second", min=1, help="Without it: as the account takes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set how many messages a second may leave under a signature."""
    body = {"platform": platform, "rate_per_second": rate}
    kept = open_api().put(f"/api/signatures/{segment(name)}/rate", body)
    print_json(kept) if as_json else print_fields(kept)


@signatures.command("list")
def list_signatures(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the signatures."""
    found = list(open_api().items("/api/signatures", limit=limit))
    columns = ("platform", "name", "state", "verified", "reason")
    print_json(found) if as_json else print_rows(found, columns)


@templates.command("create")
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


@templates.command("submit")
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


@templates.command("list")
def list_templates(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the templates."""
    found = list(open_api().items("/api/templates", limit=limit))
    columns = ("name", "platform", "type", "state", "reason", "content")
    print_json(found) if as_json else print_rows(found, columns)


@templates.command("show")
def show_template(name: str, as_json: AsJson = False) -> None:
    """Show a template and how its review stands."""
    found = open_api().get(f"/api/templates/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@links.command("create")
def create_link(
    name: str,
    url: Annotated[str, typer.Argument(help="The long address.")],
    days: Annotated[int | None, typer.Option(min=1, max=3_650, help="How long it lives.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow an address inside the own network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a short link."""
    body = {"name": name, "long_url": url, "days": days, "allow_private": allow_private}
    made = open_api().post("/api/links", body)
    print_json(made) if as_json else print(made["url"])


@links.command("list")
def list_links(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the short links."""
    found = list(open_api().items("/api/links", limit=limit))
    columns = ("name", "url", "long_url", "enabled", "expires_at", "total_clicks", "human_clicks")
    print_json(found) if as_json else print_rows(found, columns)


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
