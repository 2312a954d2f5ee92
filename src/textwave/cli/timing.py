"""Options that say when a campaign is sent, and how what is given to them is read."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_match_window = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})").fullmatch

At = Annotated[
    str | None,
    typer.Option(help="2026-12-01T09:00 in the workspace's time, or with an offset."),
]
LateMinutes = Annotated[
    int | None, typer.Option(min=0, help="A start later than so many minutes is late (60).")
]
LateRule = Annotated[
    str | None,
    typer.Option(help="What a late start does: go, window (wait for it; usual) or cancel."),
]
SendingWindow = Annotated[
    str | None,
    typer.Option("--window", help="09:00-21:00, in the workspace's time; “always” for none."),
]
WindowDays = Annotated[
    str | None, typer.Option(help="Days of the window, such as mon,tue,fri. Usual: all.")
]
Spread = Annotated[
    int | None,
    typer.Option("--spread", min=0, help="Spread evenly over so many minutes of open window."),
]


def read_days(text: str) -> list[int]:
    """Read `mon,tue` as ISO weekdays."""
    days = [day.strip().lower()[:3] for day in text.split(",")]
    if unknown := [day for day in days if day not in _DAYS]:
        raise typer.BadParameter(f"“{unknown[0]}” is none of {', '.join(_DAYS)}")
    return [_DAYS.index(day) + 1 for day in days]


def read_window(window: str | None, days: str | None) -> dict[str, Any] | None:
    """Read a window and its days; None: always open."""
    found: dict[str, Any] = {}
    if window is not None and window != "always":
        matched = _match_window(window)
        if not matched:
            raise typer.BadParameter(f"“{window}” is not like 09:00-21:00")
        found = {"from": matched[1], "until": matched[2]}
    if days is not None:
        found["days"] = read_days(days)
    return found or None


def timing_body(
    *,
    at: str | None = None,
    late_minutes: int | None = None,
    late_rule: str | None = None,
    window: str | None = None,
    window_days: str | None = None,
    spread: int | None = None,
) -> dict[str, Any]:
    """Return what was given as the API takes it; what was not is left out."""
    schedule = given({"at": at, "late_minutes": late_minutes, "late_rule": late_rule})
    body: dict[str, Any] = {"schedule": schedule} if schedule else {}
    if window is not None or window_days is not None:
        body["window"] = read_window(window, window_days)
    if spread is not None:
        body["spread_minutes"] = spread
    return body


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}
