"""`textwave platform`."""

import asyncio
import shlex
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from textwave.cli.client import Answer, ApiRefused, open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.kit.text import Counting

app = typer.Typer(help="Accounts at SMS platforms.", no_args_is_help=True)


Name = Annotated[str, typer.Argument(help="The account's name.")]
Key = Annotated[str, typer.Option(envvar="PLATFORM_KEY", help="The key; asked for when missing.")]
KeyId = Annotated[str, typer.Option(help="The AccessKey id that the key belongs to (aliyun).")]
Options = Annotated[
    list[str] | None, typer.Option("--option", help="name=value of the kind; again for each.")
]
Capabilities = Annotated[
    list[str] | None, typer.Option("--capability", help="What it may send; again for each.")
]


@app.command("add")
def add_platform(
    name: str,
    url: Annotated[str | None, typer.Argument(help="Base URL; aliyun has one of its own.")] = None,
    key: Key = "",
    kind: Annotated[str, typer.Option(help="thirdparty or aliyun.")] = "thirdparty",
    key_id: KeyId = "",
    option: Options = None,
    capability: Capabilities = None,
    rate: Annotated[int, typer.Option(help="Messages a second.")] = 100,
    batch: Annotated[int, typer.Option(help="Messages a request.")] = 100,
    opt_out_text: Annotated[str, typer.Option(help="End of promotional texts.")] = "",
    counting: Annotated[Counting, typer.Option(help="How parts are counted.")] = Counting.MAINLAND,
    price_milli: Annotated[int, typer.Option(help="Thousandths of the currency a part.")] = 0,
    currency: str = "CNY",
    callback_signing: Annotated[str, typer.Option(help="strict or qa.")] = "strict",
    receipts: Annotated[str, typer.Option(help="push or pull.")] = "push",
    replies: Annotated[bool, typer.Option(help="Whether replies are wanted from it.")] = True,
    connect: Annotated[bool, typer.Option(help="Ask it for its limits at once.")] = True,
    as_json: AsJson = False,
) -> None:
    """Add a platform account; its limits and capabilities are asked for."""
    body = {
        "name": name, "kind": kind, "base_url": url, "key": _key(key), "key_id": key_id,
        "options": _options(option) or {}, "capabilities": capability, "rate_per_second": rate,
        "max_batch": batch, "opt_out_text": opt_out_text, "counting": counting,
        "price_milli": price_milli, "currency": currency, "callback_signing": callback_signing,
        "receipts": receipts, "takes_replies": replies,
    }  # fmt: skip
    api = open_api()
    made = api.post("/api/platforms", body)
    if connect:
        try:
            made = api.post(f"/api/platforms/{segment(name)}/connect")
        except ApiRefused:
            print(
                f"“{name}” is added, but could not be asked for its limits. Once that is mended, "
                f"see what it says with: textwave platform test {shlex.quote(name)}",
                file=sys.stderr,
            )
            raise
    _print_account(made, as_json=as_json)


