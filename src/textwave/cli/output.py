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


def print_json(value: Any) -> None:
    """Print a value as indented JSON, characters as they are."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as a table; a terminal gets borders and colours, a pipe plain text."""
    table = Table(*(name.replace("_", " ") for name in columns), box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(written(row.get(name)) for name in columns))
    console().print(table, markup=False)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one thing as lines of name and value; rules and definitions as JSON to copy."""
    table = Table.grid("name", "value", padding=(0, 2))
    for name, value in fields.items():
        shown = json.dumps(value, ensure_ascii=False) if name in AS_JSON else written(value)
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
        return ", ".join(f"{name}: {written(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(written(item) for item in value)
    return str(value)


def console() -> Console:
    """Return the console of standard output; wide when it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False)
