"""Pulled pages, written as the callbacks that would have brought the same.

So one inbox and one merge serve platforms that push and platforms that are asked.
"""

from collections.abc import Sequence
from typing import Final

from textwave.platforms.contract import Receipt, Reply
from textwave.platforms.thirdparty.codes import RECEIPT_STATES
from textwave.platforms.thirdparty.mobiles import write_mobile
from textwave.platforms.thirdparty.wire import WireReceipt, WireReply, encode

_STATUSES: Final = {state: status for status, state in RECEIPT_STATES.items()}


def receipts_body(receipts: Sequence[Receipt]) -> bytes:
    """Write receipts as the body of a callback."""
    return encode(
        [
            WireReceipt(
                message_id=receipt.message_id,
                status=_STATUSES[receipt.state],
                reported_at=receipt.reported_at,
                phone_number=None if receipt.mobile is None else write_mobile(receipt.mobile),
                error_code=receipt.error_code,
                parts=receipt.parts,
            )
            for receipt in receipts
        ]
    )


def replies_body(replies: Sequence[Reply]) -> bytes:
    """Write replies as the body of a callback."""
    return encode(
        [
            WireReply(
                reply_id=reply.reply_id,
                phone_number=write_mobile(reply.mobile),
                content=reply.content,
                received_at=reply.received_at,
                sign_name=reply.signature,
                extend_code=reply.extend_code,
            )
            for reply in replies
        ]
    )
