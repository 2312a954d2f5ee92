"""A table of the lake as a Spark frame over its Parquet files."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pyspark.sql.functions as F  # noqa: N812 - as Spark's own documentation calls it
import pyspark.sql.types as spark
from pyspark.sql import DataFrame, SparkSession

from textwave.storage.lake_files import FileColumn, FilesUnreadable, TableFiles

_TYPES: Final[Mapping[str, Callable[[], spark.DataType]]] = {
    "boolean": spark.BooleanType,
    "int8": spark.ByteType,
    "int16": spark.ShortType,
    "int32": spark.IntegerType,
    "int64": spark.LongType,
    "float32": spark.FloatType,
    "float64": spark.DoubleType,
    "varchar": spark.StringType,
    "date": spark.DateType,
    "timestamp": spark.TimestampNTZType,
    "timestamp_us": spark.TimestampNTZType,
}
_DELETES: Final = "file_path string, pos bigint, _ducklake_internal_snapshot_id bigint"
_FILE, _ROW = "textwave_file", "textwave_row"


def read_table(session: SparkSession, table: TableFiles, name: str) -> DataFrame:
    """Return the rows of a table; columns are found by id, those that a file lacks are null.

    Raises:
        FilesUnreadable: a column has a type that is not read.
    """
    schema = spark.StructType([_field(column, name) for column in table.columns])
    whole = [uri(file.path) for file in table.files if file.deletes is None]
    frame = _read(session, schema, whole)
    deletes = [uri(file.deletes) for file in table.files if file.deletes is not None]
    if not deletes:
        return frame
    partly = _read(session, schema, [uri(f.path) for f in table.files if f.deletes is not None])
    return frame.unionAll(_without(partly, _deleted(session, deletes, table.version)))


def _read(session: SparkSession, schema: spark.StructType, paths: list[str]) -> DataFrame:
    if not paths:
        return session.createDataFrame([], schema)
    return session.read.schema(schema).parquet(*paths)


def _deleted(session: SparkSession, paths: list[str], version: int) -> DataFrame:
    """Return file and row of what was deleted up to a version; one file may say more."""
    deletes = session.read.schema(_DELETES).parquet(*paths)
    since: Any = deletes["_ducklake_internal_snapshot_id"]
    return deletes.where(since.isNull() | (since <= version)).select(
        F.substring_index("file_path", "/", -1).alias(_FILE), F.col("pos").alias(_ROW)
    )


def _without(frame: DataFrame, deleted: DataFrame) -> DataFrame:
    placed = frame.select(
        *frame.columns,
        F.col("_metadata.file_name").alias(_FILE),
        F.col("_metadata.row_index").alias(_ROW),
    )
    return placed.join(deleted, [_FILE, _ROW], "left_anti").drop(_FILE, _ROW)


def _field(column: FileColumn, table: str) -> spark.StructField:
    kind = _type(column, table)
    metadata: dict[str, Any] = {"parquet.field.id": column.id}
    if column.initial is not None:
        metadata["EXISTS_DEFAULT"] = _literal(column)
    return spark.StructField(column.name, kind, nullable=True, metadata=metadata)


def _literal(column: FileColumn) -> str:
    """Return the value of rows that are older than their column, as Spark writes it."""
    quoted = str(column.initial).replace("\\", "\\\\").replace("'", "\\'")
    return f"CAST('{quoted}' AS {_TYPES[column.type]().simpleString()})"


def _type(column: FileColumn, table: str) -> spark.DataType:
    if column.type == "list" and column.element in _TYPES:
        return spark.ArrayType(_TYPES[column.element]())
    if column.type in _TYPES:
        return _TYPES[column.type]()
    if column.type.startswith("decimal("):
        digits, scale = column.type.removeprefix("decimal(").removesuffix(")").split(",")
        return spark.DecimalType(int(digits), int(scale))
    problem = f"column {column.name} has the type {column.type}. Import it as text or number."
    raise FilesUnreadable(table, problem)


def uri(path: str) -> str:
    """Return a path that Spark takes as it is, not as a pattern."""
    escaped = "".join("\\" + mark if mark in "{}[]*?\\" else mark for mark in path)
    return f"file://{escaped}" if path.startswith("/") else escaped
