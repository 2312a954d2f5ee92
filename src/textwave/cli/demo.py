"""`textwave demo`: a shop, a simulated platform, one campaign from beginning to end."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, Api
from textwave.cli.installation import Addresses, read_api_key, read_running
from textwave.cli.output import console, written
from textwave.demo.platform import Kind, start_sandbox
from textwave.settings import Settings, load_settings

REPORTED = (
    "audience", "messages", "drops", "delivered", "failed", "waiting", "in_doubt", "parts",
    "clicks", "clickers", "replies", "opt_outs", "seconds",
)  # fmt: skip


def demo(
    size: Annotated[int, typer.Option(min=100, help="Customers of the shop.")] = 200_000,
    platform: Annotated[
        Kind, typer.Option(help="Send through a third-party platform or Alibaba Cloud, simulated.")
    ] = Kind.THIRDPARTY,
    once: Annotated[bool, typer.Option(help="Stop everything at the end.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the final effect report there, as JSON.")
    ] = None,
) -> None:
    """Run the main job over a simulated platform; a second run uses the data folder again."""
    from textwave.cli.processes import down
    from textwave.demo.shop import write_shop
    from textwave.demo.story import Story

    settings = load_settings()
    out = console()
    began = time.monotonic()
    addresses = _started(settings)
    data = settings.data.resolve()
    folder = data / "demo"
    sandbox = start_sandbox(folder, addresses, kind=platform, seed=settings.demo_seed)
    story = Story(Api(addresses.web, read_api_key(data)), sandbox, out)
    story.seconds["start"] = round(time.monotonic() - began, 3)
    out.print(f"Textwave runs at {addresses.web}, links at {addresses.links}")
    out.print(f"The simulated platform runs at {sandbox.url}")
    try:
        with story.step("generate", f"0. Make a shop with {size:,} customers"):
            today = datetime.now(UTC).date()
            shop = write_shop(
                folder / f"shop-{size}", customers=size, seed=settings.demo_seed, today=today
            )
        effect = story.tell(shop)
        _print_effect(effect)
        _check(effect, sandbox.counts())
        if report:
            reported = {name: effect[name] for name in REPORTED}
            report.write_text(json.dumps(reported, indent=2) + "\n", encoding="utf-8")
    finally:
        if once:
            down()
    if not once:
        _say_what_to_open(settings, addresses, effect)


def _started(settings: Settings) -> Addresses:
    from textwave.cli.processes import up

    running = read_running(settings.data.resolve())
    if running is None or not running.alive:
        up(detach=True)
        running = read_running(settings.data.resolve())
    if running is None:
        raise RuntimeError("textwave up left no running.json")
    return running.addresses


def _print_effect(effect: Answer) -> None:
    out = console()
    out.print(f"\nEffect of “{effect['campaign']}”")
    for name in REPORTED:
        out.print(f"   {name.replace('_', ' '):12} {written(effect[name])}")
    drops = sum(effect["drops"].values())
    out.print(
        f"   audience {effect['audience']:,} = {effect['messages']:,} messages + {drops:,} drops"
    )
    out.print(
        f"   messages {effect['messages']:,} = {effect['delivered']:,} delivered + "
        f"{effect['failed']:,} failed + {effect['waiting']:,} waiting + "
        f"{effect['in_doubt']:,} in doubt"
    )


def _check(effect: Answer, witness: dict[str, Any]) -> None:
    """Hold the report against itself and against what the platform really received."""
    states = sum(effect[name] for name in ("delivered", "failed", "waiting", "in_doubt"))
    problems = {
        "audience = messages + drops": effect["audience"]
        == effect["messages"] + sum(effect["drops"].values()),
        "messages = delivered + failed + waiting + in doubt": effect["messages"] == states,
        "the platform has seen no message twice": witness["twice"] == 0,
        "the campaign is completed": effect["state"] == "completed",
    }
    console().print(
        f"   the platform received {witness['distinct']:,} different messages in all, "
        f"{witness['twice']} of them twice"
    )
    wrong = [what for what, holds in problems.items() if not holds]
    if wrong:
        console().print("\nThis does not hold: " + "; ".join(wrong))
        raise typer.Exit(1)


def _say_what_to_open(settings: Settings, addresses: Addresses, effect: Answer) -> None:
    from textwave.console.addresses import sign_in_address
    from textwave.storage.secrets import open_vault

    data = settings.data.resolve()
    board = sign_in_address(
        addresses.web,
        vault_key=open_vault(settings.shared_folder).key,
        workspace_id=asyncio.run(_workspace(settings)),
        now=datetime.now(UTC),
        campaign=effect["campaign"],
    )
    out = console()
    out.print("\nEverything keeps running. Open")
    out.print(f"   the live board     {board}", soft_wrap=True)
    out.print(f"   the API            {addresses.web}/api/openapi.json")
    out.print(f"The data lies in {data}. `textwave down` stops everything.")


async def _workspace(settings: Settings) -> Any:
    from textwave.accounts.operations import identify
    from textwave.storage.ledger import open_ledger
    from textwave.wiring import database_urls

    api_key = read_api_key(settings.data.resolve())
    async with open_ledger(database_urls(settings).web, connections=1) as ledger:
        return (await identify(ledger, api_key=api_key)).workspace_id
