"""Planning: who gets a message, who does not and why, and how many parts it will be.

Pure: an Ibis expression joins the snapshot with numbers and variables on whatever engine holds
them, and its ordered stream is cut into blocks of messages and drops. Sendable rows come first,
in mobile-number order, so that duplicates are neighbours and batches are ranges of numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textwave.content.variables import MissingValue, TemplateText
from textwave.plans.draw import Draw, Held
from textwave.plans.parts import Measure
from textwave.plans.served import CARRIER_NOT_APPROVED, SERVES_ALL, Served

NO_NUMBER: Final = "no number"
BAD_NUMBER: Final = "bad number"
DUPLICATE_NUMBER: Final = "duplicate number"
OPTED_OUT: Final = "opted out"
MISSING_VARIABLE: Final = "missing variable"
LONG_VALUE: Final = "value too long"
EXCLUDED: Final = "excluded"
CONTROL_GROUP: Final = "control group"

MESSAGE_FIELDS: Final = pa.schema(
    [
        ("mobile", pa.int64()),
        ("customer", pa.string()),
        ("variables", pa.list_(pa.string())),
        ("parts", pa.int16()),
    ]
)
DROP_FIELDS: Final = pa.schema(
    [
        ("customer", pa.string()),
        ("mobile", pa.int64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class VariableSource:
    """Where a variable's value comes from, and what happens without one."""

    column: str
    missing: MissingValue


@dataclass(frozen=True, slots=True)
class Division:
    """How recipients are divided among several texts: by their lots, in order.

    `names` has the variables of each place's text; whoever's lot is below the place's entry in
    `limits`, and not below the one before, belongs to it, and everybody else to the last place.
    """

    draw: Draw
    names: Sequence[tuple[str, ...]]
    limits: Sequence[int]

    def place(self, mobiles: Any) -> Any:
        """Return the place of each number of a column."""
        lots = self.draw.of(mobiles)
        cases = [(lots < limit, place) for place, limit in enumerate(self.limits[:-1])]
        return ibis.cases(*cases, else_=len(self.limits) - 1).cast("int16")


@dataclass(frozen=True, slots=True)
class Recipients:
    """What a plan is made from.

    `members` has the column `customer`; `customers` is the customer table with its key column and
    textwave_mobile, textwave_bad_mobile. `numbers` has customer and mobile, each pair once, and
    says whom a text reaches where; None: `textwave_mobile` alone does. `excluded` has the column
    `customer`. Each of `blocked` is a reason and a table with the column `mobile`: whoever has such
    a number gets nothing, and the first reason stands. With a `division` there are several texts,
    and `template` does not count. `served`: whom the account and the template reach at all. With a
    `longest_value` the platform takes values of 1 to so many characters; none is missing there.
    """

    members: ir.Table
    customers: ir.Table
    customer_column: str
    template: TemplateText
    sources: Mapping[str, VariableSource]
    blocked: Sequence[tuple[str, ir.Table]] = ()
    excluded: ir.Table | None = None
    numbers: ir.Table | None = None
    division: Division | None = None
    served: Served = SERVES_ALL
    longest_value: int | None = None

    def stand_in(self, name: str) -> str | None:
        """Return what a variable without a value gets; None drops the recipient."""
        text = self.sources[name].missing.text
        return None if text == "" and self.longest_value is not None else text


def recipients(given: Recipients) -> ir.Table:
    """Return one row a recipient: mobile, customer, variables, reason (null: gets a message).

    A member with several chosen numbers is as many recipients; one without any is one recipient
    too. A member who has left the customer table since the snapshot has no number there. With a
    division there is also `place`, and the rows of one place come after those of the one before.
    """
    rows: Any = _decided(given)
    places = [] if given.division is None else [rows.place]
    return rows.order_by([rows.reason.notnull(), *places, rows.mobile, rows.customer])


