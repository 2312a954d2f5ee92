"""`textwave link`, `textwave link-domain`, `textwave token-key`."""

from typing import Annotated, Any

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson, Limit
from textwave.cli.output import print_fields, print_json, print_rows

app = typer.Typer(help="Short links.", no_args_is_help=True)
domains = typer.Typer(help="The organization's domains of short links.", no_args_is_help=True)
token_keys = typer.Typer(help="Keys that click tokens are made with.", no_args_is_help=True)
Host = Annotated[str, typer.Argument(help="The host of a domain, such as d.example.cn.")]
_DOMAIN_COLUMNS = ("host", "address", "is_default", "links", "retired_at")
_KEY_COLUMNS = ("version", "created_at")


@app.command("create")
def create_link(
    name: str,
    url: Annotated[str, typer.Argument(help="The long address.")],
    days: Annotated[int | None, typer.Option(min=1, max=3_650, help="How long it lives.")] = None,
    domain: Annotated[
        str | None, typer.Option(help="Host of the domain; without it the default one.")
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow an address inside the own network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a short link."""
    body = {
        "name": name,
        "long_url": url,
        "days": days,
        "domain": domain,
        "allow_private": allow_private,
    }
    made = open_api().post("/api/links", body)
    print_json(made) if as_json else print(made["url"])


@app.command("list")
def list_links(limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """List the short links."""
    found = list(open_api().items("/api/links", limit=limit))
    columns = ("name", "url", "long_url", "enabled", "expires_at", "total_clicks", "human_clicks")
    print_json(found) if as_json else print_rows(found, columns)


@app.command("show")
def show_link(name: str, as_json: AsJson = False) -> None:
    """Show a short link and how often it was opened."""
    found = open_api().get(f"/api/links/{segment(name)}")
    print_json(found) if as_json else print_fields(found)


@app.command("enable")
def enable_link(name: str, as_json: AsJson = False) -> None:
    """Let a short link lead to its address again."""
    _change(name, {"enabled": True}, as_json=as_json)


@app.command("disable")
def disable_link(name: str, as_json: AsJson = False) -> None:
    """Let a short link show that it has ended, within seconds."""
    _change(name, {"enabled": False}, as_json=as_json)


@app.command("extend")
def extend_link(
    name: str,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long it lives from now on.")],
    as_json: AsJson = False,
) -> None:
    """Let a short link live longer, or shorter."""
    _change(name, {"days": days}, as_json=as_json)


@app.command("clicks")
def list_clicks(
    name: str,
    human: Annotated[bool, typer.Option("--human", help="Only those of people.")] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List the clicks on a short link, newest first; numbers are masked."""
    query = {"human": True} if human else {}
    path = f"/api/links/{segment(name)}/clicks"
    found = list(open_api().items(path, limit=limit, **query))
    columns = ("clicked_at", "human", "judged_by", "campaign", "mobile")
    print_json(found) if as_json else print_rows(found, columns)


@domains.command("add")
def add_domain(
    address: Annotated[str, typer.Argument(help="Such as https://d.example.cn.")],
    is_default: Annotated[
        bool, typer.Option("--default", help="Let new links begin with it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a domain, or take a retired one up again; its DNS has to lead to the redirect."""
    made = open_api().post("/api/link-domains", {"address": address, "is_default": is_default})
    print_json(made) if as_json else print_rows([made], _DOMAIN_COLUMNS)


@domains.command("list")
def list_domains(as_json: AsJson = False) -> None:
    """List the domains, the default one first."""
    _print_domains(open_api().get("/api/link-domains")["items"], as_json=as_json)


@domains.command("default")
def choose_default(
    host: Annotated[
        str | None, typer.Argument(help="Without it new links have the installation's address.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let new links begin with a domain; links that exist keep theirs."""
    found = open_api().put("/api/link-domains/default", {"host": host})["items"]
    _print_domains(found, as_json=as_json)


@domains.command("retire")
def retire_domain(host: Host, as_json: AsJson = False) -> None:
    """Give a domain no new links; those that it has keep working."""
    kept = open_api().delete(f"/api/link-domains/{segment(host)}")
    print_json(kept) if as_json else print_rows([kept], _DOMAIN_COLUMNS)


@token_keys.command("list")
def list_token_keys(as_json: AsJson = False) -> None:
    """List the versions of the key, newest first; the keys themselves never come out."""
    found = open_api().get("/api/token-keys")["items"]
    print_json(found) if as_json else print_rows(found, _KEY_COLUMNS)


@token_keys.command("rotate")
def rotate_token_key(as_json: AsJson = False) -> None:
    """Make click tokens with a new key from now on; links that were sent still count."""
    found = open_api().post("/api/token-keys")["items"]
    print_json(found) if as_json else print_rows(found, _KEY_COLUMNS)


def _change(name: str, body: dict[str, Any], *, as_json: bool) -> None:
    kept = open_api().patch(f"/api/links/{segment(name)}", body)
    print_json(kept) if as_json else print_fields(kept)


def _print_domains(found: list[dict[str, Any]], *, as_json: bool) -> None:
    print_json(found) if as_json else print_rows(found, _DOMAIN_COLUMNS)
