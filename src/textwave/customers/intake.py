# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Taking staged rows into the workspace's table: all in one transaction of the lake, or none.

Which file was taken when is written in the same transaction, so a repeated append adds nothing,
even after a crash between the lake and the ledger. Refused: a table that is being changed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import duckdb

from textwave.customers import rejects
from textwave.customers.columns import KEYED_KINDS, Part, TableKind
from textwave.customers.decryption import MobileCipher
from textwave.customers.differences import check_differences
from textwave.customers.encrypted_import import count_encrypted, mark_bad_numbers
from textwave.customers.layout import ExistingTable, Layout, check_layout
from textwave.customers.numbers import read_numbers
from textwave.customers.quoting import literal, name_of
from textwave.customers.request import MOBILE_ID, ImportMode, ImportRequest
from textwave.customers.staging import (
    collect_numbers,
    find_doubles,
    kept_rows,
    number_columns,
    number_of,
    stage,
    stored_type,
    unread_numbers,
    utc_columns,
)
from textwave.customers.upload import Upload
from textwave.customers.uses import Use
from textwave.kit.ids import OperationId
from textwave.kit.refusal import Refusal
from textwave.storage.warehouse import Lake

_IMPORTED: Final = "imported_file"
_MOST_PARTITIONS: Final = 1_000
_FIRST_MAINLAND, _LAST_MAINLAND = 8_613_000_000_000, 8_619_999_999_999


@dataclass(eq=False)
class TableChanging(Refusal):
    """Another import changed the table at the same time."""

    code: ClassVar[str] = "table_changing"
    table: str

    @property
    def sentence(self) -> str:
        return f"Table “{self.table}” was changed meanwhile. Do it once more."


@dataclass(eq=False)
class TooManyPartitions(Refusal):
    """The partition column has more values than a file may replace."""

    code: ClassVar[str] = "too_many_partitions"
    column: str
    values: int

    @property
    def sentence(self) -> str:
        return (
            f"The partition column “{self.column}” has {self.values:,} values in this file; at "
            f"most {_MOST_PARTITIONS:,} are taken. Choose a column such as the day, or split the "
            "file."
        )


@dataclass(slots=True)
class Progress:
    """How far an import is; written by the thread that works, read by the one that tells."""

    phase: str = "reading"
    bytes_total: int = 0
    bytes_read: int = 0
    rows: int = 0

    def seen(self, bytes_read: int) -> None:
        """Note how much of the file has been looked at."""
        self.bytes_read = bytes_read

    def written(self) -> dict[str, Any]:
        """Return it as an operation's progress."""
        told: dict[str, Any] = {"phase": self.phase, "rows": self.rows}
        if self.phase == "reading":
            return told | {"bytes": self.bytes_read, "bytes_total": self.bytes_total}
        return told


