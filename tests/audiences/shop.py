"""A small shop's tables, described as the ledger would."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from textwave.audiences.tables import Column, CustomerTable, Surroundings
from textwave.customers.columns import ColumnType, TableKind

NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")

CUSTOMERS = CustomerTable(
    name="customers",
    kind=TableKind.CUSTOMERS,
    columns=(
        Column("id", ColumnType.TEXT),
        Column("city", ColumnType.TEXT),
        Column("level", ColumnType.NUMBER),
        Column("joined", ColumnType.TIME),
        Column("tags", ColumnType.MULTI_VALUE),
    ),
    customer_column="id",
)
ORDERS = CustomerTable(
    name="orders",
    kind=TableKind.ORDERS,
    columns=(
        Column("customer", ColumnType.TEXT),
        Column("channel", ColumnType.TEXT),
        Column("paid_at", ColumnType.TIME),
        Column("amount", ColumnType.NUMBER),
    ),
    customer_column="customer",
    time_column="paid_at",
    amount_column="amount",
)
VISITS = CustomerTable(
    name="visits",
    kind=TableKind.BEHAVIOURS,
    columns=(Column("who", ColumnType.TEXT), Column("page", ColumnType.TEXT)),
    customer_column="who",
)
TABLES = {table.name: table for table in (CUSTOMERS, ORDERS, VISITS)}
KNOWN = Surroundings(TABLES)
