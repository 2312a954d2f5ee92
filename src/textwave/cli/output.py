"""How commands print: tables for people, stable JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

AS_JSON: Final = ("rule", "definition")
"""Fields that are shown as they are given to a command."""
_AS_DIGITS: Final = ("id", "seed", "operation")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def print_json(value: Any) -> None:
    """Print a value as indented JSON, characters as they are."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as a table; a terminal gets borders and colours, a pipe plain text."""
    table = Table(*(name.replace("_", " ") for name in columns), box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(_field(name, row.get(name)) for name in columns))
    console().print(table, markup=False)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one thing as lines of name and value; rules and definitions as JSON to copy."""
    table = Table.grid("name", "value", padding=(0, 2))
    for name, value in fields.items():
        shown = json.dumps(value, ensure_ascii=False) if name in AS_JSON else _field(name, value)
        table.add_row(name.replace("_", " "), shown)
    console().print(table, markup=False)


def written(value: Any) -> str:
    """Write a value for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        said = {name: item for name, item in value.items() if not _is_nothing(item)}
        return ", ".join(f"{name}: {_field(name, item)}" for name, item in said.items())
    if isinstance(value, list | tuple):
        return ", ".join(written(item) for item in value)
    return str(value)


def _field(name: str, value: Any) -> str:
    """Write the value of a field: what a command takes again has no separators in it."""
    if isinstance(value, int) and (name in _AS_DIGITS or name.endswith("_id")):
        return str(value)
    if name == "days" and isinstance(value, list):
        return ", ".join(_WEEKDAYS[day - 1] for day in value)
    return written(value)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def console() -> Console:
    """Return the console of standard output; wide when it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
