"""`textwave campaign copy`, `retry-failed` and `test-send`: campaigns made from others."""

import time
from typing import Annotated, Final

import typer

from textwave.cli.client import Answer, Api, open_api, segment
from textwave.cli.options import AsJson, read_source
from textwave.cli.output import print_fields, print_json, print_rows

_OPEN: Final = ("planned", "prepared", "held", "retrying", "submitted")
_COLUMNS: Final = ("mobile", "state", "cause", "outcome", "answered_at", "finished_at")
_EVERY_SECONDS: Final = 0.5


def copy(
    name: str,
    new_name: Annotated[str, typer.Argument(help="What the copy is named.")],
    as_json: AsJson = False,
) -> None:
    """Write a draft under a new name with everything that the campaign says."""
    made = open_api().post(f"/api/campaigns/{segment(name)}/copy", {"name": new_name})
    print_json(made) if as_json else print_fields(made)


def retry_failed(
    name: str,
    new_name: Annotated[str, typer.Argument(help="What the retry is named.")],
    cause: Annotated[
        list[str] | None,
        typer.Option(
            help="Only who failed with this cause; repeatable. Default: all with which a message "
            "was surely not delivered and nobody said no."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft for those who failed and were not reached since; start it as any other."""
    api = open_api()
    body = {"name": new_name, "causes": cause or None}
    operation = api.post(f"/api/campaigns/{segment(name)}/retry-failed", body)
    result = api.finished(operation)
    if as_json:
        print_json(result)
        return
    causes = ", ".join(f"“{one}”" for one in result["causes"])
    print(
        f"“{result['campaign']}” is a draft for {result['size']:,} people who failed with {causes}."
        f" Start it with: textwave campaign start '{result['campaign']}'"
    )


def text_from_dropped(
    name: str,
    new_name: Annotated[str, typer.Argument(help="What the text campaign is named.")],
    template: Annotated[str, typer.Option(help="The text template …")] = "",
    content: Annotated[str, typer.Option(help="… or a text of its own.")] = "",
    message_type: Annotated[
        str, typer.Option("--type", help="promotional or notification.")
    ] = "promotional",
    platform: Annotated[str, typer.Option(help="Default: that of the digital campaign.")] = "",
    signature: Annotated[str, typer.Option(help="Default: that of the digital campaign.")] = "",
    variable: Annotated[
        list[str] | None,
        typer.Option(help="name=column[:default=text|:empty|:drop]; repeatable."),
    ] = None,
    cause: Annotated[
        list[str] | None, typer.Option(help="Also who failed with this cause; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft of a text for those whose carriers have not approved a digital campaign."""
    api = open_api()
    body = {
        "name": new_name, "template": template, "content": content, "type": message_type,
        "platform": platform, "signature": signature, "causes": cause or [],
        "variables": dict(read_source(one) for one in variable or []),
    }  # fmt: skip
    operation = api.post(f"/api/campaigns/{segment(name)}/text-from-dropped", body)
    result = api.finished(operation)
    if as_json:
        print_json(result)
        return
    print(
        f"“{result['campaign']}” is a draft for {result['size']:,} people. "
        f"Start it with: textwave campaign start '{result['campaign']}'"
    )


def send_test(
    name: str,
    mobiles: Annotated[list[str], typer.Argument(help="One to ten numbers.")],
    value: Annotated[
        list[str] | None, typer.Option(help="Of a variable: name=text; repeatable.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="Whose values are taken; --value wins.")
    ] = None,
    variant: Annotated[str | None, typer.Option(help="Of several texts this one.")] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the receipts at most.")
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Send the text to a few numbers first; a test is counted nowhere."""
    api = open_api()
    body = {
        "mobiles": mobiles, "values": dict(_value(one) for one in value or []),
        "customer": customer, "variant": variant,
    }  # fmt: skip
    result = api.finished(api.post(f"/api/campaigns/{segment(name)}/test-send", body))
    test = _watched(api, name, result["test"], wait)
    if as_json:
        print_json(result | test)
        return
    print(result["text"])
    print_rows(test["messages"], _COLUMNS)


def _value(given: str) -> tuple[str, str]:
    name, equals, text = given.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"“{given}” is not name=text")
    return name, text


def _watched(api: Api, name: str, test: str, seconds: float) -> Answer:
    """Wait until every message of a test has ended, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = api.get(f"/api/campaigns/{segment(name)}/test-sends")["items"]
        mine: Answer = next(one for one in found if one["name"] == test)
        waiting = any(message["state"] in _OPEN for message in mine["messages"])
        if not waiting or time.monotonic() > deadline:
            return mine
        time.sleep(_EVERY_SECONDS)
