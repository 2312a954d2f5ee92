# ruff: noqa: S608 - statements are built from quoted names and literals only
"""The file's rows, read once by DuckDB into a typed Parquet file beside it, with what is wrong.

Positions are kept, so a rejected row is known by its line: the header is line 1, each record one
line, empty lines none. Columns are called c0, c1, … until the rows are in the warehouse. Refused:
files of which more than `MOST_REJECTED` rows do not fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from textwave.customers.columns import TOLERATED_SHARE, Column, ColumnType, Part
from textwave.customers.layout import Layout
from textwave.customers.numbers import plain_mainland
from textwave.customers.quoting import literal, name_of
from textwave.customers.request import MOBILE_ID
from textwave.customers.times import (
    CONVERTED,
    TAKEN,
    has_offset,
    in_utc,
    periods_between,
    read_time,
)
from textwave.customers.upload import FileUnreadable, Upload
from textwave.kit.refusal import Refusal
from textwave.storage.trouble import is_disk_full
from textwave.storage.warehouse import Lake

MOST_REJECTED: Final = 1_000_000
_MOST_MISSHAPEN: Final = 200_000
_LONGEST_LINE_BYTES: Final = 2_000_000
_NUMBER: Final = "coalesce(s.mobile, n.mobile)"
_BLANKS: Final = "e' \\t\\r\\n'"
_STORED: Final = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.MULTI_VALUE: "VARCHAR",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TIME: "TIMESTAMP",
}


@dataclass(eq=False)
class TooManyRejected(Refusal):
    """So many rows do not fit that the file was probably read in a wrong way."""

    code: ClassVar[str] = "too_many_rejected"
    file_name: str
    rejected: int
    line: int | None
    reason: str

    @property
    def sentence(self) -> str:
        where = "" if self.line is None else f", the first at line {self.line}"
        return (
            f"More than {self.rejected - 1} rows of “{self.file_name}” do not fit{where} "
            f"({self.reason}). Check delimiter, types and quotes. The table was left as it was."
        )


@dataclass(frozen=True, slots=True)
class Staged:
    """Where the typed rows are and how many they are."""

    path: Path
    layout: Layout
    rows: int
    misshapen: int


def stored_type(column: Column) -> str:
    """Return the warehouse's type of a column."""
    return _STORED[column.type]


def number_of(lake: Lake, statement: str, parameters: list[Any] | None = None) -> int:
    """Run a statement that returns one whole number; NULL is 0."""
    row = lake.duckdb.execute(statement, parameters).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def stage(lake: Lake, upload: Upload, layout: Layout, path: Path, *, region: str) -> Staged:
    """Write the typed rows to `path`; a guessed type that too few values fit gives way to text.

    Raises:
        FileUnreadable: DuckDB cannot read it at all.
        TooManyRejected: see the module.
    """
    while True:
        misshapen = _copy(lake, upload, layout, path, region)
        bad = dict(
            lake.duckdb.execute(
                f"SELECT problem, count(*) FROM {_rows(path)} GROUP BY problem"
            ).fetchall()
        )
        rows = sum(bad.values())
        unfit = _unfit(layout, bad, rows)
        if not unfit:
            _check_share(upload, layout, bad, misshapen)
            return Staged(path, layout, rows, misshapen)
        layout = layout.as_text(unfit)


def _unfit(layout: Layout, bad: Mapping[int | None, int], rows: int) -> frozenset[str]:
    return frozenset(
        column.name
        for place, column in enumerate(layout.columns)
        if column.name in layout.guessed_types
        and column.type in (ColumnType.NUMBER, ColumnType.TIME)
        and bad.get(place, 0) > TOLERATED_SHARE * rows
    )


def _check_share(
    upload: Upload, layout: Layout, bad: Mapping[int | None, int], misshapen: int
) -> None:
    counts = {place: count for place, count in bad.items() if place is not None}
    if sum(counts.values()) + misshapen <= MOST_REJECTED:
        return
    worst = layout.columns[max(counts, key=counts.__getitem__)] if counts else None
    reason = f"column “{worst.name}” as {worst.type.value}" if worst else "shape of the rows"
    raise TooManyRejected(upload.file_name, MOST_REJECTED + 1, None, reason)