@app.command("edit")
def edit_platform(
    name: Name,
    url: Annotated[str | None, typer.Option(help="Base URL.")] = None,
    option: Options = None,
    no_options: Annotated[bool, typer.Option("--no-options", help="Take all away.")] = False,
    capability: Capabilities = None,
    rate: Annotated[int | None, typer.Option(help="Messages a second.")] = None,
    batch: Annotated[int | None, typer.Option(help="Messages a request.")] = None,
    opt_out_text: Annotated[str | None, typer.Option(help="Empty: it has none.")] = None,
    counting: Annotated[Counting | None, typer.Option(help="How parts are counted.")] = None,
    price_milli: Annotated[
        int | None, typer.Option(help="Thousandths of the currency a part.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Such as CNY.")] = None,
    callback_signing: Annotated[str | None, typer.Option(help="strict or qa.")] = None,
    receipts: Annotated[str | None, typer.Option(help="push or pull.")] = None,
    replies: Annotated[
        bool | None, typer.Option("--replies/--no-replies", help="Whether they are wanted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of an account; the rest stays. Options are replaced together."""
    body = {
        "base_url": url, "options": {} if no_options else _options(option),
        "capabilities": capability, "rate_per_second": rate, "max_batch": batch,
        "opt_out_text": opt_out_text, "counting": counting, "price_milli": price_milli,
        "currency": currency, "callback_signing": callback_signing, "receipts": receipts,
        "takes_replies": replies,
    }  # fmt: skip
    kept = open_api().patch(f"/api/platforms/{segment(name)}", body)
    _print_account(kept, as_json=as_json)


@app.command("key")
def replace_key(
    name: Name,
    key: Key = "",
    key_id: Annotated[str | None, typer.Option(help="Where it is another now (aliyun).")] = None,
    as_json: AsJson = False,
) -> None:
    """Replace an account's key; callbacks may use the old one for 15 minutes more."""
    body = {"key": _key(key), "key_id": key_id}
    kept = open_api().put(f"/api/platforms/{segment(name)}/key", body)
    _print_account(kept, as_json=as_json)


@app.command("renew-address")
def renew_address(name: Name, as_json: AsJson = False) -> None:
    """Give an account new addresses to be pushed to; the old ones take nothing any more."""
    kept = open_api().post(f"/api/platforms/{segment(name)}/renew-address")
    print_json(kept) if as_json else print_fields(kept["callback_addresses"])


@app.command("admit")
def admit_workspace(
    name: Name,
    workspace: Annotated[str, typer.Argument(help="A workspace of the organization.")],
    as_json: AsJson = False,
) -> None:
    """Let a workspace use an account."""
    path = f"/api/platforms/{segment(name)}/workspaces/{segment(workspace)}"
    kept = open_api().put(path, {})
    _print_account(kept, as_json=as_json)


@app.command("withdraw")
def withdraw_workspace(
    name: Name,
    workspace: Annotated[str, typer.Argument(help="A workspace that uses it.")],
    as_json: AsJson = False,
) -> None:
    """Let a workspace use an account no longer; what it sent still comes back."""
    path = f"/api/platforms/{segment(name)}/workspaces/{segment(workspace)}"
    kept = open_api().delete(path)
    _print_account(kept, as_json=as_json)


@app.command("delete")
def delete_platform(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an account that nothing ever used, or retire one that was used."""
    if not yes:
        typer.confirm(f"Send nothing through “{name}” any more?", abort=True)
    answer = open_api().delete(f"/api/platforms/{segment(name)}?confirm={segment(name)}")
    if as_json:
        print_json(answer)
    elif answer["gone"]:
        print(f"“{name}” is deleted.")
    else:
        print(f"“{name}” is retired: what was sent through it still comes back.")


@app.command("test")
def try_platform(name: Name, as_json: AsJson = False) -> None:
    """Test an account's connection, check by check; status 1 when one fails."""
    found = open_api().post(f"/api/platforms/{segment(name)}/test")
    if as_json:
        print_json(found)
    else:
        print_rows(found["checks"], ("about", "verdict", "finding", "remedy"))
        _print_addresses(found["addresses"])
    if not found["passed"]:
        raise typer.Exit(1)


@app.command("show")
def show_platform(name: Name, as_json: AsJson = False) -> None:
    """Show an account, who may use it, and what the platform calls."""
    found = open_api().get(f"/api/platforms/{segment(name)}")
    _print_account(found, as_json=as_json)


@app.command("list")
def list_platforms(
    every: Annotated[
        bool, typer.Option("--all", help="The organization's: also retired ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the platforms that the workspace may use."""
    query = {"of": "organization"} if every else {}
    found = open_api().get("/api/platforms", **query)["items"]
    columns = ("name", "kind", "base_url", "rate_per_second", "max_batch", "capabilities")
    more = ("workspaces", "retired_at") if every else ("receipts",)
    print_json(found) if as_json else print_rows(found, (*columns, *more))


@app.command("check")
def check_platform(
    url: Annotated[str, typer.Argument(help="Base URL of the platform.")],
    key: Annotated[str, typer.Option(envvar="PLATFORM_KEY", help="The shared key.")] = "",
    name: Annotated[str, typer.Option(help="The platformName that answers must have.")] = "",
    signature: Annotated[str, typer.Option(help="A signature that it knows.")] = "Textwave",
    template_code: Annotated[str, typer.Option(help="An approved template.")] = "",
    qa_only: Annotated[
        bool, typer.Option("--qa-only", help="It is an old gateway: QA signatures only.")
    ] = False,
    listen: Annotated[
        str, typer.Option(help="host:port to take its callbacks at, to check them too.")
    ] = "",
    wait_seconds: Annotated[float, typer.Option(min=0, help="For an approval.")] = 30,
    receipt_wait_seconds: Annotated[float, typer.Option(min=0, help="For a receipt.")] = 5,
    push_wait_seconds: Annotated[float, typer.Option(min=0, help="For a push, again.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Check an implementation of the platform contract, rule by rule; status 1 when one fails.

    It sends only to numbers that nobody has. With --listen, enter at the platform that it shall
    push to http://HOST:PORT/callbacks/NAME/receipts, /replies and /reviews.
    """
    from textwave.platforms.conformance import RULES, check

    with Progress(*_checking(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("checking", total=len(RULES))
        findings = asyncio.run(
            check(
                url,
                key,
                name=name or None,
                signature=signature,
                template_code=template_code,
                qa_only=qa_only,
                listen=listen,
                wait_seconds=wait_seconds,
                receipt_wait_seconds=receipt_wait_seconds,
                push_wait_seconds=push_wait_seconds,
                tell=lambda finding: progress.update(task, advance=1, description=finding.rule),
            )
        )
    found = [asdict(finding) | {"found": finding.verdict} for finding in findings]
    print_json(found) if as_json else print_rows(found, ("rule", "found", "why"))
    broken = [finding for finding in findings if not finding.passed]
    for finding in broken:
        print(f"{finding.rule}: {finding.demand}", file=sys.stderr)
    if broken:
        print(f"{len(broken)} of {len(findings)} rules are not kept.", file=sys.stderr)
        raise typer.Exit(1)


def _print_account(account: Answer, *, as_json: bool) -> None:
    if as_json:
        print_json(account)
        return
    print_fields({key: value for key, value in account.items() if key != "callback_addresses"})
    _print_addresses(account["callback_addresses"])


def _print_addresses(addresses: dict[str, str] | None) -> None:
    if addresses:
        print("To enter at the platform:")
        print_fields(addresses)


def _checking() -> tuple[TextColumn, BarColumn]:
    return TextColumn("{task.description}"), BarColumn()


def _key(given: str) -> str:
    if given:
        return given
    answer: str = typer.prompt("Key", hide_input=True)
    return answer


def _options(given: list[str] | None) -> dict[str, str] | None:
    """Read name=value pairs; None when there are none."""
    if not given:
        return None
    pairs = [pair.partition("=") for pair in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"“{wrong[0]}” is not name=value")
    return {name: value for name, _, value in pairs}
