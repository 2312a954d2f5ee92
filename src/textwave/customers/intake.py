# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Taking staged rows into the workspace's table: all in one transaction of the lake, or none.

Which file was taken when is written in the same transaction, so a repeated append adds nothing,
even after a crash between the lake and the ledger. Refused: a table that is being changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import duckdb

from textwave.customers import rejects
from textwave.customers.columns import Part, TableKind
from textwave.customers.layout import Layout
from textwave.customers.numbers import read_numbers
from textwave.customers.quoting import name_of
from textwave.customers.request import ImportMode, ImportRequest
from textwave.customers.staging import (
    find_doubles,
    kept_rows,
    number_of,
    stage,
    stored_type,
    unread_numbers,
    utc_columns,
)
from textwave.customers.upload import Upload
from textwave.kit.refusal import Refusal
from textwave.storage.warehouse import Lake

_IMPORTED: Final = "imported_file"
_FIRST_MAINLAND, _LAST_MAINLAND = 8_613_000_000_000, 8_619_999_999_999


@dataclass(eq=False)
class TableChanging(Refusal):
    """Another import changed the table at the same time."""

    code: ClassVar[str] = "table_changing"
    table: str

    @property
    def sentence(self) -> str:
        return f"Table “{self.table}” was changed by another import meanwhile. Import once more."


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
    request: ImportRequest
    upload: Upload
    layout: Layout
    fingerprint: str
    region: str
    zone: ZoneInfo
    staging_path: Path
    progress: Progress = field(default_factory=Progress)

    @property
    def customers(self) -> bool:
        """Tell whether rows are customers, each with a key of its own."""
        return self.request.kind is TableKind.CUSTOMERS


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did. `already` says that the same file was taken in the same way before."""

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
        FileUnreadable, TooManyRejected, FileEmpty, TableChanging: the old table is as it was.
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
    already = _taken_before(lake, intake)
    if already and request.mode is ImportMode.APPEND:
        return _nothing_new(lake, intake)
    progress.phase = "typing"
    staged = stage(lake, intake.upload, intake.layout, intake.staging_path, region=intake.region)
    progress.phase, progress.rows = "numbers", staged.rows + staged.misshapen
    read_numbers(lake, unread_numbers(staged), region=intake.region)
    progress.phase = "keys"
    doubles = find_doubles(lake, staged, unique=intake.customers)
    times = utc_columns(lake, staged, intake.zone)
    query = kept_rows(staged, times, customers=intake.customers, doubles=doubles > 0)
    progress.phase = "writing"
    with lake.transaction():
        kept = _write(lake, intake, staged.layout, query)
        rejects.keep(lake, staged, is_parquet=intake.upload.is_parquet, import_id=intake.import_id)
        lake.duckdb.execute(
            f"INSERT INTO {lake.qualified(_IMPORTED)} VALUES (?, ?, ?, ?)",
            [intake.import_id, request.table, request.mode.value, intake.fingerprint],
        )
    read = staged.rows + staged.misshapen
    numbers = _numbers(lake, query) if intake.customers else {}
    count = number_of(lake, f"SELECT count(*) FROM {lake.qualified(request.table)}")
    return Taken(
        staged.layout, read, kept, read - kept, count, lake.version(), numbers, already, True
    )


def _write(lake: Lake, intake: Intake, layout: Layout, query: str) -> int:
    table, mode = lake.qualified(intake.request.table), intake.request.mode
    if mode is ImportMode.REPLACE:
        lake.duckdb.execute(f"DROP TABLE IF EXISTS {table}")
    columns = [f"{name_of(column.name)} {stored_type(column)}" for column in layout.columns]
    if intake.customers:
        columns += ["textwave_mobile BIGINT", "textwave_bad_mobile BOOLEAN"]
    lake.duckdb.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
    if mode is ImportMode.UPSERT:
        key = name_of(layout.parts[Part.CUSTOMER])
        lake.duckdb.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM ({query}))")
    return number_of(lake, f"INSERT INTO {table} BY NAME {query}")


def _make_tables(lake: Lake) -> None:
    for _ in range(3):
        try:
            rejects.make_table(lake)
            lake.duckdb.execute(
                f"CREATE TABLE IF NOT EXISTS {lake.qualified(_IMPORTED)} (import_id BIGINT, "
                "table_name VARCHAR, mode VARCHAR, fingerprint VARCHAR)"
            )
        except duckdb.TransactionException:  # somebody else is making them
            continue
        return


def _taken_before(lake: Lake, intake: Intake) -> bool:
    """Tell whether the file is in the table already: taken by the last replacement or since."""
    name = intake.request.table
    if not lake.has_table(name):
        return False
    imported = lake.qualified(_IMPORTED)
    found = number_of(
        lake,
        f"SELECT count(*) FROM {imported} WHERE table_name = ? AND fingerprint = ? "
        f"AND import_id >= coalesce((SELECT max(import_id) FROM {imported} "
        "WHERE table_name = ? AND mode = 'replace'), 0)",
        [name, intake.fingerprint, name],
    )
    return found > 0


def _nothing_new(lake: Lake, intake: Intake) -> Taken:
    count = number_of(lake, f"SELECT count(*) FROM {lake.qualified(intake.request.table)}")
    return Taken(intake.layout, 0, 0, 0, count, lake.version(), {}, True, False)


def _numbers(lake: Lake, query: str) -> dict[str, int]:
    """Count the numbers of the rows that were kept, each row once."""
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