def _copy(lake: Lake, upload: Upload, layout: Layout, path: Path, region: str) -> int:
    connection = lake.duckdb
    for table in ("misshapen", "misshapen_scan"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    for strict in (True, False):
        source = _parquet_source(upload, layout) if upload.is_parquet else _csv(upload, strict)
        statement = f"COPY ({_typed(layout, source, region)}) TO {literal(str(path))}"
        try:
            connection.execute(
                f"{statement} (FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1)"
            )
            break
        except duckdb.InvalidInputException as error:
            # rows that end in different ways: the strict reader gives up, the other one goes on
            if not strict or upload.is_parquet:
                raise FileUnreadable(upload.file_name, _first_line(error)) from None
        except (duckdb.IOException, duckdb.ConversionException) as error:
            if is_disk_full(error):
                raise
            raise FileUnreadable(upload.file_name, _first_line(error)) from None
    return 0 if upload.is_parquet else _count_misshapen(lake, upload)


def _first_line(error: duckdb.Error) -> str:
    return f"cannot be read: {str(error).splitlines()[0][:300]}"


def _count_misshapen(lake: Lake, upload: Upload) -> int:
    count = number_of(lake, "SELECT count(DISTINCT line) FROM misshapen")
    if count >= _MOST_MISSHAPEN:
        first = number_of(lake, "SELECT min(line) FROM misshapen")
        reason = "another number of columns than the header, or a quote that is never closed"
        raise TooManyRejected(upload.file_name, count, first, reason)
    return count


def _csv(upload: Upload, strict: bool) -> str:  # noqa: FBT001 - it is the reader's own option
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(upload.header)))
    return (
        f"read_csv({literal(str(upload.path))}, auto_detect = false, header = true, "
        f"delim = {literal(upload.delimiter or ',')}, quote = '\"', escape = '\"', "
        f"columns = {{{columns}}}, strict_mode = {strict}, "
        f"max_line_size = {_LONGEST_LINE_BYTES}, store_rejects = true, "
        f"rejects_limit = {_MOST_MISSHAPEN}, "
        "rejects_table = 'misshapen', rejects_scan = 'misshapen_scan')"
    )


def _parquet_source(upload: Upload, layout: Layout) -> str:
    pieces: list[str] = []
    for place, (name, stored) in enumerate(zip(upload.header, upload.declared_types, strict=True)):
        cell = name_of(name)
        if pa.types.is_list(stored) or pa.types.is_large_list(stored):
            cell = f"array_to_string({cell}, {literal(layout.columns[place].separator or ',')})"
        pieces.append(f"{cell}::VARCHAR AS c{place}")
    return f"(SELECT {', '.join(pieces)} FROM read_parquet({literal(str(upload.path))}))"


def _typed(layout: Layout, source: str, region: str) -> str:
    """Return the query for typed rows: the columns, `z` and the place of those that are times."""
    places = range(len(layout.columns))
    marks = "".join(f", {has_offset(f'c{p}')} AS z{p}" for p in _places(layout, ColumnType.TIME))
    read = ", ".join(_read(layout, place) for place in places)
    raw = ", ".join(f"c{place}" for place in places)
    kept = ", ".join(f"t{place} AS c{place}" for place in places)
    kept += "".join(f", z{place}" for place in _places(layout, ColumnType.TIME))
    mobile = layout.number_place
    plain = mobile is not None and layout.several_numbers is None and not layout.encrypted
    number = plain_mainland(f"c{mobile}", region) if plain else "NULL::BIGINT"
    return (
        f"SELECT {kept}, {number} AS mobile, problem, "
        f"CASE WHEN problem IS NOT NULL THEN [{raw}] END AS raw "
        f"FROM (SELECT *, {_problem(layout)} AS problem FROM (SELECT *, {read} "
        f"FROM (SELECT *{marks} FROM {source})))"
    )


def _places(layout: Layout, kind: ColumnType) -> list[int]:
    return [place for place, column in enumerate(layout.columns) if column.type is kind]


def _read(layout: Layout, place: int) -> str:
    kind, cell = layout.columns[place].type, f"c{place}"
    if place == layout.place(Part.CUSTOMER):
        # most keys have no blanks to trim, and looking is cheaper than trimming
        blank = f"{cell}[1] <= ' ' OR {cell}[-1] <= ' '"
        value = f"nullif(CASE WHEN {blank} THEN trim({cell}, {_BLANKS}) ELSE {cell} END, '')"
    elif kind is ColumnType.NUMBER:
        # plus zero: a file whose numbers begin with -0.0 would be read as without any 0
        value = f"try_cast({cell} AS DOUBLE) + 0.0"
    elif kind is ColumnType.TIME:
        value = read_time(cell, f"z{place}")
    else:
        value = f"nullif({cell}, '')"
    return f"{value} AS t{place}"


