"""Planning: who gets a message, who does not and why, and how many parts it will be.

Pure: an Ibis expression joins the snapshot with numbers and variables on whatever engine holds
them, and its ordered stream is cut into blocks of messages and drops. Sendable rows come first,
in mobile-number order, so that duplicates are neighbours and batches are ranges of numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textwave.content.tokens import TOKEN_LENGTH
from textwave.content.variables import MissingValue, TemplateText
from textwave.kit.text import CAPACITIES, Counting, Encoding, count, signed

NO_NUMBER: Final = "no number"
BAD_NUMBER: Final = "bad number"
DUPLICATE_NUMBER: Final = "duplicate number"
OPTED_OUT: Final = "opted out"
MISSING_VARIABLE: Final = "missing variable"

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
_PLACEHOLDER_TOKEN: Final = "0" * TOKEN_LENGTH


@dataclass(frozen=True, slots=True)
class VariableSource:
    """Where a variable's value comes from, and what happens without one."""

    column: str
    missing: MissingValue


@dataclass(frozen=True, slots=True)
class Recipients:
    """What a plan is made from.

    `members` has the column `customer`; `customers` is the customer table with its key column and
    textwave_mobile, textwave_bad_mobile; `opted_out` has the column `mobile`, or is None where
    opt-outs do not apply (notifications). `numbers` has customer and mobile, each pair once, and
    says whom a text reaches where; None: `textwave_mobile` alone does.
    """

    members: ir.Table
    customers: ir.Table
    customer_column: str
    template: TemplateText
    sources: Mapping[str, VariableSource]
    opted_out: ir.Table | None
    numbers: ir.Table | None = None


def recipients(given: Recipients) -> ir.Table:
    """Return one row a recipient: mobile, customer, variables, reason (null: gets a message).

    A member with several chosen numbers is as many recipients; one without any is one recipient
    too. A member who has left the customer table since the snapshot has no number there.
    """
    joined: Any = _joined(given)
    values = {name: _text(joined[source.column]) for name, source in given.sources.items()}
    opted_out = ibis.literal(False) if given.opted_out is None else joined.is_opted_out
    reason = ibis.cases(
        (joined.textwave_number.isnull() & joined.textwave_bad_mobile.fill_null(False), BAD_NUMBER),
        (joined.textwave_number.isnull(), NO_NUMBER),
        (opted_out, OPTED_OUT),
        (_lacks_variable(values, given), MISSING_VARIABLE),
        else_=ibis.null("string"),
    )
    filled = [
        ibis.coalesce(values[name], given.sources[name].missing.text or "")
        for name in given.template.names
    ]
    array = ibis.array(filled) if filled else ibis.null("array<string>")
    rows: Any = joined.select(
        mobile=joined.textwave_number,
        customer=joined.customer,
        variables=array,
        reason=reason,
    )
    return rows.order_by([rows.reason.notnull(), rows.mobile, rows.customer])


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
    if given.opted_out is None:
        return joined
    marked = given.opted_out.select(opted_out_mobile=given.opted_out.mobile).distinct()
    with_marks = joined.left_join(marked, [joined.textwave_number == marked.opted_out_mobile])
    return with_marks.mutate(is_opted_out=with_marks.opted_out_mobile.notnull())


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


def _lacks_variable(values: Mapping[str, Any], given: Recipients) -> Any:
    lacks: Any = ibis.literal(False)
    for name in given.template.names:
        if given.sources[name].missing.text is None:
            lacks |= values[name].isnull()
    return lacks


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the plan: messages in mobile-number order, and drops with their reason."""

    messages: pa.RecordBatch
    drops: pa.RecordBatch


def blocks(batches: Iterable[pa.RecordBatch], measure: "PartsMeasure") -> Iterator[Block]:
    """Cut the ordered recipients into blocks; the second of one number is dropped."""
    last_mobile = -1
    for batch in batches:
        reasons = batch.column("reason")
        sendable = batch.slice(0, reasons.null_count)
        others = batch.slice(len(sendable))
        mobiles = sendable.column("mobile").to_numpy(zero_copy_only=False)
        repeated = mobiles == np.concatenate(([last_mobile], mobiles[:-1]))
        if len(mobiles):
            last_mobile = int(mobiles[-1])
        kept = sendable.filter(pa.array(~repeated))
        yield Block(_messages(kept, measure), _drops(sendable, repeated, others))


def _messages(kept: pa.RecordBatch, measure: "PartsMeasure") -> pa.RecordBatch:
    variables = kept.column("variables")
    if not measure.template.names:
        offsets = pa.array(np.zeros(len(kept) + 1, dtype=np.int32))
        variables = pa.ListArray.from_arrays(offsets, pa.array([], pa.string()))
    parts = pa.array(measure(variables), pa.int16())
    return pa.RecordBatch.from_arrays(
        [kept.column("mobile"), kept.column("customer"), variables, parts], schema=MESSAGE_FIELDS
    )


def _drops(
    sendable: pa.RecordBatch, repeated: NDArray[np.bool_], others: pa.RecordBatch
) -> pa.RecordBatch:
    twins = sendable.filter(pa.array(repeated))
    reasons = pa.concat_arrays(
        [
            pa.array([DUPLICATE_NUMBER] * len(twins), pa.string()),
            others.column("reason").cast(pa.string()),
        ]
    )
    columns = [
        pa.concat_arrays([twins.column(name), others.column(name)])
        for name in ("customer", "mobile")
    ]
    return pa.RecordBatch.from_arrays([*columns, reasons], schema=DROP_FIELDS)


class PartsMeasure:
    """Counts the parts of many recipients' texts under a platform's counting rule."""

    def __init__(self, template: TemplateText, signature: str, counting: Counting) -> None:
        self.template = template
        self.signature = signature
        self.counting = counting
        tokens = sum(variable.is_token for variable in template.variables)
        self._fixed_units = (
            len(signed("", signature, counting))
            + sum(map(len, template.literals))
            + tokens * TOKEN_LENGTH
        )
        named = [variable.name for variable in template.variables]
        self._times = np.array([named.count(name) for name in template.names], dtype=np.int64)

    def __call__(self, variables: pa.ListArray) -> NDArray[np.int16]:
        """Return the parts of each row; `variables` holds `template.names` values a row."""
        names = len(self.template.names)
        if not names:
            text = self.template.form.format(_PLACEHOLDER_TOKEN)
            parts = count(text, self.signature, self.counting).parts
            return np.full(len(variables), parts, dtype=np.int16)
        values = variables.flatten()
        if self.counting is Counting.MAINLAND:
            lengths = (
                pc.call_function("utf8_length", [values])
                .to_numpy(zero_copy_only=False)
                .reshape(-1, names)
            )
            return self._mainland(lengths @ self._times + self._fixed_units)
        rows = np.array(values.to_pylist(), dtype=object).reshape(-1, names)
        return np.array([self._international(row) for row in rows], dtype=np.int16)

    def _mainland(self, units: NDArray[np.int64]) -> NDArray[np.int16]:
        capacity = CAPACITIES[Encoding.MAINLAND]
        parts = np.where(units <= capacity.single, 1, -(-units // capacity.part))
        return parts.astype(np.int16)

    def _international(self, values: NDArray[np.object_]) -> int:
        text = self.template.form.format(_PLACEHOLDER_TOKEN, *values)
        return count(text, self.signature, self.counting).parts
