"""A small shop's tables, described as the ledger would, and all else that its rules may name."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from textwave.audiences.tables import (
    AiplModel,
    Column,
    CustomerTable,
    IdColumn,
    RfmModel,
    Surroundings,
    UploadedList,
)
from textwave.customers.columns import ColumnType, TableKind
from textwave.kit.ids import CampaignId, SnapshotId

NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
TEXT, NUMBER, TIME = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.TIME

CUSTOMERS = CustomerTable(
    name="customers",
    kind=TableKind.CUSTOMERS,
    columns=(
        Column("id", TEXT),
        Column("city", TEXT),
        Column("level", NUMBER),
        Column("joined", TIME),
        Column("tags", ColumnType.MULTI_VALUE),
        Column("mail", TEXT),
        Column("open_id", TEXT),
    ),
    customer_column="id",
    mobile_column="phone",
    ids=(IdColumn("email", "mail"), IdColumn("open_id", "open_id")),
)
ORDERS = CustomerTable(
    name="orders",
    kind=TableKind.ORDERS,
    columns=(
        Column("customer", TEXT),
        Column("channel", TEXT),
        Column("paid_at", TIME),
        Column("amount", NUMBER),
    ),
    customer_column="customer",
    time_column="paid_at",
    amount_column="amount",
)
VISITS = CustomerTable(
    name="visits",
    kind=TableKind.BEHAVIOURS,
    columns=(Column("who", TEXT), Column("page", TEXT)),
    customer_column="who",
)
CALLS = CustomerTable(
    name="calls",
    kind=TableKind.BEHAVIOURS,
    columns=(Column("number", TEXT), Column("topic", TEXT), Column("called_at", TIME)),
    customer_column="number",
    time_column="called_at",
    customer_id_type="mobile",
)
POINTS = CustomerTable(
    name="points",
    kind=TableKind.METRICS,
    columns=(Column("holder", TEXT), Column("day", TIME), Column("points", NUMBER)),
    customer_column="holder",
    time_column="day",
    amount_column="points",
    customer_id_type="open_id",
)
PROFILES = CustomerTable(
    name="profiles",
    kind=TableKind.CUSTOMERS,
    columns=(Column("address", TEXT), Column("hobby", TEXT), Column("born", TIME)),
    customer_column="address",
    customer_id_type="email",
)
SUMMARIES = CustomerTable(
    name="summaries",
    kind=TableKind.ORDER_SUMMARY,
    columns=(Column("customer", TEXT), Column("spent", NUMBER)),
    customer_column="customer",
    amount_column="spent",
)
MESSAGES = CustomerTable(
    name="message_event",
    kind=TableKind.BEHAVIOURS,
    columns=(Column("customer", TEXT), Column("type", TEXT), Column("happened_at", TIME)),
    customer_column="customer",
    time_column="happened_at",
)
TABLES = {
    table.name: table
    for table in (
        CUSTOMERS, ORDERS, VISITS, CALLS, POINTS, PROFILES, SUMMARIES, MESSAGES,
    )
}  # fmt: skip
FIRST_DAY, LAST_DAY = date(2026, 3, 1), date(2026, 3, 8)
KNOWN = Surroundings(
    TABLES,
    audiences={"regulars": SnapshotId(1), "new": None},
    rfm_models={"value": RfmModel(1), "new": RfmModel(None)},
    aipl_models={"path": AiplModel({FIRST_DAY: 1, LAST_DAY: 2}), "new": AiplModel({})},
    lists={
        "keys": UploadedList(1, "customer"),
        "numbers": UploadedList(2, "mobile"),
        "addresses": UploadedList(3, "email"),
    },
    campaigns={"Spring": CampaignId(1)},
)

_TEXT, _TIME, _LONG = pa.string(), pa.timestamp("us"), pa.int64()
SCHEMAS = {
    "customers": {
        "id": _TEXT,
        "city": _TEXT,
        "level": pa.float64(),
        "joined": _TIME,
        "tags": pa.list_(_TEXT),
        "mail": _TEXT,
        "open_id": _TEXT,
        "textwave_mobile": _LONG,
        "textwave_mobiles": pa.list_(_LONG),
    },
    "orders": {"customer": _TEXT, "channel": _TEXT, "paid_at": _TIME, "amount": pa.float64()},
    "visits": {"who": _TEXT, "page": _TEXT},
    "calls": {"number": _TEXT, "topic": _TEXT, "called_at": _TIME, "textwave_mobile": _LONG},
    "points": {"holder": _TEXT, "day": _TIME, "points": pa.float64()},
    "profiles": {"address": _TEXT, "hobby": _TEXT, "born": _TIME},
    "summaries": {"customer": _TEXT, "spent": pa.float64()},
    "message_event": {
        "customer": _TEXT,
        "type": _TEXT,
        "result": _TEXT,
        "campaign_id": _LONG,
        "happened_at": _TIME,
    },
    "audience_member": {"snapshot_id": _LONG, "customer": _TEXT},
    "rfm_score": {
        "run_id": _LONG, "customer": _TEXT, "r": _LONG, "f": _LONG, "m": _LONG, "type": _TEXT,
    },
    "aipl_label": {"run_id": _LONG, "customer": _TEXT, "stage": _LONG},
    "list_id": {"list_id": _LONG, "value": _TEXT},
}  # fmt: skip
"""The columns of each table in the warehouse."""