def _problem(layout: Layout) -> str:
    """Return the expression for the position of the first column that does not fit."""
    key = layout.place(Part.CUSTOMER)
    cases = [f"WHEN t{key} IS NULL THEN {key}"]
    fits = {ColumnType.NUMBER: "isfinite(t{0})", ColumnType.TIME: f"t{{0}} {TAKEN}"}
    for place, column in enumerate(layout.columns):
        if column.type in fits:
            written, fit = f"trim(c{place}, {_BLANKS}) <> ''", fits[column.type].format(place)
            unfit = f"CASE WHEN t{place} IS NULL THEN {written} ELSE NOT ({fit}) END"
            cases.append(f"WHEN {unfit} THEN {place}")
    if layout.partition_place is not None:
        cases.append(f"WHEN t{layout.partition_place} IS NULL THEN {layout.partition_place}")
    return f"CASE {' '.join(cases)} END::INTEGER"


def _rows(path: Path) -> str:
    return f"read_parquet({literal(str(path))}, file_row_number = true)"


def unread_numbers(staged: Staged) -> str:
    """Return the query for the numbers that are not written plainly."""
    place = staged.layout.number_place
    if place is None or staged.layout.encrypted:
        return "SELECT NULL::VARCHAR AS written WHERE false"
    if staged.layout.several_numbers is not None:
        return f"SELECT written FROM ({_each_number(staged)})"
    return (
        f"SELECT c{place} AS written FROM {_rows(staged.path)} "
        "WHERE problem IS NULL AND mobile IS NULL"
    )


def ciphertexts(staged: Staged) -> str:
    """Return the query for the position and cell of each encrypted number."""
    cell = f"c{staged.layout.number_place}"
    return (
        f"SELECT file_row_number AS position, {cell} AS ciphertext FROM {_rows(staged.path)} "
        f"WHERE problem IS NULL AND {cell} IS NOT NULL"
    )


def collect_numbers(lake: Lake, staged: Staged) -> None:
    """Make the table `numbers` (position, mobiles): the good ones of a row in written order."""
    if staged.layout.several_numbers is None:
        return
    lake.duckdb.execute(
        "CREATE OR REPLACE TEMP TABLE numbers AS "
        "SELECT position, list(mobile ORDER BY place) AS mobiles FROM ("
        f"SELECT position, mobile, min(place) AS place FROM ({_each_number(staged)}) "
        "JOIN read_number USING (written) GROUP BY position, mobile) GROUP BY position"
    )


def _each_number(staged: Staged) -> str:
    separator = literal(staged.layout.several_numbers or "")
    pieces = f"string_split(c{staged.layout.number_place}, {separator})"
    return (
        f"SELECT position, trim(written, {_BLANKS}) AS written, place FROM ("
        f"SELECT file_row_number AS position, unnest({pieces}) AS written, "
        f"generate_subscripts({pieces}, 1) AS place FROM {_rows(staged.path)} "
        "WHERE problem IS NULL)"
    )


def numberless(staged: Staged, cell: str) -> str:
    """Return the query for the position and a cell of rows whose customer is no mobile number."""
    return (
        f"SELECT s.file_row_number AS position, {cell} FROM {_rows(staged.path)} s "
        f"{_join_numbers(staged)} WHERE s.problem IS NULL AND {_NUMBER} IS NULL"
    )


def _join_numbers(staged: Staged) -> str:
    unread = f"CASE WHEN s.mobile IS NULL THEN s.c{staged.layout.number_place} END"
    return f"LEFT JOIN read_number n ON n.written = {unread} "


def utc_columns(lake: Lake, staged: Staged, zone: ZoneInfo) -> dict[int, str]:
    """Return the expression in UTC for each column of times, by its place."""
    places = _places(staged.layout, ColumnType.TIME)
    if not places:
        return {}
    bounds = ", ".join(
        f"{bound}(c{place}) FILTER (NOT z{place} AND c{place} {CONVERTED})"
        for place in places
        for bound in ("min", "max")
    )
    query = f"SELECT {bounds} FROM {_rows(staged.path)} WHERE problem IS NULL"
    found = iter(lake.duckdb.execute(query).fetchone() or ())
    spans = zip(places, found, found, strict=True)
    return {
        place: in_utc(f"c{place}", f"z{place}", periods_between(zone, first, last))
        for place, first, last in spans
        if first is not None
    }


