# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Ids of lists and new people in the lake: written, matched with customers, swept away.

A list's ids are read under its number, which the ledger gives out last; so what a crash leaves
behind belongs to no list, and the next sweep removes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import ibis
import ibis.expr.types as ir

from textwave.audiences.identity import MOBILE
from textwave.audiences.people import NEW_PERSON, new_key, without_customer
from textwave.audiences.tables import CustomerTable
from textwave.customers.quoting import literal
from textwave.lists.staging import open_staged
from textwave.lists.store import Present
from textwave.storage.warehouse import Lake

LIST_ID: Final = "list_id"
_TABLES: Final = {
    LIST_ID: "list_id BIGINT NOT NULL, value VARCHAR NOT NULL",
    NEW_PERSON: "table_name VARCHAR NOT NULL, customer VARCHAR NOT NULL, id_type VARCHAR NOT NULL, "
    "value VARCHAR NOT NULL, mobile BIGINT",
}


@dataclass(frozen=True, slots=True)
class Matched:
    """How many different ids a list has, and how many of them no customer has."""

    distinct: int
    unmatched: int
    lake_version: int


def write_list(
    lake: Lake, staged: Path, *, list_id: int, table: CustomerTable, id_type: str, keeps: bool
) -> Matched:
    """Write the staged ids under the number; keep those whom nobody matches if that is wanted."""
    make_tables(lake)
    ids = lake.keep(lake.hold(open_staged(staged)).distinct())
    unmatched = lake.keep(without_customer(ids, table, lake.table(table.name), id_type))
    rows = ids.select(list_id=ibis.literal(list_id, "int64"), value=ids["value"])
    with lake.transaction():
        distinct = lake.append(LIST_ID, rows)
        if keeps:
            lake.append(NEW_PERSON, _new_people(lake, unmatched, table, id_type))
    count = int(unmatched.count().to_pyarrow().as_py())
    return Matched(distinct, count, lake.version())


def sweep(lake: Lake, lists: Sequence[Present]) -> None:
    """Remove the ids of all other lists, and new people whom no keeping list has any more."""
    if not lake.has_table(LIST_ID):
        return
    people, ids = lake.qualified(NEW_PERSON), lake.qualified(LIST_ID)
    known = ", ".join(str(one.id) for one in lists)
    others = f"WHERE list_id NOT IN ({known})" if lists else ""
    kept = " OR ".join(_named(one) for one in lists if one.keeps_unmatched) or "false"
    had = f"(SELECT 1 FROM {ids} i WHERE i.value = p.value AND ({kept}))"
    with lake.transaction():
        lake.duckdb.execute(f"DELETE FROM {ids} {others}")
        lake.duckdb.execute(f"DELETE FROM {people} AS p WHERE NOT EXISTS {had}")


def _named(one: Present) -> str:
    return (
        f"(i.list_id = {one.id} AND p.table_name = {literal(one.table_name)} "
        f"AND p.id_type = {literal(one.id_type)})"
    )


def _new_people(lake: Lake, unmatched: ir.Table, table: CustomerTable, id_type: str) -> ir.Table:
    value = unmatched["value"]
    mobile = value.cast("int64") if id_type == MOBILE else ibis.null().cast("int64")
    new = unmatched.select(
        table_name=ibis.literal(table.name),
        customer=new_key(value, id_type),
        id_type=ibis.literal(id_type),
        value=value,
        mobile=mobile,
    )
    known = lake.table(NEW_PERSON)
    return new.anti_join(known.filter(known["table_name"] == table.name), "customer")


def make_tables(lake: Lake) -> None:
    """Make the tables that lists need, once."""
    for name, columns in _TABLES.items():
        try:
            if not lake.has_table(name):
                lake.duckdb.execute(
                    f"CREATE TABLE IF NOT EXISTS {lake.qualified(name)} ({columns})"
                )
        except duckdb.Error:
            if not lake.has_table(name):  # else another worker made it in the same moment
                raise
