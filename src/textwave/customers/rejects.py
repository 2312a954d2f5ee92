# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Rows that an import did not take: where they stand, which value, why; kept in the warehouse."""

from dataclasses import dataclass
from typing import Final

from textwave.customers.columns import ColumnType, Part
from textwave.customers.quoting import literal
from textwave.customers.request import MOBILE_ID
from textwave.customers.staging import Staged, numberless
from textwave.storage.warehouse import Lake

TABLE: Final = "rejected_row"
_LONGEST_VALUE: Final = 200
_LONGEST_ROW: Final = 1_000
_REASONS: Final = {
    ColumnType.NUMBER: "not a number",
    ColumnType.TIME: "not a time (year first: 2026-03-01 or 2026-03-01 10:30:00)",
}
_MISSHAPEN: Final = (
    "CASE error_type::VARCHAR "
    "WHEN 'MISSING COLUMNS' THEN 'wrong number of columns: ' || lower(error_message) "
    "WHEN 'TOO MANY COLUMNS' THEN 'wrong number of columns: ' || lower(error_message) "
    "WHEN 'UNQUOTED VALUE' THEN 'a quote is not closed, or text stands beside a quoted value' "
    "WHEN 'LINE SIZE OVER MAXIMUM' THEN 'the row is longer than 2,000,000 bytes' "
    "ELSE error_message END"
)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was not taken; long values are cut."""

    line: int
    column_name: str | None
    value: str | None
    reason: str
    row_text: str


def make_table(lake: Lake) -> None:
    """Make the workspace's table of rejected rows if there is none."""
    lake.duckdb.execute(
        f"CREATE TABLE IF NOT EXISTS {lake.qualified(TABLE)} (import_id BIGINT, line BIGINT, "
        "column_name VARCHAR, value VARCHAR, reason VARCHAR, row_text VARCHAR)"
    )


def keep(lake: Lake, staged: Staged, *, is_parquet: bool, import_id: int) -> None:
    """Write the rejected rows of an import, inside the caller's transaction."""
    parts = [_unfit(staged), _doubled(staged)]
    if staged.layout.customer_id_type == MOBILE_ID:
        parts.append(_numberless(staged))
    lines = "SELECT 0::BIGINT AS threshold, 0::BIGINT AS passed WHERE false"
    if not is_parquet:
        lines = (
            "SELECT line::BIGINT - 2 - k AS threshold, max(k) + 1 AS passed FROM "
            "(SELECT line, row_number() OVER (ORDER BY line) - 1 AS k "
            "FROM (SELECT DISTINCT line FROM misshapen)) GROUP BY ALL"
        )
    first_line = 1 if is_parquet else 2
    statement = (
        f"INSERT INTO {lake.qualified(TABLE)} "
        f"SELECT {import_id}, line, column_name, value[:{_LONGEST_VALUE}], reason, "
        f"row_text[:{_LONGEST_ROW}] FROM ("
        f"SELECT position + {first_line} + coalesce(passed, 0) AS line, column_name, value, "
        f"reason, row_text FROM ({' UNION ALL '.join(parts)}) r "
        f"ASOF LEFT JOIN ({lines}) l ON r.position >= l.threshold"
    )
    if not is_parquet:
        statement += f" UNION ALL {_misshapen(staged)}"
    lake.duckdb.execute(statement + ") ORDER BY line")


def read(lake: Lake, *, import_id: int, limit: int, after: int) -> list[RejectedRow]:
    """Return rejected rows of an import by line, after the given one."""
    if not lake.has_table(TABLE):
        return []
    rows = lake.duckdb.execute(
        f"SELECT line, column_name, value, reason, row_text FROM {lake.qualified(TABLE)} "
        "WHERE import_id = ? AND line > ? ORDER BY line LIMIT ?",
        [import_id, after, limit],
    ).fetchall()
    return [RejectedRow(*row) for row in rows]


def forget(lake: Lake, import_ids: str) -> None:
    """Remove the rejected rows of the imports that a query gives."""
    lake.duckdb.execute(f"DELETE FROM {lake.qualified(TABLE)} WHERE import_id IN ({import_ids})")


def _unfit(staged: Staged) -> str:
    columns = staged.layout.columns
    reasons = ", ".join(
        f"({place}, {literal(column.name)}, {literal(_reason(staged, place))})"
        for place, column in enumerate(columns)
    )
    return (
        "SELECT file_row_number AS position, p.name AS column_name, raw[problem + 1] AS value, "
        f"p.reason AS reason, {_line('raw[{} + 1]', len(columns))} AS row_text "
        f"FROM read_parquet({literal(str(staged.path))}, file_row_number = true) "
        f"JOIN (VALUES {reasons}) p(place, name, reason) ON p.place = problem"
    )


def _reason(staged: Staged, place: int) -> str:
    if place == staged.layout.place(Part.CUSTOMER):
        return "the key is empty"
    reason = _REASONS.get(staged.layout.columns[place].type, "")
    if place != staged.layout.partition_place:
        return reason
    return "the partition column is empty" + (f" or {reason}" if reason else "")


def _numberless(staged: Staged) -> str:
    key = staged.layout.place(Part.CUSTOMER)
    name = staged.layout.columns[key or 0].name
    cells = (
        f"{literal(name)} AS column_name, s.c{key} AS value, "
        "'the customer is no mobile number' AS reason, "
        f"{_line('s.c{}', len(staged.layout.columns))} AS row_text"
    )
    return numberless(staged, cells)


def _doubled(staged: Staged) -> str:
    key = staged.layout.place(Part.CUSTOMER)
    name = staged.layout.columns[key or 0].name
    return (
        f"SELECT file_row_number, {literal(name)}, c{key}, "
        f"'a later row of the file has the same key', {_line('c{}', len(staged.layout.columns))} "
        f"FROM read_parquet({literal(str(staged.path))}, file_row_number = true) "
        'WHERE file_row_number IN (SELECT position FROM "double")'
    )


def _misshapen(staged: Staged) -> str:
    names = ", ".join(literal(column.name) for column in staged.layout.columns)
    return (
        f"SELECT line::BIGINT, any_value([{names}][try_cast(column_name[2:] AS BIGINT) + 1]), "
        f"NULL, any_value({_MISSHAPEN}), any_value(csv_line) FROM misshapen GROUP BY line"
    )


def _line(cell: str, count: int) -> str:
    cells = ", ".join(f"coalesce({cell.format(place)}::VARCHAR, '')" for place in range(count))
    return f"array_to_string([{cells}], ',')"