@dataclass(frozen=True, slots=True)
class Intake:
    """One import, decided: which file, as which table, and under which number."""

    import_id: int
    operation_id: OperationId
    request: ImportRequest
    upload: Upload
    layout: Layout
    fingerprint: str
    region: str
    zone: ZoneInfo
    staging_path: Path
    existing: ExistingTable | None = None
    uses: tuple[Use, ...] = ()
    cipher: MobileCipher | None = None
    progress: Progress = field(default_factory=Progress)

    @property
    def customers(self) -> bool:
        """Tell whether rows are customers, each with a key of its own."""
        return self.request.kind is TableKind.CUSTOMERS

    @property
    def delivers_partitions(self) -> bool:
        """Tell whether rows of the table give way to the file's of the same partition."""
        return self.request.mode is ImportMode.APPEND and self.layout.partition is not None

    def check(self, layout: Layout, *, certain: bool) -> None:
        """Refuse a change of the table's shape that nobody has accepted.

        Raises:
            SchemaChanged: what its sentence says.
        """
        if not self.request.accept_changes:
            table = self.request.table
            check_differences(table, self.existing, layout, self.uses, certain=certain)


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did. `already` says that the same file was taken in the same way before.

    `import_id` is another than the intake's if the lake had taken the rows before a crash.
    """

    import_id: int
    layout: Layout
    rows_read: int
    rows_kept: int
    rows_rejected: int
    row_count: int
    lake_version: int
    numbers: Mapping[str, int]
    already: bool
    changed: bool


def take(lake: Lake, intake: Intake) -> Taken:
    """Bring the file's rows into the table.

    Raises:
        FileUnreadable, TooManyRejected, FileEmpty, TableChanging, SchemaChanged, ColumnMissing,
        TooManyPartitions: the old table is as it was.
    """
    _make_tables(lake)
    try:
        return _take(lake, intake)
    except duckdb.TransactionException:
        raise TableChanging(intake.request.table) from None
    finally:
        intake.staging_path.unlink(missing_ok=True)


def _take(lake: Lake, intake: Intake) -> Taken:
    progress, request = intake.progress, intake.request
    before = _taken_before(lake, intake)
    if before and request.mode is ImportMode.APPEND:
        resumed = before.operation_id == intake.operation_id
        if resumed or not intake.delivers_partitions:
            return _nothing_new(lake, intake, before)
    intake.check(intake.layout, certain=False)
    progress.phase = "typing"
    staged = stage(lake, intake.upload, intake.layout, intake.staging_path, region=intake.region)
    check_layout(staged.layout, request.kind, intake.upload.delimiter)
    intake.check(staged.layout, certain=True)
    progress.phase, progress.rows = "numbers", staged.rows + staged.misshapen
    read_numbers(lake, unread_numbers(staged), region=intake.region)
    collect_numbers(lake, staged)
    mark_bad_numbers(lake, staged, intake.cipher)
    progress.phase = "keys"
    doubles = find_doubles(lake, staged, unique=request.kind in KEYED_KINDS)
    times = utc_columns(lake, staged, intake.zone)
    query = kept_rows(staged, times, customers=intake.customers, doubles=doubles > 0)
    progress.phase = "writing"
    read = staged.rows + staged.misshapen
    with lake.transaction():
        kept = _write(lake, intake, staged.layout, query)
        rejects.keep(lake, staged, is_parquet=intake.upload.is_parquet, import_id=intake.import_id)
        _remember(lake, intake, staged.layout, read, kept)
    return Taken(
        intake.import_id,
        staged.layout,
        read,
        kept,
        read - kept,
        _count(lake, request.table),
        lake.version(),
        _numbers(lake, query, staged.layout) if intake.customers else {},
        before is not None,
        True,
    )


def _count(lake: Lake, table: str) -> int:
    return number_of(lake, f"SELECT count(*) FROM {lake.qualified(table)}")


def _remember(lake: Lake, intake: Intake, layout: Layout, read: int, kept: int) -> None:
    given_way = json.dumps(sorted(intake.layout.guessed_types - layout.guessed_types))
    # written out: for parameters DuckDB imports pandas, which takes a second
    lake.duckdb.execute(
        f"INSERT INTO {lake.qualified(_IMPORTED)} VALUES ({intake.import_id}, "
        f"{intake.operation_id}, {literal(intake.request.table)}, "
        f"{literal(intake.request.mode.value)}, {literal(intake.fingerprint)}, {read}, {kept}, "
        f"{literal(given_way)})"
    )


def _write(lake: Lake, intake: Intake, layout: Layout, query: str) -> int:
    table, mode = lake.qualified(intake.request.table), intake.request.mode
    if mode is ImportMode.REPLACE:
        lake.duckdb.execute(f"DROP TABLE IF EXISTS {table}")
    _make_table(lake, intake, layout)
    if mode is ImportMode.UPSERT:
        by_number = layout.customer_id_type == MOBILE_ID
        key = "textwave_mobile" if by_number else name_of(layout.parts[Part.CUSTOMER])
        lake.duckdb.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM ({query}))")
    elif intake.delivers_partitions:
        _clear_partitions(lake, intake, name_of(layout.partition or ""), query)
    return number_of(lake, f"INSERT INTO {table} BY NAME {query}{_order(intake, layout)}")


def _order(intake: Intake, layout: Layout) -> str:
    """Return the order to write in: of what happened by time, for rules ask for the last days.

    A row group whose times are all before them is skipped then.
    """
    time = layout.parts.get(Part.TIME)
    if time is None or intake.request.kind in KEYED_KINDS:
        return ""
    return f" ORDER BY {name_of(time)}"


def _make_table(lake: Lake, intake: Intake, layout: Layout) -> None:
    """Make the table, or give the one that there is the columns that it lacks."""
    table = lake.qualified(intake.request.table)
    wanted = {name_of(column.name): stored_type(column) for column in layout.columns}
    wanted |= number_columns(layout, customers=intake.customers)
    written = {name: f"{name} {kind}" for name, kind in wanted.items()}
    made = not lake.has_table(intake.request.table)
    if made:
        lake.duckdb.execute(f"CREATE TABLE {table} ({', '.join(written.values())})")
    else:
        has = {name_of(row[0]) for row in lake.duckdb.execute(f"DESCRIBE {table}").fetchall()}
        for name in wanted:
            if name not in has and name_of(name) not in has:
                lake.duckdb.execute(f"ALTER TABLE {table} ADD COLUMN {written[name]}")
    known = intake.existing.partition if intake.existing else None
    if layout.partition and (made or layout.partition != known):
        partition = name_of(layout.partition)
        lake.duckdb.execute(f"ALTER TABLE {table} SET PARTITIONED BY ({partition})")


def _clear_partitions(lake: Lake, intake: Intake, partition: str, query: str) -> None:
    """Remove the rows in whose place the file's come."""
    lake.duckdb.execute(
        f"CREATE OR REPLACE TEMP TABLE partition AS SELECT DISTINCT {partition} AS value "
        f"FROM ({query})"
    )
    values = number_of(lake, "SELECT count(*) FROM partition")
    if values > _MOST_PARTITIONS:
        raise TooManyPartitions(intake.layout.partition or "", values)
    table = lake.qualified(intake.request.table)
    lake.duckdb.execute(f"DELETE FROM {table} WHERE {partition} IN (SELECT value FROM partition)")


