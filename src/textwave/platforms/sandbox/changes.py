"""Settings of simulated platforms: how they are checked, and changed while one runs.

Refuses names that are no settings, what is fixed while it runs, and values that do not fit.
"""

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from yarl import URL

from textwave.kit.refusal import InvalidValue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SettingsT = TypeVar("SettingsT", bound="DataclassInstance")


def changed(settings: SettingsT, change: bytes, fixed: Collection[str]) -> SettingsT:
    """Return the settings with a JSON object of changes applied, none of those that are fixed.

    Raises:
        InvalidValue: it is no object, or a name or value in it does not fit.
    """
    try:
        wanted = msgspec.json.decode(change, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue("settings", f"must be a JSON object ({error})") from None
    known = {field.name for field in dataclasses.fields(settings)}
    for name in wanted:
        check(name, name in known, "is not a setting of this platform")
        check(name, name not in fixed, "cannot be changed while it runs")
    try:
        return msgspec.convert(dataclasses.asdict(settings) | wanted, type(settings))
    except msgspec.ValidationError as error:
        raise InvalidValue("settings", str(error)) from None


def check(name: str, holds: bool, problem: str) -> None:  # noqa: FBT001 - it is the condition
    """Accept a setting of which a condition holds.

    Raises:
        InvalidValue: it does not; `problem` says what is wrong.
    """
    if not holds:
        raise InvalidValue(name, problem)


def is_web_address(text: str) -> bool:
    """Tell whether a text is a whole http or https address."""
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)
