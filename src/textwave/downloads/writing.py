"""Writing blocks of customers to a CSV or Parquet file, one after the other.

CSV is UTF-8 with a byte order mark. A text that a spreadsheet would take for a formula gets an
apostrophe in front (the advice of OWASP on CSV injection). Times in it are the workspace's local
ones, as they were imported; in Parquet they are UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from textwave.audiences.tables import Column

FORMULA: Final = r"^[=+\-@\t\r\n＝＋－＠]"
_MARK: Final = b"\xef\xbb\xbf"


class FileFormat(StrEnum):
    """What a file of customers is written as."""

    CSV = "csv"
    PARQUET = "parquet"


def write_file(
    path: Path,
    blocks: Iterator[pa.RecordBatch],
    columns: Sequence[Column],
    form: FileFormat,
    *,
    zone: ZoneInfo,
) -> int:
    """Write the blocks (at least one, perhaps of no rows); return how many rows they have."""
    if form is FileFormat.PARQUET:
        return _parquet(path, blocks)
    return _csv(path, blocks, columns, zone)


def _parquet(path: Path, blocks: Iterator[pa.RecordBatch]) -> int:
    first = _with_zone(next(blocks))
    rows = first.num_rows
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_batch(first)
        for block in blocks:
            writer.write_batch(_with_zone(block))
            rows += block.num_rows
    return rows


def _with_zone(block: pa.RecordBatch) -> pa.RecordBatch:
    cells = [
        pc.call_function("assume_timezone", [column], pc.AssumeTimezoneOptions("UTC"))
        if pa.types.is_timestamp(column.type)
        else column
        for column in block.columns
    ]
    return pa.RecordBatch.from_arrays(cells, names=block.schema.names)


def _csv(
    path: Path, blocks: Iterator[pa.RecordBatch], columns: Sequence[Column], zone: ZoneInfo
) -> int:
    names = _safe(pa.array([column.name for column in columns], pa.string())).to_pylist()
    schema = pa.schema([(name, pa.string()) for name in names])
    rows = 0
    with path.open("wb") as file:
        file.write(_MARK)
        with pyarrow.csv.CSVWriter(file, schema) as writer:
            for block in blocks:
                pairs = zip(block.columns, columns, strict=True)
                cells = [_written(cell, column, zone) for cell, column in pairs]
                writer.write_batch(pa.RecordBatch.from_arrays(cells, schema=schema))
                rows += block.num_rows
    return rows


def _written(cells: Any, column: Column, zone: ZoneInfo) -> Any:
    if pa.types.is_timestamp(cells.type):
        encoded = pc.call_function("dictionary_encode", [cells.cast(pa.timestamp("us"))])
        texts = [_local(moment, zone) for moment in encoded.dictionary.to_pylist()]
        return pa.array(texts, pa.string()).take(encoded.indices)
    if pa.types.is_list(cells.type):
        texts = cells.cast(pa.list_(pa.string()))
        return _safe(pc.call_function("binary_join", [texts, pa.scalar(column.separator)]))
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        return _safe(cells.cast(pa.string()))
    if pa.types.is_floating(cells.type):
        return pa.array([_number(value) for value in cells.to_pylist()], pa.string())
    return cells.cast(pa.string())


def _local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Write a time (naive UTC) as the zone's; the midnight of a day is that day."""
    if moment is None:
        return None
    try:
        local = moment.replace(tzinfo=UTC).astimezone(zone)
    except OverflowError:  # at the ends of the calendar
        return f"{moment.isoformat()}Z"
    if local.time() == time(0):
        return local.date().isoformat()
    return local.isoformat()


def _number(value: float | None) -> str | None:
    if value is None:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 10**15 else repr(value)


def _safe(texts: Any) -> Any:
    risky = pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(FORMULA))
    marked = pc.call_function("binary_join_element_wise", ["'", texts, ""])
    return pc.call_function("if_else", [risky, marked, texts])