def forget_table(lake: Lake, name: str) -> None:
    """Remove a table with its rejected rows and what is known of the files taken into it.

    Raises:
        TableChanging: an import changes it at the same time.
    """
    _make_tables(lake)
    imported = f"{lake.qualified(_IMPORTED)} WHERE table_name = {literal(name)}"
    try:
        with lake.transaction():
            lake.duckdb.execute(f"DROP TABLE IF EXISTS {lake.qualified(name)}")
            rejects.forget(lake, f"SELECT import_id FROM {imported}")
            lake.duckdb.execute(f"DELETE FROM {imported}")
    except duckdb.TransactionException:
        raise TableChanging(name) from None


def _make_tables(lake: Lake) -> None:
    for _ in range(3):
        try:
            rejects.make_table(lake)
            lake.duckdb.execute(
                f"CREATE TABLE IF NOT EXISTS {lake.qualified(_IMPORTED)} (import_id BIGINT, "
                "operation_id BIGINT, table_name VARCHAR, mode VARCHAR, fingerprint VARCHAR, "
                "rows_read BIGINT, rows_kept BIGINT, given_way VARCHAR)"
            )
        except duckdb.TransactionException:  # somebody else is making them
            continue
        return


@dataclass(frozen=True, slots=True)
class _Before:
    """An import of the same file that the table still holds; `given_way` are columns as text."""

    import_id: int
    operation_id: int
    rows_read: int
    rows_kept: int
    given_way: str


def _taken_before(lake: Lake, intake: Intake) -> _Before | None:
    """Find the import that brought the file into the table: the last replacement or one since."""
    name = intake.request.table
    if not lake.has_table(name):
        return None
    of_table = f"{lake.qualified(_IMPORTED)} WHERE table_name = {literal(name)}"
    row = lake.duckdb.execute(
        "SELECT import_id, operation_id, rows_read, rows_kept, given_way "
        f"FROM {of_table} AND fingerprint = {literal(intake.fingerprint)} "
        f"AND import_id >= coalesce((SELECT max(import_id) FROM {of_table} "
        "AND mode = 'replace'), 0) ORDER BY import_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _Before(*row)


def _nothing_new(lake: Lake, intake: Intake, before: _Before) -> Taken:
    """Leave the lake as it is; if a crash kept the ledger from hearing of it, tell it now."""
    resumed = before.operation_id == intake.operation_id
    read, kept = (before.rows_read, before.rows_kept) if resumed else (0, 0)
    return Taken(
        before.import_id,
        intake.layout.as_text(frozenset(json.loads(before.given_way))),
        read,
        kept,
        read - kept,
        _count(lake, intake.request.table),
        lake.version(),
        {},
        not resumed,
        resumed,
    )


def _numbers(lake: Lake, query: str, layout: Layout) -> dict[str, int]:
    """Count the numbers of the rows that were kept, each row once."""
    if layout.encrypted:
        return count_encrypted(lake, query, layout.parts[Part.MOBILE])
    row = lake.duckdb.execute(
        f"SELECT count(*) FILTER (m BETWEEN {_FIRST_MAINLAND} AND {_LAST_MAINLAND}), "
        "count(m), count(*) FILTER (bad), count(*) FROM "
        f"(SELECT textwave_mobile AS m, textwave_bad_mobile AS bad FROM ({query}))"
    ).fetchone()
    mainland, all_numbers, bad, rows = row or (0, 0, 0, 0)
    missing = rows - all_numbers - bad
    return {
        "mainland": mainland,
        "other": all_numbers - mainland,
        "bad": bad,
        "missing": missing,
    }
