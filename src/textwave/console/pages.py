"""Rendering: Jinja2 with autoescape, one environment a language, and how numbers and times look.

Nothing is marked safe, no page has inline script or style, and an undefined name is an error.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from textwave.console import (
    board,
    campaign_words,
    digital_words,
    language,
    limit_words,
    platform_words,
    table_words,
)
from textwave.console.addresses import (
    audience_address,
    campaign_address,
    named_address,
    new_audience_address,
)
from textwave.console.language import LANGUAGES, catalog
from textwave.console.refreshing import refresh_in_words, shown_refresh, weekdays
from textwave.kit.mobile import mask_numbers
from textwave.kit.money import Money

_CONSOLE: Final = Path(__file__).parent
STATIC: Final = _CONSOLE / "static"
_WORDS: Final = {
    "state": language.STATES,
    "type": language.TYPES,
    "outcome": language.OUTCOMES,
    "drop": language.DROPS,
    "cause": language.CAUSES,
    "intent": language.INTENTS,
    "step": language.STEPS,
    **table_words.WORDS,
    **campaign_words.WORDS,
    **limit_words.WORDS,
    **platform_words.WORDS,
    **digital_words.WORDS,
}
_written_time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").fullmatch
_variable = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of a template's text: literal, or the name of a variable."""

    text: str
    variable: bool


def pieces_of(text: str) -> list[TextPiece]:
    """Cut a text at its variables, for showing them apart."""
    cut = _variable.split(text)
    return [TextPiece(piece, index % 2 == 1) for index, piece in enumerate(cut) if piece]


def render(page: str, chosen: str, values: Mapping[str, Any]) -> str:
    """Render a page or a fragment in a language."""
    return _environment(chosen).get_template(page).render(**values)


def word(kind: str, name: str, chosen: str) -> str:
    """Return a word of the domain as a person reads it."""
    return catalog(chosen).gettext(_WORDS[kind].get(name, name))


@cache
def _environment(chosen: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_CONSOLE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(  # pyright: ignore[reportAttributeAccessIssue] - added by the extension
        catalog(chosen), newstyle=True
    )
    environment.globals.update(_shown(chosen))
    return environment


def _shown(chosen: str) -> dict[str, Any]:
    """Return what every template may call, bound to a language."""
    return {
        "language": chosen,
        "languages": LANGUAGES,
        "static": _static_address,
        "address": campaign_address,
        "audience_address": audience_address,
        "new_audience_address": new_audience_address,
        "cell": cell,
        "refresh_in_words": partial(refresh_in_words, chosen=chosen),
        "shown_refresh": shown_refresh,
        "weekdays": partial(weekdays, chosen),
        "named": named_address,
        "board_of": board,
        "pieces_of": pieces_of,
        "mask_numbers": mask_numbers,
        "age": partial(campaign_words.age, chosen=chosen),
        "weekday_names": campaign_words.weekday_names(chosen),
        "window_in_words": partial(campaign_words.window_in_words, chosen=chosen),
        "file_size": partial(digital_words.file_size, chosen=chosen),
        "length_of_time": digital_words.length_of_time,
        "money": money,
        "number": partial(format_decimal, locale=chosen),
        "percent": partial(percent, chosen=chosen),
        "moment": partial(_moment, chosen=chosen),
        "duration": partial(_duration, chosen=chosen),
        "word": partial(word, chosen=chosen),
    }


def percent(share: float, chosen: str) -> str:
    """Write a share; one decimal below ten percent, and never 100 % before all are there."""
    hundred = share * 100
    if hundred < 10:  # noqa: PLR2004 - said above
        return format_percent(share, format="0.#%", locale=chosen)
    if 99 < hundred < 100:  # noqa: PLR2004 - said above
        return format_percent(int(share * 1000) / 1000, format="0.#%", locale=chosen)
    return format_percent(share, format="0%", locale=chosen)


def money(milli: int, currency: str) -> str:
    """Write an amount."""
    return str(Money(milli, currency))


def _moment(at: datetime, zone: str, chosen: str) -> str:
    pattern = "yyyy-MM-dd HH:mm:ss"
    return str(format_datetime(at, pattern, tzinfo=ZoneInfo(zone), locale=chosen))


def cell(value: object, zone: str) -> str:
    """Write a value of a customer: a time as the zone's clocks show it, midnight as a day."""
    if isinstance(value, list):
        return ", ".join(cell(one, zone) for one in cast("list[object]", value))
    if not isinstance(value, str) or not _written_time(value):
        return str(value)
    written = local(datetime.fromisoformat(value), zone)
    return written.removesuffix(" 00:00:00")


def local(at: datetime, zone: str) -> str:
    """Write a time as the clocks of a zone show it, for a chart."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: float, chosen: str) -> str:
    """Write a duration in seconds, or in minutes and seconds from two minutes on."""
    if seconds < 120:  # noqa: PLR2004 - said above
        return format_unit(round(seconds, 1), "duration-second", "short", locale=chosen)
    minutes, rest = divmod(round(seconds), 60)
    amounts = ((minutes, "duration-minute"), (rest, "duration-second"))
    return " ".join(format_unit(count, unit, "short", locale=chosen) for count, unit in amounts)


def _static_address(name: str) -> str:
    return f"/console/static/{name}?v={_version(name)}"


@cache
def _version(name: str) -> str:
    """Name the content in the address, so that a browser may keep it for ever."""
    try:
        return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    except FileNotFoundError:
        return "missing"
