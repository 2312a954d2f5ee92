"""Pulled pages as they are kept: the values of the contract, written out and read again.

So one inbox and one merge serve platforms that push, platforms that are asked, and queues.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from textwave.platforms.contract import Receipt, Reply, ReviewNotice
from textwave.platforms.thirdparty import MalformedCallback

ItemT = TypeVar("ItemT")
_receipts: Final = msgspec.json.Decoder(list[Receipt])
_replies: Final = msgspec.json.Decoder(list[Reply])
_reviews: Final = msgspec.json.Decoder(list[ReviewNotice])
_encode: Final = msgspec.json.Encoder().encode


def body_of(items: Sequence[Any]) -> bytes:
    """Write receipts, replies or review notices as a body."""
    return _encode(items)


def read_receipts(body: bytes) -> list[Receipt]:
    """Return the receipts of a body.

    Raises:
        MalformedCallback: it was not written here.
    """
    return _read(_receipts, body)


def read_replies(body: bytes) -> list[Reply]:
    """Return the replies of a body.

    Raises:
        MalformedCallback: it was not written here.
    """
    return _read(_replies, body)


def read_reviews(body: bytes) -> list[ReviewNotice]:
    """Return the review notices of a body.

    Raises:
        MalformedCallback: it was not written here.
    """
    return _read(_reviews, body)


def _read(decoder: msgspec.json.Decoder[list[ItemT]], body: bytes) -> list[ItemT]:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCallback(None, "", f"is no pulled page ({error})") from None
