# ruff: noqa: S608 - statements are built from quoted names and literals only
"""What is in the columns of a table: gaps, distinct values, ends, the most frequent values.

Counts come from one pass over all columns; the most frequent values from one over each text column
alone, which reads no more of a column store and groups faster than all at once. Never shown:
customers' keys, mobile numbers and other ids of people.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from textwave.customers.columns import Column, ColumnType, looks_like_mobile
from textwave.customers.quoting import literal, name_of
from textwave.kit.refusal import InvalidValue
from textwave.storage.warehouse import Lake

MOST_COLUMNS: Final = 200
MOST_EXACT_ROWS: Final = 100_000
MOST_VALUES: Final = 50
MOST_FOUND: Final = 100
_MOST_GROUPED: Final = 10_000
_SAMPLED_ROWS: Final = 100_000
_LONGEST_VALUE: Final = 200
_looks_like_address = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+").fullmatch
_TEXTS: Final = (ColumnType.TEXT, ColumnType.MULTI_VALUE)


@dataclass(frozen=True, slots=True)
class Subject:
    """The table that is looked at; values of its `hidden` columns identify people."""

    name: str
    columns: tuple[Column, ...]
    hidden: frozenset[str]


def measure(lake: Lake, subject: Subject) -> dict[str, dict[str, Any]]:
    """Return the statistics of at most 200 columns, by name.

    `nulls`, `distinct`, `approximate` (distinct may be off by a third), `hidden`; for numbers and
    times `min` and `max`; for texts and several values `top`, pairs of value and count, `sampled`
    when they were counted among 100,000 rows only.
    """
    columns = subject.columns[:MOST_COLUMNS]
    rows = _count(lake, subject)
    measured = _counts(lake, subject, columns, exact=rows <= MOST_EXACT_ROWS)
    for column in columns:
        found = measured[column.name]
        if not found["hidden"] and column.type in _TEXTS:
            sampled = found["distinct"] > _MOST_GROUPED and rows > MOST_EXACT_ROWS
            found |= _top(lake, subject, column, sampled=sampled)
    return measured


def find_values(
    lake: Lake, subject: Subject, column_name: str, contains: str
) -> list[dict[str, Any]]:
    """Return the 100 most frequent values that contain a text in either case, with counts.

    Raises:
        InvalidValue: the table has no such column, it holds no texts, or they identify people.
    """
    column = _searchable(subject, column_name)
    condition = f"contains(lower(value), lower({literal(contains)}))"
    found = _frequent(lake, _values(lake, subject, column), condition, MOST_FOUND)
    return [{"value": value, "count": count} for value, count, _ in found if not identifies(value)]


def identifies(value: str) -> bool:
    """Tell whether a value looks like a mobile number or an e-mail address."""
    return looks_like_mobile(value) or _looks_like_address(value) is not None


def _searchable(subject: Subject, name: str) -> Column:
    column = next((column for column in subject.columns if column.name == name), None)
    if column is None:
        known = ", ".join(column.name for column in subject.columns)
        raise InvalidValue("column", f"“{subject.name}” has no column “{name}”; it has {known}.")
    if name in subject.hidden:
        raise InvalidValue("column", f"The values of “{name}” identify people and are not shown.")
    if column.type not in _TEXTS:
        raise InvalidValue("column", f"“{name}” is a {column.type}; only texts are searched.")
    return column


def _count(lake: Lake, subject: Subject) -> int:
    row = lake.duckdb.execute(f"SELECT count(*) FROM {lake.qualified(subject.name)}").fetchone()
    return 0 if row is None else int(row[0])


def _counts(
    lake: Lake, subject: Subject, columns: Sequence[Column], *, exact: bool
) -> dict[str, dict[str, Any]]:
    distinct = "count(DISTINCT {0})" if exact else "approx_count_distinct({0})"
    pieces = ["count(*)"]
    for column in columns:
        cell = name_of(column.name)
        ends = (f"min({cell})", f"max({cell})") if column.type not in _TEXTS else ("NULL", "NULL")
        pieces += [f"count({cell})", distinct.format(cell), *ends]
    statement = f"SELECT {', '.join(pieces)} FROM {lake.qualified(subject.name)}"
    rows, *found = lake.duckdb.execute(statement).fetchone() or (0,)
    measured: dict[str, dict[str, Any]] = {}
    for column, values in zip(columns, zip(*[iter(found)] * 4, strict=True), strict=True):
        present, number, low, high = values
        measured[column.name] = {
            "nulls": rows - present,
            "distinct": min(number, present),
            "approximate": not exact,
            "hidden": column.name in subject.hidden,
        }
        if column.type not in _TEXTS:
            measured[column.name] |= {"min": _written(low), "max": _written(high)}
    return measured


def _top(lake: Lake, subject: Subject, column: Column, *, sampled: bool) -> Mapping[str, Any]:
    values = _values(lake, subject, column, sampled=sampled)
    found = _frequent(lake, values, "value IS NOT NULL", MOST_VALUES)
    shown = [[value, count] for value, count, _ in found if not identifies(value)]
    top: dict[str, Any] = {"top": shown, "sampled": sampled, "hidden": len(shown) < len(found)}
    if not sampled:
        top |= {"distinct": found[0][2] if found else 0, "approximate": False}
    return top


def _values(lake: Lake, subject: Subject, column: Column, *, sampled: bool = False) -> str:
    """Return the query for a column's texts; several values of a field are split and trimmed."""
    cell = name_of(column.name)
    source = f"(SELECT {cell} FROM {lake.qualified(subject.name)})"
    if sampled:
        source += f" USING SAMPLE reservoir({_SAMPLED_ROWS} ROWS) REPEATABLE (1)"
    if column.type is not ColumnType.MULTI_VALUE:
        return f"SELECT {cell} AS value FROM {source}"
    split = f"unnest(string_split({cell}, {literal(column.separator or ',')}))"
    return f"SELECT nullif(trim(value), '') AS value FROM (SELECT {split} AS value FROM {source})"


def _frequent(lake: Lake, values: str, condition: str, limit: int) -> list[tuple[str, int, int]]:
    """Return the most frequent values, each with its count and that of all distinct ones."""
    return lake.duckdb.execute(
        f"SELECT value[:{_LONGEST_VALUE}], count(*) AS number, count(*) OVER () "
        f"FROM ({values}) WHERE {condition} "
        f"GROUP BY value ORDER BY number DESC, value LIMIT {limit}"
    ).fetchall()


def _written(value: object) -> object:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
