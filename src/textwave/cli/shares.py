"""Options of exclusions, control groups and variants, and `textwave campaign winner`."""

from typing import Annotated, Any

import typer

from textwave.cli.client import open_api, segment
from textwave.cli.options import AsJson
from textwave.cli.output import print_json

Exclude = Annotated[
    list[str] | None, typer.Option(help="Audience whose members get nothing; repeatable.")
]
ControlOption = Annotated[
    str | None,
    typer.Option("--control", help="Who is held out: a share such as 10%, or a number of people."),
]
VariantOption = Annotated[
    list[str] | None,
    typer.Option("--variant", help="name=template[:share such as 30%]; repeatable, 2 to 5."),
]
TestShare = Annotated[
    str | None,
    typer.Option(help="Share that tries the variants first, such as 20%; the rest waits."),
]
WinnerBy = Annotated[str | None, typer.Option(help="Who chooses the winner: clicks or hand.")]
WinnerAfter = Annotated[
    int | None, typer.Option(help="Minutes after the last test message; 120 if not given.")
]
Seed = Annotated[int | None, typer.Option(help="The same seed draws the same numbers.")]


def shares_body(
    *,
    exclude: list[str] | None,
    control: str | None,
    variant: list[str] | None,
    test_share: str | None,
    winner_by: str | None,
    winner_after: int | None,
    seed: int | None,
) -> dict[str, Any]:
    """Return the options as the API takes them; what is not given is left out."""
    body: dict[str, Any] = {
        "exclude": exclude or [],
        "variants": [_variant(given) for given in variant or []],
    }
    if control is not None:
        body["control"] = _control(control)
    if test_share is not None:
        winner = {"by": winner_by, "after_minutes": winner_after}
        given = {name: value for name, value in winner.items() if value is not None}
        body["winner"] = {"test_share": _share(test_share), **given}
    elif winner_by is not None or winner_after is not None:
        raise typer.BadParameter("a winner needs --test-share: how many try the variants first")
    if seed is not None:
        body["seed"] = seed
    return body


def winner(name: str, variant: str, as_json: AsJson = False) -> None:
    """Choose the variant that all who wait get."""
    moved = open_api().post(f"/api/campaigns/{segment(name)}/winner", {"variant": variant})
    if as_json:
        print_json(moved)
    else:
        print(f"“{moved['name']}” is {moved['state']}. {moved['winner']['reason']}".strip())


def _control(given: str) -> dict[str, float | int]:
    if given.endswith("%"):
        return {"share": _share(given)}
    if not given.isdecimal():
        raise typer.BadParameter(f"“{given}” is neither a share such as 10% nor a whole number")
    return {"size": int(given)}


def _variant(given: str) -> dict[str, Any]:
    name, _, rest = given.partition("=")
    template, colon, share = rest.rpartition(":")
    if not colon or not share.endswith("%"):
        template, share = rest, ""
    if not name or not template:
        raise typer.BadParameter(f"“{given}” is not name=template[:share%]")
    return {"name": name, "template": template} | ({"share": _share(share)} if share else {})


def _share(given: str) -> float:
    try:
        return round(float(given.removesuffix("%")) / 100, 5)
    except ValueError:
        raise typer.BadParameter(f"“{given}” is no share such as 10%") from None
