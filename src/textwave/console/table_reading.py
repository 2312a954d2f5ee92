"""What the pages of tables show: columns with their parts and what is known of their values.

Values of columns that identify people are never shown, nor the ends of such columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from textwave.accounts.store import workspace
from textwave.console.board import Share, part_of, ranked
from textwave.customers import operations as customers
from textwave.customers.columns import KEYED_KINDS
from textwave.customers.store import CustomerTable, Import
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.storage.ledger import Ledger

_SHOWN_VALUES: Final = 5


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column; what is None is not known (yet), or not shown."""

    name: str
    type: str
    separator: str | None
    parts: Sequence[str]
    id_types: Sequence[str]
    identifies: bool
    empty_share: float | None
    distinct: int | None
    approximate: bool
    low: float | datetime | None
    high: float | datetime | None
    top: Sequence[Share]
    sampled: bool
    partly_hidden: bool


@dataclass(frozen=True, slots=True)
class TableLine:
    """A table in the list of all."""

    table: CustomerTable
    newest: Import | None


@dataclass(frozen=True, slots=True)
class ShownTable:
    """Everything that the page of one table shows."""

    table: CustomerTable
    columns: Sequence[ShownColumn]
    imports: Sequence[Import]
    zone: str


async def read_tables(ledger: Ledger, workspace_id: WorkspaceId) -> tuple[Sequence[TableLine], str]:
    """Read all tables, each with its newest import, and the time zone to show them in."""
    async with ledger.transaction(workspace_id) as connection:
        found = await customers.tables(connection, workspace_id)
        newest = await customers.newest_imports(connection, workspace_id)
        zone = (await workspace(connection, workspace_id)).time_zone
    of_table = {one.table_name: one for one in newest}
    return [TableLine(table, of_table.get(table.name)) for table in found], zone


async def read_table(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> ShownTable:
    """Read a table with its columns and its newest imports.

    Raises:
        NotFound: there is none of that name.
    """
    async with ledger.transaction(workspace_id) as connection:
        table = await customers.table(connection, workspace_id, name)
        imports = await customers.imports(connection, workspace_id=workspace_id, name=name)
        zone = (await workspace(connection, workspace_id)).time_zone
    return ShownTable(table, shown_columns(table), imports, zone)


def shown_columns(table: CustomerTable) -> Sequence[ShownColumn]:
    """Describe the columns of a table."""
    parts = _parts(table)
    id_types = {known["column"]: known["type"] for known in table.ids}
    identifying = {table.customer_column, table.mobile_column, *id_types}
    statistics = table.statistics or {}
    return [
        _shown(
            column,
            tuple(part for part, name in parts.items() if name == column["name"]),
            id_types.get(column["name"]),
            statistics.get(column["name"]),
            rows=table.row_count,
            identifies=column["name"] in identifying,
        )
        for column in table.columns
    ]


def find_import(shown: ShownTable, import_id: int) -> Import:
    """Return one of a table's imports.

    Raises:
        NotFound: it is none of them.
    """
    for one in shown.imports:
        if one.id == import_id:
            return one
    raise NotFound("import", f"{shown.table.name} {import_id}")


def _parts(table: CustomerTable) -> Mapping[str, str | None]:
    return {
        "key" if table.kind in KEYED_KINDS else "customer": table.customer_column,
        "mobile": table.mobile_column,
        "time": table.time_column,
        "amount": table.amount_column,
        "count": table.count_column,
        "partition": table.partition_column,
    }


def _shown(
    column: Mapping[str, str],
    parts: Sequence[str],
    id_type: str | None,
    known: Mapping[str, Any] | None,
    *,
    rows: int,
    identifies: bool,
) -> ShownColumn:
    known = known or {}
    top = {} if identifies else dict(known.get("top", ())[:_SHOWN_VALUES])
    ends = (None, None) if identifies else (known.get("min"), known.get("max"))
    return ShownColumn(
        name=column["name"],
        type=column["type"],
        separator=column.get("separator"),
        parts=parts,
        id_types=() if id_type is None else (id_type,),
        identifies=identifies,
        empty_share=part_of(known["nulls"], rows) if known else None,
        distinct=known.get("distinct"),
        approximate=bool(known.get("approximate")),
        low=_end(ends[0]),
        high=_end(ends[1]),
        top=ranked(top),
        sampled=bool(known.get("sampled")),
        partly_hidden=not identifies and bool(known.get("hidden")),
    )


def _end(written: object) -> float | datetime | None:
    """Read an end of a column's range: a number, or a time in UTC."""
    if isinstance(written, str):
        return datetime.fromisoformat(written).astimezone(UTC)
    return float(written) if isinstance(written, int | float) else None
