"""Which number of a customer a campaign uses: the first that is known, the latest, or every one.

A customer's numbers stand in one order: those of the customer's own row as they are written there,
then those of other tables from the oldest mention to the newest. Pure: Ibis over whatever holds it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from textwave.kit.refusal import InvalidValue

SEVERAL: Final = "textwave_mobiles"
"""The column of a table whose cells hold several numbers."""

_OWN, _ELSEWHERE = 0, 1


class NumberChoice(StrEnum):
    """Which of a customer's numbers get the campaign's text."""

    FIRST = "first"
    LATEST = "latest"
    ALL = "all"


def read_choice(text: str) -> NumberChoice:
    """Read a choice as it is given.

    Raises:
        InvalidValue: it is none of the three.
    """
    if text not in list(NumberChoice):
        raise InvalidValue("numbers", f"“{text}” is none of: {', '.join(NumberChoice)}.")
    return NumberChoice(text)


def own_numbers(customers: ir.Table, customer_column: str) -> ir.Table:
    """Return the plain numbers of customers' own rows, in the order of each cell."""
    rows: Any = customers.select(
        customer=customers[customer_column],
        mobile=_written_numbers(customers) if SEVERAL in customers.columns else _single(customers),
    )
    if SEVERAL in customers.columns:
        rows = rows.unnest("mobile", offset="place")
    else:
        rows = rows.mutate(place=ibis.literal(0, "int64"))
    return _mentions(rows, _OWN)


def numbers_elsewhere(rows: ir.Table, customer_column: str, time_column: str | None) -> ir.Table:
    """Return the plain numbers that the rows of another table name, with their times."""
    time: Any = ibis.null("timestamp") if time_column is None else rows[time_column]
    named: Any = rows.select(customer=rows[customer_column], mobile=_single(rows), happened_at=time)
    return _mentions(named.mutate(place=ibis.literal(0, "int64")), _ELSEWHERE)


def decrypted_numbers(rows: ir.Table, *, own: bool) -> ir.Table:
    """Return numbers that were encrypted; `rows` has customer, mobile and happened_at."""
    placed: Any = rows.mutate(place=ibis.literal(0, "int64"))
    return _mentions(placed, _OWN if own else _ELSEWHERE)


def chosen_numbers(
    mentions: Sequence[ir.Table], members: ir.Table, choice: NumberChoice
) -> ir.Table:
    """Return (customer, mobile): at most one row a member, or each distinct one for `all`."""
    rows: Any = ibis.union(*mentions) if len(mentions) > 1 else mentions[0]
    rows = rows.semi_join(members, [rows.customer == members.customer])
    if choice is NumberChoice.ALL:
        return rows.select("customer", "mobile").distinct()
    first = choice is NumberChoice.FIRST
    order = [
        column.asc(nulls_first=True) if first else column.desc(nulls_first=False)
        for column in (rows.source, rows.happened_at, rows.place, rows.mobile)
    ]
    window = ibis.window(group_by=rows.customer, order_by=order)
    ranked: Any = rows.mutate(rank=ibis.row_number().over(window))
    return ranked.filter(ranked["rank"] == 0).select("customer", "mobile")


def _single(rows: ir.Table) -> Any:
    return rows["textwave_mobile"].cast("int64")


def _written_numbers(customers: ir.Table) -> Any:
    """Return each row's numbers; one that came without a list of them is the only one."""
    several, single = customers[SEVERAL], _single(customers)
    return ibis.ifelse(several.isnull(), ibis.array([single]), several)


def _mentions(rows: Any, source: int) -> ir.Table:
    time = (
        rows.happened_at.cast("timestamp")
        if "happened_at" in rows.columns
        else ibis.null("timestamp")
    )
    return rows.filter(rows.mobile.notnull()).select(
        customer=rows.customer,
        mobile=rows.mobile.cast("int64"),
        source=ibis.literal(source, "int64"),
        happened_at=time,
        place=rows.place.cast("int64"),
    )