def _decided(given: Recipients) -> ir.Table:
    """Return the recipients in no order."""
    joined: Any = _joined(given)
    if given.division is not None:
        joined = joined.mutate(place=given.division.place(joined.textwave_number))
    values = {name: _text(joined[source.column]) for name, source in given.sources.items()}
    excluded = ibis.literal(False) if given.excluded is None else joined.excluded.notnull()
    number = joined.textwave_number
    reason = ibis.cases(
        (excluded, EXCLUDED),
        (number.isnull() & joined.textwave_bad_mobile.fill_null(False), BAD_NUMBER),
        (number.isnull(), NO_NUMBER),
        *_unreachable(given.served.outside(number), BAD_NUMBER),
        *((joined[_mark(n)].notnull(), why) for n, (why, _) in enumerate(given.blocked)),
        *_unreachable(given.served.unapproved(number), CARRIER_NOT_APPROVED),
        (_lacks_variable(joined, values, given), MISSING_VARIABLE),
        *_unreachable(_has_long_value(joined, values, given), LONG_VALUE),
        else_=ibis.null("string"),
    )
    places = {} if given.division is None else {"place": joined.place}
    return joined.select(
        mobile=joined.textwave_number,
        customer=joined.customer,
        variables=_variables(joined, values, given),
        reason=reason,
        **places,
    )


def _unreachable(which: Any, reason: str) -> list[tuple[Any, str]]:
    return [] if which is None else [(which, reason)]


def drawn_first(given: Recipients, draw: Draw, size: int) -> ir.Table:
    """Return lot and mobile of those whom a draw takes first.

    Of everybody who would get a message, each number once: exactly `size` if there are as many.
    """
    rows: Any = _decided(given)
    free = rows.filter(rows.reason.isnull()).select("mobile").distinct()
    drawn = free.mutate(lot=draw.of(free.mobile))
    return drawn.order_by([drawn.lot, drawn.mobile]).limit(size)


def count_recipients(members: ir.Table, numbers: ir.Table | None) -> ir.IntegerScalar:
    """Return how many rows `recipients` has: each further number of a member is one more."""
    if numbers is None:
        return members.count()
    return members.left_join(numbers, [members.customer == numbers.customer]).count()


def _joined(given: Recipients) -> Any:
    """Return the recipients with their mobile, sources of variables and marks of opt-outs."""
    columns = sorted({source.column for source in given.sources.values()})
    customers: Any = given.customers.select(
        textwave_key=given.customers[given.customer_column],
        textwave_mobile=given.customers.textwave_mobile,
        textwave_bad_mobile=given.customers.textwave_bad_mobile,
        **{column: given.customers[column] for column in columns},
    )
    joined: Any = given.members.left_join(
        customers, given.members.customer == customers.textwave_key
    )
    if given.numbers is None:
        joined = joined.mutate(textwave_number=joined.textwave_mobile.cast("int64"))
    else:
        found: Any = given.numbers.select(
            textwave_number=given.numbers.mobile, textwave_numbered=given.numbers.customer
        )
        joined = joined.left_join(found, [joined.customer == found.textwave_numbered])
    if given.excluded is not None:
        left_out: Any = given.excluded.select(excluded=given.excluded["customer"]).distinct()
        joined = joined.left_join(left_out, [joined.customer == left_out.excluded])
    for number, (_, mobiles) in enumerate(given.blocked):
        marked = mobiles.select(mobiles["mobile"].name(_mark(number))).distinct()
        joined = joined.left_join(marked, [joined.textwave_number == marked[_mark(number)]])
    return joined


def _mark(number: int) -> str:
    """Return the column that is filled where a list blocks a recipient's number."""
    return f"blocked_{number}"


def _text(column: Any) -> Any:
    """Write a value as a person would; blank text is no value."""
    kind = column.type()
    text: Any
    if kind.is_array():
        text = column.join(", ")
    elif kind.is_floating():
        whole = column.cast("int64")
        text = ibis.ifelse(column == whole, whole.cast("string"), column.cast("string"))
    elif kind.is_timestamp():
        text = column.strftime("%Y-%m-%d")
    else:
        text = column.cast("string")
    return ibis.ifelse(text.strip() == "", ibis.null("string"), text)


def _lacks_variable(joined: Any, values: Mapping[str, Any], given: Recipients) -> Any:
    lacking = {
        name: value.isnull() for name, value in values.items() if given.stand_in(name) is None
    }
    return _has_some(joined, lacking, given)


def _has_long_value(joined: Any, values: Mapping[str, Any], given: Recipients) -> Any | None:
    """Return whose text has a value that the platform finds too long; None: none is."""
    longest = given.longest_value
    if longest is None:
        return None
    filled: dict[str, Any] = {
        name: ibis.coalesce(value, given.stand_in(name) or "") for name, value in values.items()
    }
    too_long = {name: value.length() > longest for name, value in filled.items()}
    return _has_some(joined, too_long, given)


