"""The people that a rule may select: the rows of a customer table, and people of uploaded lists.

Somebody of a list whom no customer matched may be kept as a new person: a row that has nothing but
its id. It is left out as soon as a customer has that id. A table without new people costs nothing.
"""

from functools import reduce
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from textwave.audiences.identity import MOBILE, People, id_types, list_values
from textwave.audiences.tables import OWN_KEY, CustomerTable, Source

NEW_PERSON: Final = "new_person"
_NUMBER: Final = "textwave_mobile"
_NUMBERS: Final = "textwave_mobiles"
_BAD: Final = "textwave_bad_mobile"


def people(table: CustomerTable, source: Source) -> ir.Table:
    """Return one row a person, with all columns of the customer table."""
    rows = source(table.name)
    if not table.has_new_people:
        return rows
    kept = source(NEW_PERSON)
    kept = kept.filter(kept["table_name"] == table.name).distinct()
    pieces = [_unknown(kept, table, rows, id_type) for id_type in id_types(table)]
    return reduce(lambda above, below: above.union(below), pieces, rows)


def without_customer(ids: ir.Table, table: CustomerTable, rows: ir.Table, id_type: str) -> ir.Table:
    """Return the rows of `ids` whose `value`, a text, is the id of no customer of the table."""
    own = People(table, rows).id(id_type)
    known = rows.select(known=own.unnest() if own.type().is_array() else own)
    known = known.filter(known["known"].notnull())
    return ids.anti_join(known, list_values(ids["value"], id_type) == known["known"])


def new_key(values: Any, id_type: str) -> Any:
    """Return the customer key of new people with these ids, which no import writes."""
    return ibis.literal(f"{id_type}:") + values


def _unknown(kept: ir.Table, table: CustomerTable, rows: ir.Table, id_type: str) -> ir.Table:
    """Return the new people with an id of that type that no customer has, as rows of the table."""
    new = without_customer(kept.filter(kept["id_type"] == id_type), table, rows, id_type)
    columns = {name: _cell(new, table, id_type, name, kind) for name, kind in rows.schema().items()}
    return new.select(**columns)


def _cell(new: ir.Table, table: CustomerTable, id_type: str, name: str, kind: Any) -> Any:
    own = next((column.column for column in table.ids if column.type == id_type), None)
    if name == table.customer_column:
        return new["customer"].cast(kind)
    if name == own and id_type != OWN_KEY:
        return new["value"].try_cast(kind)
    if name == _NUMBER:
        return new["mobile"].cast(kind)
    if name == _NUMBERS and id_type == MOBILE:
        return ibis.array([new["mobile"]]).cast(kind)
    if name == _BAD:
        return ibis.literal(False).cast(kind)
    return ibis.null().cast(kind)
