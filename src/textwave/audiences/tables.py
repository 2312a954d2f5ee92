"""What the ledger says of the tables in the warehouse, as values: names, kinds, typed columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TableKind(StrEnum):
    """What the rows of a table are."""

    CUSTOMERS = "customers"
    BEHAVIOURS = "behaviours"
    ORDERS = "orders"


class ColumnType(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    MULTI_VALUE = "multi_value"


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column; a multi-value column that is kept as text has a separator."""

    name: str
    type: ColumnType
    separator: str = ","


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """A table of the workspace; `customer_column` holds the customer's key."""

    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    customer_column: str
    mobile_column: str | None = None
    time_column: str | None = None
    amount_column: str | None = None

    def column(self, name: str) -> Column | None:
        """Return the declared column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


def read_columns(written: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Read the ledger's list of columns: name, type and perhaps separator."""
    return tuple(
        Column(
            str(column["name"]),
            ColumnType(column["type"]),
            str(column.get("separator") or ","),
        )
        for column in written
    )
