"""Whose a row of another table is: the customer's who has the row's id.

A table says of which type its ids are: the customer's own key, or a declared type such as mobile or
email. An id that several customers have is each one's. E-mail addresses are compared trimmed and in
small letters, other declared ids trimmed, mobile numbers as Textwave normalised them.
"""

from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.types as ir

from textwave.audiences.tables import OWN_KEY, CustomerTable

MOBILE: Final = "mobile"
EMAIL: Final = "email"
ID: Final = "textwave_id"
_KEY: Final = "textwave_key"
_OWN: Final = "textwave_own_id"
_NUMBER: Final = "textwave_mobile"
_NUMBERS: Final = "textwave_mobiles"


def id_types(table: CustomerTable) -> tuple[str, ...]:
    """Return the types of ids by which customers of the table are known, its key's first."""
    declared = [OWN_KEY, table.customer_id_type, *(column.type for column in table.ids)]
    if table.mobile_column is not None and not table.numbers_encrypted:
        declared.append(MOBILE)
    return tuple(dict.fromkeys(declared))


def row_id(table: CustomerTable, rows: ir.Table) -> Any:
    """Return the id by which a row of the table names its customer, normalised."""
    column: Any = rows[table.customer_column]
    if table.customer_id_type == MOBILE:
        return rows[_NUMBER]
    return normalised(column, table.customer_id_type)


def normalised(column: Any, id_type: str) -> Any:
    """Return a column of texts as ids of a type are compared; the own key stays as it is."""
    if id_type == OWN_KEY:
        return column
    return column.strip().lower() if id_type == EMAIL else column.strip()


def list_values(values: Any, id_type: str) -> Any:
    """Return ids that are kept as texts (of uploaded lists, of models) as those of their type."""
    return values.try_cast("int64") if id_type == MOBILE else values


@dataclass(frozen=True, slots=True)
class People:
    """The customers of a rule's table, a row each."""

    table: CustomerTable
    rows: ir.Table

    @property
    def key(self) -> Any:
        """The customers' own keys."""
        return self.rows[self.table.customer_column]

    def id(self, id_type: str) -> Any:
        """Return the ids of a type: a column of single values or, of mobiles, perhaps of lists."""
        if id_type == OWN_KEY:
            return self.key
        if id_type == MOBILE:
            return self.rows[_NUMBERS if _NUMBERS in self.rows.columns else _NUMBER]
        if id_type == self.table.customer_id_type:
            return normalised(self.key, id_type)
        column = next(column.column for column in self.table.ids if column.type == id_type)
        return normalised(self.rows[column], id_type)

    def have(self, ids: ir.Column, id_type: str) -> Any:
        """Return the condition that a customer has one of the ids."""
        own = self.id(id_type)
        if not own.type().is_array():
            return own.isin(ids)
        pairs = self._pairs(own)
        return self.key.isin(pairs.filter(pairs[_OWN].isin(ids))[_KEY])

    def owned(self, rows: ir.Table, id_type: str) -> tuple[ir.Table, str]:
        """Give rows, each with its id in the column `textwave_id`, to those who have it.

        Returns:
            The rows and the type of the ids that `textwave_id` now holds: a row of one of several
            numbers is given to each customer who has it, under the customer's key.
        """
        own = self.id(id_type)
        if not own.type().is_array():
            return rows, id_type
        pairs = self._pairs(own)
        joined = rows.join(pairs, [rows[ID] == pairs[_OWN]])
        columns = {name: rows[name] for name in rows.columns if name != ID}
        return joined.select(**columns, **{ID: pairs[_KEY]}), OWN_KEY

    def _pairs(self, numbers: Any) -> ir.Table:
        return self.rows.select(**{_KEY: self.key, _OWN: numbers.unnest()})
