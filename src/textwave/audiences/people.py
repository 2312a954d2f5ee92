"""The people that a rule may select: the rows of a customer table."""

import ibis.expr.types as ir

from textwave.audiences.tables import CustomerTable, Source


def people(table: CustomerTable, source: Source) -> ir.Table:
    """Return one row a person, with all columns of the customer table."""
    return source(table.name)
