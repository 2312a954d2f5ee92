"""`textwave count`."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from textwave.cli.client import Answer, open_api
from textwave.cli.options import AsJson
from textwave.cli.output import print_fields, print_json, print_rows
from textwave.kit.text import Counting, count


def count_text(
    text: Annotated[str, typer.Argument(help="The text, with ${variables} or as it is sent.")],
    signature: Annotated[str, typer.Option(help="Without 【】.")] = "",
    rule: Annotated[Counting, typer.Option(help="How it is counted.")] = Counting.MAINLAND,
    platform: Annotated[
        str, typer.Option(help="Count as this platform does, with its opt-out text and price.")
    ] = "",
    message_type: Annotated[
        str, typer.Option("--type", help="promotional or notification; with --platform.")
    ] = "notification",
    value: Annotated[
        list[str], typer.Option(help="name=text of a variable; may be given again.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    as_json: AsJson = False,
) -> None:
    """Count encoding, units and billed parts of a text; without --platform here, asking nobody."""
    if not platform:
        counted = asdict(count(_filled(text, value), signature, rule))
        print_json(counted) if as_json else print_fields(counted)
        return
    body = {
        "text": text, "signature": signature, "platform": platform, "type": message_type,
        "values": dict(_read(one) for one in value),
    }  # fmt: skip
    answer = open_api().post("/api/count", body)
    if as_json:
        print_json(answer)
    else:
        print(answer["text"])
        print_rows(_rows(answer), ("recipient", "encoding", "units", "parts", "price"))


def _read(given: str) -> tuple[str, str]:
    name, separator, text = given.partition("=")
    if not name or not separator:
        raise typer.BadParameter(f"“{given}” is not name=text")
    return name, text


def _filled(text: str, values: list[str]) -> str:
    for name, value in map(_read, values):
        text = text.replace(f"${{{name}}}", value)
    return text


def _rows(answer: Answer) -> list[dict[str, Any]]:
    said = {"as typed": answer, "at worst": answer["worst"], "on average": answer["average"]}
    return [
        {
            "recipient": who,
            "encoding": counted.get("encoding", ""),
            "units": counted["units"],
            "parts": counted["parts"],
            "price": f"{counted['price_milli'] / 1000:.3f} {counted['currency']}",
        }
        for who, counted in said.items()
        if counted is not None
    ]
