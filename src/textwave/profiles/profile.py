"""The profile of an audience: shares of every attribute's values, there and in everyone.

Each column takes one aggregation over one joined table. Columns are sorted by how much they tell
the two apart: Cramér's V over all of their values, corrected for their number (Bergsma 2013), so
that a column in which everybody has another value does not come first. Ids and mobile numbers are
never looked at.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType
from textwave.kit.mobile import masked, read_mobile
from textwave.kit.refusal import Refusal
from textwave.profiles.scale import DECILES, Scale, number_scale, time_scale

MEASURE: Final = "cramers_v"
MOST_COLUMNS: Final = 100
MOST_VALUES: Final = 50
USUAL_VALUES: Final = 15
_FEW_NUMBERS: Final = 50
_LONGEST_LABEL: Final = 200
_IN, _OF = "textwave_in", "textwave_of"
_SAME: Final = 100


@dataclass(eq=False)
class ColumnNotProfiled(Refusal):
    """The column is none of those that a profile may show."""

    code: ClassVar[str] = "column_not_profiled"
    table: str
    column: str
    columns: tuple[str, ...]

    @property
    def sentence(self) -> str:
        there = ", ".join(f"“{name}”" for name in self.columns[:30]) or "none"
        return (
            f"“{self.column}” of “{self.table}” cannot be profiled: it is no column, or it holds "
            f"ids or mobile numbers. Columns that can: {there}."
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at: columns, the most values of each, and whether against everyone."""

    columns: tuple[Column, ...]
    values: int
    zone: ZoneInfo
    region: str
    against_everyone: bool


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many people are in the audience and in what it is compared with."""

    audience: int
    everyone: int


def profiled_columns(table: CustomerTable, names: Sequence[str] | None) -> tuple[Column, ...]:
    """Return the columns to look at: those named, or the first hundred that may be shown.

    Raises:
        ColumnNotProfiled: a named one is an id, a mobile number or no column.
    """
    hidden = {table.customer_column, table.mobile_column, *(one.column for one in table.ids)}
    shown = {column.name: column for column in table.columns if column.name not in hidden}
    if names is None:
        return tuple(shown.values())[:MOST_COLUMNS]
    for name in names:
        if name not in shown:
            raise ColumnNotProfiled(table.name, name, tuple(shown))
    return tuple(shown[name] for name in dict.fromkeys(names))[:MOST_COLUMNS]


def joined(people: ir.Table, key: str, members: ir.Table, others: ir.Table | None) -> ir.Table:
    """Return the people of both sides, marked with whom they belong to; others None: everyone."""
    is_in = people[key].isin(members["customer"])
    if others is None:
        return people.mutate(**{_IN: is_in.cast("int64"), _OF: ibis.literal(1, "int64")})
    is_of = people[key].isin(others["customer"])
    marked = people.mutate(**{_IN: is_in.cast("int64"), _OF: is_of.cast("int64")})
    return marked.filter((marked[_IN] == 1) | (marked[_OF] == 1))


def survey(rows: ir.Table, columns: Sequence[Column]) -> ir.Table:
    """Return one row: the sizes, and what scales need: different numbers, first and last times."""
    is_in: Any = rows[_IN]
    is_of: Any = rows[_OF]
    asked: dict[str, Any] = {"size_in": is_in.sum(), "size_of": is_of.sum()}
    for place, column in enumerate(columns):
        cell: Any = rows[column.name]
        if column.type is ColumnType.NUMBER:
            asked[f"distinct_{place}"] = cell.nunique()
        elif column.type is ColumnType.TIME:
            asked |= {f"first_{place}": cell.min(), f"last_{place}": cell.max()}
    return rows.aggregate(**asked)


def deciles(rows: ir.Table, columns: Sequence[Column], surveyed: Mapping[str, Any]) -> ir.Table:
    """Return one row with the deciles over everyone of each column of many different numbers."""
    asked: dict[str, Any] = {"rows": rows.count()}
    everyone = rows[_OF] == 1
    for place, column in enumerate(columns):
        if (surveyed.get(f"distinct_{place}") or 0) > _FEW_NUMBERS:
            for number, share in enumerate(DECILES):
                cell: Any = rows[column.name]
                asked[f"bound_{place}_{number}"] = cell.quantile(share, where=everyone)
    return rows.aggregate(**asked)


def scales(
    columns: Sequence[Column], surveyed: Mapping[str, Any], zone: ZoneInfo
) -> dict[str, Scale]:
    """Return the scale of each column that has one."""
    found: dict[str, Scale] = {}
    for place, column in enumerate(columns):
        bounds = [surveyed.get(f"bound_{place}_{number}") for number in range(len(DECILES))]
        known = [bound for bound in bounds if bound is not None]
        first, last = surveyed.get(f"first_{place}"), surveyed.get(f"last_{place}")
        if known:
            found[column.name] = number_scale(known)
        elif first is not None and last is not None:
            found[column.name] = time_scale(first, last, zone)
    return found


def counted(rows: ir.Table, column: Column, scale: Scale | None, wanted: Wanted) -> ir.Table:
    """Return the values with the most people, each row with the sums over all values.

    Columns: value, a (people of the audience), n (of everyone), and over all values: `values`,
    `sum_a`, `sum_n` and `evenness` = Σ a²/m, where m is n, or a + n against another audience.
    """
    cell: Any = rows[column.name]
    if column.type is ColumnType.MULTI_VALUE:
        cell = _each(cell, column)
    elif scale is not None:
        cell = scale.place(cell)
    picked: Any = rows.select(value=cell, a=rows[_IN], n=rows[_OF])
    grouped: Any = picked.group_by("value").aggregate(a=picked["a"].sum(), n=picked["n"].sum())
    a, n = grouped["a"].cast("float64"), grouped["n"].cast("float64")
    m = n if wanted.against_everyone else a + n
    sums = grouped.aggregate(
        values=grouped.count(), sum_a=grouped["a"].sum(), sum_n=grouped["n"].sum(),
        evenness=(a * a / m).sum(),
    )  # fmt: skip
    order = [ibis.desc("a"), ibis.desc("n"), ibis.asc("value")]
    return grouped.order_by(order).limit(MOST_VALUES).cross_join(sums)


def _each(cell: Any, column: Column) -> Any:
    """Return each value of a multi-value cell once; null for a cell without any."""
    values = cell
    if not cell.type().is_array():
        stripped = cell.split(column.separator).map(lambda piece: piece.strip())
        values = stripped.filter(lambda piece: piece.length() > 0)
    none = ibis.array([ibis.null("string")])
    chosen: Any = ibis.ifelse(values.length() > 0, values.unique(), none)
    return chosen.unnest()


def described(
    found: Sequence[Mapping[str, Any]],
    column: Column,
    scale: Scale | None,
    sizes: Sizes,
    wanted: Wanted,
) -> dict[str, Any]:
    """Return a column as the profile tells it: how different it is, and its most common values.

    Shares are of people, so those of a multi-value column may add up to more than one.
    """
    sums = found[0] if found else {"values": 0, "sum_a": 0, "sum_n": 0, "evenness": 0.0}
    shown = list(found if scale else found[: wanted.values])
    if scale:
        shown.sort(key=lambda row: math.inf if row["value"] is None else row["value"])
    told = [_value(row, _label(row["value"], scale, wanted.region), sizes) for row in shown]
    rest = {name: sums[f"sum_{name}"] - sum(row[name] for row in shown) for name in ("a", "n")}
    return {
        "column": column.name,
        "type": column.type.value,
        "difference": difference(sums, against_everyone=wanted.against_everyone),
        "values": told,
        "other": {"values": sums["values"] - len(shown), **_value(rest, None, sizes)},
    }


def difference(sums: Mapping[str, Any], *, against_everyone: bool) -> float:
    """Return the corrected Cramér's V of “in the audience or not” by all values, 0 to 1."""
    a, values = sums["sum_a"], sums["values"]
    total = sums["sum_n"] if against_everyone else a + sums["sum_n"]
    if values < 2 or not 0 < a < total:  # noqa: PLR2004 - one value tells nobody apart
        return 0.0
    phi = (sums["evenness"] - a * a / total) * total / (a * (total - a))
    spread = max(0.0, phi - (values - 1) / (total - 1))
    columns = values - 1 - (values - 1) ** 2 / (total - 1)
    rows = 1 - 1 / (total - 1)
    least = min(columns, rows)
    return round(min(1.0, math.sqrt(spread / least)), 4) if least > 0 else 0.0


def _value(row: Mapping[str, Any], label: Any, sizes: Sizes) -> dict[str, Any]:
    share_in = row["a"] / sizes.audience if sizes.audience else 0.0
    share_of = row["n"] / sizes.everyone if sizes.everyone else 0.0
    return {
        "value": label,
        "audience": row["a"],
        "everyone": row["n"],
        "share_audience": share_in,
        "share_everyone": share_of,
        "index": round(share_in / share_of * _SAME, 1) if share_of else None,
    }


def _label(value: Any, scale: Scale | None, region: str) -> Any:
    if value is None:
        return None
    if scale is not None:
        return scale.labels[value]
    if isinstance(value, float):
        whole = value.is_integer()
        number = read_mobile(str(int(value)), region) if whole else None
        if number is not None:
            return masked(number)
        return int(value) if whole else value
    if not isinstance(value, str):
        return value
    number = read_mobile(value, region)
    return value[:_LONGEST_LABEL] if number is None else masked(number)
