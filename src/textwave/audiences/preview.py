"""Customers as they may be shown: mobile numbers masked to their last four digits.

Masked is the table's mobile column whatever it holds, and any other value that reads as a mobile
number. Nothing else is changed except for what JSON cannot hold.
"""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

from textwave.audiences.tables import CustomerTable
from textwave.kit.mobile import Mobile, masked, read_mobile

NORMALISED_MOBILE: Final = "textwave_mobile"
_SHOWN: Final = 4
_NEW_MOBILE: Final = "mobile:"
"""What the keys of people begin with who were kept from a list of numbers."""


def shown_customer(
    row: Mapping[str, object], *, table: CustomerTable, default_region: str
) -> dict[str, object]:
    """Return the declared columns of a customer as JSON values, mobile numbers masked."""
    normalised = row.get(NORMALISED_MOBILE)
    shown: dict[str, object] = {}
    for name in (column.name for column in table.columns):
        if name == table.mobile_column:
            shown[name] = _mobile(row[name], normalised)
        else:
            shown[name] = _value(row[name], default_region)
    return shown


def _mobile(written: object, normalised: object) -> str | None:
    if isinstance(normalised, int):
        return masked(Mobile(normalised))
    if written is None:
        return None
    text = str(written)
    return "*" * max(len(text) - _SHOWN, 0) + text[-_SHOWN:]


def _value(given: object, default_region: str) -> object:
    match given:
        case None | bool():
            return given
        case datetime():
            return f"{given.isoformat()}Z"
        case date():
            return given.isoformat()
        case list():
            return [_value(item, default_region) for item in cast("list[object]", given)]
        case int() | float() | Decimal():
            return _number(given, default_region)
        case _:
            return shown_text(str(given), default_region)


def shown_text(text: str, default_region: str) -> str:
    """Return a text, masked if it reads as a mobile number or as the key of a new person."""
    digits = text.removeprefix(_NEW_MOBILE)
    if digits != text and digits.isdecimal():
        return _NEW_MOBILE + masked(Mobile(int(digits)))
    mobile = read_mobile(text, default_region)
    return text if mobile is None else masked(mobile)


def _number(given: float | Decimal, default_region: str) -> object:
    if not math.isfinite(given):
        return None
    whole = given == int(given)
    mobile = read_mobile(str(int(given)), default_region) if whole else None
    if mobile is not None:
        return masked(mobile)
    return int(given) if whole else float(given)
