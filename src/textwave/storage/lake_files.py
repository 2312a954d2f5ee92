"""The Parquet files of a table at a version of the lake, as its catalog lists them.

Follows the published tables of the DuckLake format 1.0. Read are data files, the rows deleted from
them and the ids of columns; refused is what another reader of the files could not see right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import duckdb

from textwave.kit.refusal import Refusal
from textwave.storage.compute import CATALOG, qualified

_CATALOG_TABLES: Final = f"__ducklake_metadata_{CATALOG}.lake"
_CURRENT: Final = "{0}.begin_snapshot <= $version AND coalesce({0}.end_snapshot > $version, true)"


@dataclass(eq=False)
class FilesUnreadable(Refusal):
    """A table of the lake cannot be read from its files alone."""

    code: ClassVar[str] = "files_unreadable"
    table: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"Table {self.table} cannot be read by Apache Spark: {self.problem}"


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column, found in each file by its id; `element` is the type of a list's values."""

    id: int
    name: str
    type: str
    element: str | None
    initial: str | None


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file and, if some of its rows are deleted, the file that says which."""

    path: str
    deletes: str | None


@dataclass(frozen=True, slots=True)
class TableFiles:
    """All that a table consists of at a version."""

    version: int
    columns: tuple[FileColumn, ...]
    files: tuple[DataFile, ...]


def table_files(
    connection: duckdb.DuckDBPyConnection, *, schema: str, table: str, version: int
) -> TableFiles:
    """Return the files of a table as they are at a version.

    Raises:
        FilesUnreadable: the table is not there at that version, or not wholly in plain files.
    """
    read = _Reading(connection, schema, table, version)
    table_id, folder = read.place()
    files = read.files(table_id, folder)
    read.check_complete(sum(rows for _, rows in files))
    return TableFiles(version, read.columns(table_id), tuple(file for file, _ in files))


@dataclass(frozen=True, slots=True)
class _Reading:
    connection: duckdb.DuckDBPyConnection
    schema: str
    table: str
    version: int

    def place(self) -> tuple[int, str]:
        """Return the table's id and folder."""
        rows = self._rows(
            f"""SELECT t.table_id, t.path, t.path_is_relative, s.path, s.path_is_relative,
                       (SELECT value FROM {_CATALOG_TABLES}.ducklake_metadata
                        WHERE key = 'data_path')
                FROM {_CATALOG_TABLES}.ducklake_table AS t
                JOIN {_CATALOG_TABLES}.ducklake_schema AS s USING (schema_id)
                WHERE s.schema_name = $schema AND lower(t.table_name) = lower($table)
                  AND {_CURRENT.format("t")} AND {_CURRENT.format("s")}""",  # noqa: S608 - constants
            {"schema": self.schema, "table": self.table, "version": self.version},
        )
        if not rows:
            raise FilesUnreadable(self.table, "it is not in the lake now. Try again.")
        table_id, path, path_is_relative, of_schema, schema_is_relative, root = rows[0]
        base = f"{root}{of_schema}" if schema_is_relative else of_schema
        return table_id, f"{base}{path}" if path_is_relative else path

    def columns(self, table_id: int) -> tuple[FileColumn, ...]:
        """Return the columns in their order."""
        rows = self._rows(
            f"""SELECT c.column_id, c.column_name, c.column_type, e.column_type, c.initial_default
                FROM {_CATALOG_TABLES}.ducklake_column AS c
                LEFT JOIN {_CATALOG_TABLES}.ducklake_column AS e
                  ON e.table_id = c.table_id AND e.parent_column = c.column_id
                     AND {_CURRENT.format("e")}
                WHERE c.table_id = $table_id AND c.parent_column IS NULL
                  AND {_CURRENT.format("c")}
                ORDER BY c.column_order""",  # noqa: S608 - constants
            {"table_id": table_id, "version": self.version},
        )
        return tuple(FileColumn(*row) for row in rows)

    def files(self, table_id: int, folder: str) -> list[tuple[DataFile, int]]:
        """Return the files, each with the number of its rows that are not deleted."""
        rows = self._rows(
            f"""SELECT f.path, f.path_is_relative, d.path, d.path_is_relative,
                       f.record_count - coalesce(d.delete_count, 0),
                       f.file_format = 'parquet' AND coalesce(d.format, 'parquet') = 'parquet'
                         AND f.encryption_key IS NULL AND f.mapping_id IS NULL
                         AND coalesce(f.partial_max, 0) <= $version
                FROM {_CATALOG_TABLES}.ducklake_data_file AS f
                LEFT JOIN {_CATALOG_TABLES}.ducklake_delete_file AS d
                  ON d.data_file_id = f.data_file_id AND d.table_id = f.table_id
                     AND {_CURRENT.format("d")}
                WHERE f.table_id = $table_id AND {_CURRENT.format("f")}
                ORDER BY f.data_file_id""",  # noqa: S608 - constants
            {"table_id": table_id, "version": self.version},
        )
        if not all(row[5] for row in rows):
            problem = "its files were rewritten meanwhile, or were added by another program."
            raise FilesUnreadable(self.table, f"{problem} Try again.")
        return [
            (DataFile(_path(folder, row[0], row[1]), _deletes(folder, row[2], row[3])), int(row[4]))
            for row in rows
        ]

    def check_complete(self, rows: int) -> None:
        """Refuse a table of which rows, or deletions, are kept in the catalog alone."""
        counted = self._rows(
            f"SELECT count(*) FROM {qualified(self.schema, self.table)} "  # noqa: S608 - quoted
            f"AT (VERSION => {self.version})",
            {},
        )
        if counted[0][0] != rows:
            problem = "a worker without TEXTWAVE_SPARK has changed it in the catalog alone. "
            advice = "Give all workers the same TEXTWAVE_SPARK, restart them and try again."
            raise FilesUnreadable(self.table, problem + advice)

    def _rows(self, query: str, parameters: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
        return self.connection.execute(query, parameters).fetchall()


def _deletes(folder: str, path: str | None, is_relative: bool | None) -> str | None:  # noqa: FBT001 - a column
    return None if path is None else _path(folder, path, is_relative=bool(is_relative))


def _path(folder: str, path: str, is_relative: bool) -> str:  # noqa: FBT001 - a column
    return f"{folder}{path}" if is_relative else path
