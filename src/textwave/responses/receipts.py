"""What receipts say: one final state a message, and a cause from a closed list for a failure.

Pure. A receipt without a final state changes nothing; of several final ones of the same message
that are read together the earliest reported wins, then the first in the given order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from textwave.dispatch.doubt import DOUBTED_CAUSES
from textwave.platforms.contract import Receipt, ReceiptState
from textwave.suppression.store import UNSUBSCRIBED

NO_RECEIPT: Final = "no receipt"
CONCLUDED: Final = (NO_RECEIPT, *DOUBTED_CAUSES)
"""Failures that nobody reported: a receipt wins over them whenever it comes."""
DELIVERED: Final = ""
"""In place of a cause: the message was delivered."""

# Codes in receipts, those of the contract and those of Alibaba Cloud, and what they come to.
CODE_CAUSES: Final[dict[str, str]] = {
    "BAD_NUMBER": "bad number",
    "INVALID_NUMBER": "bad number",
    "MOBILE_ACCOUNT_ABNORMAL": "phone out of service",
    "MOBILE_NOT_ON_SERVICE": "phone out of service",
    "MOBILE_TERMINAL_ERROR": "phone refused",
    "MOBLLE_TERMINAL_ERROR": "phone refused",
    "MOBILE_IN_BLACK": "blacklisted",
    "BLACKLISTED": "blacklisted",
    "UNSUBSCRIBED": "unsubscribed",
    "USER_REJECT": "unsubscribed",
    "MOBILE_SEND_LIMIT": "over a limit",
    "THROTTLED": "over a limit",
    "CONTENT_KEYWORD": "content refused",
    "CONTENT_ERROR": "content refused",
    "CONTENT_REFUSED": "content refused",
    "PORT_NOT_REGISTERED": "signature not approved",
    "SIGN_NOT_APPROVED": "signature not approved",
    "NO_ROUTE": "no route",
    "IS_CLOSE": "no route",
    "IS_CLOSED": "no route",
    "SP_NOT_BY_INTER_SMS": "no route",
    "isv.MOBILE_NUMBER_ILLEGAL": "bad number",
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": "bad number",
    "isv.CUSTOMER_REFUSED": "unsubscribed",
    "USER_REJECTED": "unsubscribed",
    "isv.BLACK_KEY_CONTROL_LIMIT": "blacklisted",
    "isv.BUSINESS_LIMIT_CONTROL": "over a limit",
    "isv.DAY_LIMIT_CONTROL": "over a limit",
    "isv.MONTH_LIMIT_CONTROL": "over a limit",
    "VALVE:M_MC": "over a limit",
    "VALVE:H_MC": "over a limit",
    "VALVE:D_MC": "over a limit",
    "isv.SMS_CONTENT_ILLEGAL": "content refused",
    "isv.UNSUPPORTED_CONTENT": "content refused",
    "isv.SMS_SIGNATURE_ILLEGAL": "signature not approved",
    "isv.SMS_SIGN_ILLEGAL": "signature not approved",
    # What gateways of China Mobile pass on unchanged
    "BLACK": "blacklisted",
    "TDBLACK": "blacklisted",
    "TSBLACK": "blacklisted",
    "MBBLACK": "blacklisted",
    "KEYWORD": "content refused",
    "LIMIT": "over a limit",
    "MILIMIT": "over a limit",
    "BEYONDN": "over a limit",
    "CTLIMIT": "over a limit",
}

STATE_CAUSES: Final[dict[ReceiptState, str]] = {
    ReceiptState.failed: "failed at the carrier",
    ReceiptState.expired: "expired",
    ReceiptState.rejected: "rejected by the carrier",
}

CAUSES: Final = frozenset({NO_RECEIPT, *CODE_CAUSES.values(), *STATE_CAUSES.values()})


@dataclass(frozen=True, slots=True)
class ReceiptColumns:
    """Final receipts as arrays in PostgreSQL's own writing, ordered by message id."""

    count: int
    message_ids: str
    mobiles: str
    causes: str
    reported: str


def cause_of(receipt: Receipt) -> str:
    """Return why a message failed, or `DELIVERED`."""
    if receipt.state is ReceiptState.delivered:
        return DELIVERED
    return CODE_CAUSES.get(receipt.error_code) or STATE_CAUSES[receipt.state]


def final_receipts(receipts: Iterable[Receipt]) -> list[Receipt]:
    """Return one final receipt for each message and number, ordered by message id."""
    final: dict[tuple[int, int | None], Receipt] = {}
    unknown = ReceiptState.unknown
    for receipt in receipts:
        if receipt.state is unknown:
            continue
        key = (receipt.message_id, receipt.mobile)
        known = final.setdefault(key, receipt)
        if receipt.reported_at < known.reported_at:
            final[key] = receipt
    return sorted(final.values(), key=attrgetter("message_id", "reported_at"))


def columns_of(receipts: list[Receipt]) -> ReceiptColumns:
    """Write final receipts, at least one, as the arrays that one statement takes."""
    return ReceiptColumns(
        count=len(receipts),
        message_ids=_array(str(receipt.message_id) for receipt in receipts),
        mobiles=_array("NULL" if r.mobile is None else str(r.mobile) for r in receipts),
        causes=_array(f'"{cause_of(receipt)}"' for receipt in receipts),
        reported=_array(f'"{receipt.reported_at}"' for receipt in receipts),
    )


def unsubscribed_ids(receipts: Iterable[Receipt]) -> list[int]:
    """Return the messages that failed because their recipients have unsubscribed."""
    return [
        receipt.message_id
        for receipt in receipts
        if receipt.error_code and cause_of(receipt) == UNSUBSCRIBED
    ]


def _array(elements: Iterable[str]) -> str:
    return "{" + ",".join(elements) + "}"
