"""What the ledger says of the tables in the warehouse and of all else that a rule may name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis.expr.types as ir

from textwave.customers.columns import ColumnType, TableKind
from textwave.kit.ids import CampaignId, SnapshotId

Source = Callable[[str], ir.Table]
"""Gives the table of a name, with its columns as the warehouse has them."""

OWN_KEY = "customer"
"""The id type of a customer's own key; every other one is declared by name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column; a multi-value column that is kept as text has a separator."""

    name: str
    type: ColumnType
    separator: str = ","


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column that holds ids of a type such as `email` or `open_id`."""

    type: str
    column: str


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """A table of the workspace.

    `customer_column` holds ids of the type `customer_id_type`: the customer's own key unless the
    table says otherwise. A table of customers has further ids of each in `ids`; `has_new_people`
    says that people of uploaded lists stand beside its rows. Encrypted numbers join nothing.
    """

    name: str
    kind: TableKind
    columns: tuple[Column, ...]
    customer_column: str
    mobile_column: str | None = None
    time_column: str | None = None
    amount_column: str | None = None
    count_column: str | None = None
    customer_id_type: str = OWN_KEY
    ids: tuple[IdColumn, ...] = ()
    has_new_people: bool = False
    numbers_encrypted: bool = False

    def column(self, name: str) -> Column | None:
        """Return the declared column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class RfmModel:
    """An RFM model; `run_id` is its newest computation, None before the first."""

    run_id: int | None
    id_type: str = OWN_KEY


@dataclass(frozen=True, slots=True)
class AiplModel:
    """An AIPL model; `runs` has the newest run of each labelled day."""

    runs: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class UploadedList:
    """An uploaded list; its values are ids of the type `id_type`."""

    id: int
    id_type: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a rule of the workspace may name; None: not yet computed."""

    tables: Mapping[str, CustomerTable]
    audiences: Mapping[str, SnapshotId | None] = field(default_factory=dict[str, SnapshotId | None])
    rfm_models: Mapping[str, RfmModel] = field(default_factory=dict[str, RfmModel])
    aipl_models: Mapping[str, AiplModel] = field(default_factory=dict[str, AiplModel])
    lists: Mapping[str, UploadedList] = field(default_factory=dict[str, UploadedList])
    campaigns: Mapping[str, CampaignId] = field(default_factory=dict[str, CampaignId])


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
