"""What a preview shows of a customer."""

from datetime import UTC, datetime
from decimal import Decimal

from textwave.audiences.preview import shown_customer
from textwave.audiences.tables import Column, CustomerTable
from textwave.customers.columns import ColumnType, TableKind

TABLE = CustomerTable(
    name="customers",
    kind=TableKind.CUSTOMERS,
    columns=tuple(
        Column(name, ColumnType.TEXT) for name in ("id", "phone", "other", "points", "seen", "tags")
    ),
    customer_column="id",
    mobile_column="phone",
)
JOINED = datetime(2026, 3, 1, 8, 30, tzinfo=UTC).replace(tzinfo=None)


def shown(**row: object) -> dict[str, object]:
    blank = dict.fromkeys(("id", "phone", "other", "points", "seen", "tags", "textwave_mobile"))
    return shown_customer({**blank, **row}, table=TABLE, default_region="CN")


def test_the_mobile_number_shows_its_last_four_digits() -> None:
    assert shown(phone="154 1234 5678", textwave_mobile=8615412345678)["phone"] == "*******5678"


def test_a_bad_number_in_the_mobile_column_is_masked_too() -> None:
    assert shown(phone="1541234567")["phone"] == "******4567"
    assert shown(phone="12")["phone"] == "12"


def test_a_mobile_number_in_any_other_column_is_masked() -> None:
    row = shown(id="15412345678", other="+447700900123", points=15412345678.0)
    assert [row["id"], row["other"], row["points"]] == [
        "*******5678",
        "********0123",
        "*******5678",
    ]


def test_other_values_are_shown_as_json_holds_them() -> None:
    row = shown(id="C000000001", points=Decimal("12.50"), seen=JOINED, tags=["a", None])
    assert row == {
        "id": "C000000001",
        "phone": None,
        "other": None,
        "points": 12.5,
        "seen": "2026-03-01T08:30:00Z",
        "tags": ["a", None],
    }


def test_what_no_column_declares_is_not_shown() -> None:
    assert "textwave_mobile" not in shown(textwave_mobile=8615412345678)
