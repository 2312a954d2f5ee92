"""Named SQL statements, kept in a `store.sql` beside the store that uses them.

A block is `-- name: what_it_is`, a comment line on its purpose, and one statement.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- name: ([a-z0-9_]+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one `store.sql`, by name."""

    package: str
    by_name: dict[str, LiteralString]

    def __getitem__(self, name: str) -> LiteralString:
        return self.by_name[name]


def load_statements(package: str, file: str = "store.sql") -> Statements:
    """Read the named statements of a package's SQL file; it is code, not input."""
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    pieces = _HEADING.split(text)
    names, bodies = pieces[1::2], pieces[2::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/{file} names a statement twice")
    return Statements(
        package,
        {n: cast("LiteralString", b.strip()) for n, b in zip(names, bodies, strict=True)},
    )