def _has_some(joined: Any, unfit: Mapping[str, Any], given: Recipients) -> Any:
    """Return whose text has a variable that is unfit for them, by the variables' names."""
    if given.division is None:
        return _any_of(given.template.names, unfit)
    found: Any = ibis.literal(False)
    for place, names in enumerate(given.division.names):
        found |= (joined.place == place) & _any_of(names, unfit)
    return found


def _any_of(names: Iterable[str], unfit: Mapping[str, Any]) -> Any:
    found: Any = ibis.literal(False)
    for name in names:
        if name in unfit:
            found |= unfit[name]
    return found


def _variables(joined: Any, values: Mapping[str, Any], given: Recipients) -> Any:
    """Return the values of each recipient's text, in the order of its names."""
    if given.division is None:
        return _filled(given.template.names, values, given)
    first, *others = given.division.names
    if all(names == first for names in others):
        return _filled(first, values, given)
    arrays = [_filled(names, values, given) for names in given.division.names]
    cases = [(joined.place == place, array) for place, array in enumerate(arrays[:-1])]
    return ibis.cases(*cases, else_=arrays[-1])


def _filled(names: Iterable[str], values: Mapping[str, Any], given: Recipients) -> Any:
    filled = [ibis.coalesce(values[name], given.stand_in(name) or "") for name in names]
    return ibis.array(filled) if filled else ibis.null("array<string>")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the plan: messages of one place in mobile-number order, and drops."""

    messages: pa.RecordBatch
    drops: pa.RecordBatch
    place: int = 0


def blocks(
    batches: Iterable[pa.RecordBatch], measures: Sequence[Measure], held: Held | None = None
) -> Iterator[Block]:
    """Cut the ordered recipients into blocks; the second of one number is dropped.

    `measures` has one for each place; `held` says whom the control group takes.
    """
    last_mobile = -1
    for batch in batches:
        reasons = batch.column("reason")
        sendable = batch.slice(0, reasons.null_count)
        others = batch.slice(len(sendable))
        mobiles = sendable.column("mobile").to_numpy(zero_copy_only=False)
        repeated = mobiles == np.concatenate(([last_mobile], mobiles[:-1]))
        if len(mobiles):
            last_mobile = int(mobiles[-1])
        gone = [(DUPLICATE_NUMBER, repeated)]
        if held is not None:
            gone.append((CONTROL_GROUP, held.holds(mobiles) & ~repeated))
        kept = sendable.filter(pa.array(~np.logical_or.reduce([mask for _, mask in gone])))
        drops = _drops(sendable, gone, others)
        for place, piece in _pieces(kept, len(measures)):
            yield Block(_messages(piece, measures[place]), drops, place)
            drops = drops.slice(len(drops))


def _pieces(kept: pa.RecordBatch, places: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut rows, which are ordered by place, into those of each; at least one piece."""
    if places == 1:
        yield 0, kept
        return
    here = kept.column("place").to_numpy(zero_copy_only=False)
    starts = np.searchsorted(here, np.arange(places + 1))
    filled = [place for place in range(places) if starts[place] < starts[place + 1]]
    for place in filled or [0]:
        yield place, kept.slice(starts[place], starts[place + 1] - starts[place])


def _messages(kept: pa.RecordBatch, measure: Measure) -> pa.RecordBatch:
    variables = kept.column("variables")
    if not measure.names:
        offsets = pa.array(np.zeros(len(kept) + 1, dtype=np.int32))
        variables = pa.ListArray.from_arrays(offsets, pa.array([], pa.string()))
    parts = pa.array(measure(variables), pa.int16())
    return pa.RecordBatch.from_arrays(
        [kept.column("mobile"), kept.column("customer"), variables, parts], schema=MESSAGE_FIELDS
    )


def _drops(
    sendable: pa.RecordBatch,
    gone: Sequence[tuple[str, NDArray[np.bool_]]],
    others: pa.RecordBatch,
) -> pa.RecordBatch:
    """Return the drops among those who could have got a message, and all others."""
    dropped = [(why, sendable.filter(pa.array(mask))) for why, mask in gone]
    reasons = pa.concat_arrays(
        [
            *(pa.array([why] * len(rows), pa.string()) for why, rows in dropped),
            others.column("reason").cast(pa.string()),
        ]
    )
    columns = [
        pa.concat_arrays([*(rows.column(name) for _, rows in dropped), others.column(name)])
        for name in ("customer", "mobile")
    ]
    return pa.RecordBatch.from_arrays([*columns, reasons], schema=DROP_FIELDS)