def find_doubles(lake: Lake, staged: Staged, *, unique: bool) -> int:
    """Make table `double`: positions of rows whose key a later row has; return how many."""
    lake.duckdb.execute('CREATE OR REPLACE TEMP TABLE "double" (position BIGINT)')
    if not unique:
        return 0
    lake.duckdb.execute(
        "CREATE OR REPLACE TEMP TABLE doubled AS SELECT key, max(position) AS last "
        f"FROM ({_keys(staged)}) GROUP BY key HAVING count(*) > 1"
    )
    if not number_of(lake, "SELECT count(*) FROM doubled"):
        return 0
    lake.duckdb.execute(
        f'INSERT INTO "double" SELECT position FROM ({_keys(staged)}) '
        "JOIN doubled USING (key) WHERE position < last"
    )
    return number_of(lake, 'SELECT count(*) FROM "double"')


def _keys(staged: Staged) -> str:
    """Return the query for the position and key of each row; a mobile number as it is read."""
    if staged.layout.customer_id_type == MOBILE_ID:
        return (
            f"SELECT s.file_row_number AS position, {_NUMBER} AS key FROM {_rows(staged.path)} s "
            f"{_join_numbers(staged)} WHERE s.problem IS NULL AND {_NUMBER} IS NOT NULL"
        )
    key = f"c{staged.layout.place(Part.CUSTOMER)}"
    rows = f"{_rows(staged.path)} WHERE problem IS NULL"
    return f"SELECT file_row_number AS position, {key} AS key FROM {rows}"


def number_columns(layout: Layout, *, customers: bool) -> dict[str, str]:
    """Return the columns for mobile numbers, with their types, that the table has in addition."""
    columns: dict[str, str] = {}
    if customers or layout.number_place is not None:
        columns["textwave_mobile"] = "BIGINT"
    if customers:
        columns["textwave_bad_mobile"] = "BOOLEAN"
    if layout.several_numbers is not None:
        columns["textwave_mobiles"] = "BIGINT[]"
    return columns


def kept_rows(staged: Staged, times: Mapping[int, str], *, customers: bool, doubles: bool) -> str:
    """Return the query for the rows to keep, with the table's own column names.

    `times` are expressions for some columns instead of what is staged. Columns of mobile numbers
    come after them: see `number_columns`.
    """
    columns = [
        f"{times.get(place, f'c{place}')} AS {name_of(column.name)}"
        for place, column in enumerate(staged.layout.columns)
    ]
    expressions, join = _number_expressions(staged)
    wanted = number_columns(staged.layout, customers=customers)
    columns += [f"{expressions[name]} AS {name}" for name in wanted]
    conditions = ["s.problem IS NULL"]
    if doubles:
        conditions.append('s.file_row_number NOT IN (SELECT position FROM "double")')
    if staged.layout.customer_id_type == MOBILE_ID:
        conditions.append(f"{_NUMBER} IS NOT NULL")
    return (
        f"SELECT {', '.join(columns)} FROM {_rows(staged.path)} s {join}"
        f"WHERE {' AND '.join(conditions)}"
    )


def _number_expressions(staged: Staged) -> tuple[dict[str, str], str]:
    """Return the expression of each column for mobile numbers and the join that they need."""
    place = staged.layout.number_place
    if place is None:
        return {"textwave_mobile": "NULL::BIGINT", "textwave_bad_mobile": "false"}, ""
    if staged.layout.encrypted:
        return {
            "textwave_mobile": "NULL::BIGINT",
            "textwave_bad_mobile": "b.position IS NOT NULL",
        }, "LEFT JOIN bad_number b ON b.position = s.file_row_number "
    several = staged.layout.several_numbers is not None
    mobile = "m.mobiles[1]" if several else _NUMBER
    written = f"coalesce(trim(s.c{place}, {_BLANKS}) <> '', false)"
    join = "LEFT JOIN numbers m ON m.position = s.file_row_number "
    return {
        "textwave_mobile": mobile,
        "textwave_bad_mobile": f"CASE WHEN {mobile} IS NULL THEN {written} ELSE false END",
        "textwave_mobiles": "m.mobiles",
    }, (join if several else _join_numbers(staged))
