"""What an RFM model is made from: a table of purchases, its columns, and how customers are scored.

Read from JSON and written to it; checked against the tables of the workspace. Refused, with the
place: tables that hold no purchases, columns of another type, a window over order summaries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from textwave.audiences.refusals import ColumnMissing, ColumnUnknown, TableUnknown
from textwave.audiences.rule import All, Attribute, read_rule, write_rule
from textwave.audiences.tables import OWN_KEY, CustomerTable
from textwave.customers.columns import ColumnType, TableKind
from textwave.models.scoring import (
    Bands,
    Baseline,
    Scoring,
    ScoringMalformed,
    read_bands,
    read_baseline,
    read_quantiles,
    write_bands,
)

MOST_LAST_DAYS: Final = 3_660
KINDS: Final = (TableKind.ORDERS, TableKind.ORDER_SUMMARY)
_FIELDS: Final = (
    *("table", "customer", "time", "amount", "count", "last_days", "where"),
    *("bands", "quantiles", "baseline"),
)


@dataclass(frozen=True, slots=True)
class RfmDefinition:
    """An RFM model. Columns that are None are the table's declared ones.

    `baseline` None: a score is high if it is at least the mean. `last_days` counts the day of the
    analysis and so many days before it.
    """

    table: str
    scoring: Scoring
    baseline: Baseline | None = None
    customer: str | None = None
    time: str | None = None
    amount: str | None = None
    count: str | None = None
    last_days: int | None = None
    where: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Purchases:
    """A table of purchases with the columns that count; `count` only where a row sums many up."""

    table: CustomerTable
    customer: str
    time: str
    amount: str
    count: str | None

    @property
    def id_type(self) -> str:
        """The type of the ids by which the table names customers."""
        is_declared = self.customer == self.table.customer_column
        return self.table.customer_id_type if is_declared else OWN_KEY


def read_definition(given: Mapping[str, Any]) -> RfmDefinition:
    """Read a definition as the API takes it and the ledger keeps it.

    Raises:
        ScoringMalformed, RuleMalformed: with the place.
    """
    for name in given:
        if name not in _FIELDS:
            raise ScoringMalformed(str(name)[:60], f"there is no such field; there are {_FIELDS}")
    bands, quantiles = given.get("bands"), given.get("quantiles")
    if (bands is None) == (quantiles is None):
        raise ScoringMalformed("bands", "either bands or a number of quantiles is needed")
    scoring: Scoring
    baseline: Baseline | None = None
    if bands is not None:
        scoring, baseline = read_bands(bands)
    else:
        scoring = read_quantiles(quantiles)
    if given.get("baseline") is not None:
        baseline = read_baseline(given["baseline"])
    columns = {name: given.get(name) for name in ("customer", "time", "amount", "count")}
    return RfmDefinition(
        table=str(given.get("table") or ""),
        scoring=scoring,
        baseline=baseline,
        last_days=_last_days(given.get("last_days")),
        where=_conditions(given.get("where")),
        **columns,
    )


def write_definition(definition: RfmDefinition) -> dict[str, Any]:
    """Write a definition as `read_definition` reads it."""
    scoring = definition.scoring
    written: dict[str, Any] = {"table": definition.table}
    for name in ("customer", "time", "amount", "count", "last_days"):
        if (value := getattr(definition, name)) is not None:
            written[name] = value
    if definition.where:
        written["where"] = write_rule(All(of=definition.where))["of"]
    if isinstance(scoring, Bands):
        written["bands"] = write_bands(scoring)
    else:
        written["quantiles"] = scoring.count
    written["baseline"] = "mean" if definition.baseline is None else list(definition.baseline)
    return written


def purchases(definition: RfmDefinition, tables: Mapping[str, CustomerTable]) -> Purchases:
    """Find the table and the columns of a definition.

    Raises:
        TableUnknown, ColumnUnknown, ColumnMissing: there is no such table or fitting column.
        ScoringMalformed: a window is given for a table of order summaries.
    """
    table = tables.get(definition.table)
    if table is None or table.kind not in KINDS:
        known = sorted(one.name for one in tables.values() if one.kind in KINDS)
        kinds = "orders or order summaries"
        raise TableUnknown("table", definition.table, kinds, tuple(known))
    is_summary = table.kind is TableKind.ORDER_SUMMARY
    if is_summary and definition.last_days is not None:
        problem = "order summaries have no single orders to choose from; leave the window out"
        raise ScoringMalformed("last_days", problem)
    number, text = ColumnType.NUMBER, ColumnType.TEXT
    count = definition.count or table.count_column
    return Purchases(
        table=table,
        customer=_column(table, "customer", definition.customer or table.customer_column, text),
        time=_column(table, "time", definition.time or table.time_column, ColumnType.TIME),
        amount=_column(table, "amount", definition.amount or table.amount_column, number),
        count=_column(table, "count", count, number) if is_summary else None,
    )


def as_root(table: CustomerTable) -> CustomerTable:
    """Return the table as one whose rows a rule may select: conditions on purchases are rules."""
    return replace(table, kind=TableKind.CUSTOMERS)


def _column(table: CustomerTable, part: str, name: str | None, kind: ColumnType) -> str:
    fitting = tuple(column.name for column in table.columns if column.type is kind)
    if name is None:
        raise ColumnMissing(part, table.name, f"{kind} column", fitting)
    if name not in fitting:
        raise ColumnUnknown(part, table.name, name, f"{kind} column", fitting)
    return name


def _last_days(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MOST_LAST_DAYS:
        problem = f"a whole number of days from 1 to {MOST_LAST_DAYS:,} is needed"
        raise ScoringMalformed("last_days", problem)
    return given


def _conditions(given: object) -> tuple[Attribute, ...]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise ScoringMalformed("where", "a list of conditions of kind attribute is needed")
    rule = cast("All", read_rule({"kind": "all", "of": given}))
    for i, condition in enumerate(rule.of):
        if not isinstance(condition, Attribute):
            problem = f"a condition of kind attribute is needed, this is “{condition.kind}”"
            raise ScoringMalformed(f"where[{i}]", problem)
    return cast("tuple[Attribute, ...]", rule.of)
