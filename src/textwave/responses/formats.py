"""The forms in which bodies come back and are kept, and who reads each.

A body stays as it came until it is merged. By then nobody mends and resends it, so it loses nothing
by one item that does not fit: the others are taken, and that one is named.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

import msgspec

from textwave.connections.accounts import PlatformKind
from textwave.platforms import thirdparty
from textwave.platforms.aliyun import callbacks as aliyun
from textwave.platforms.contract import Receipt, Reply, ReviewNotice
from textwave.platforms.thirdparty import MalformedCallback
from textwave.responses import pulled


class BodyFormat(StrEnum):
    """In whose form a body is: a platform's own, or ours for a page that was pulled."""

    THIRDPARTY = "thirdparty"
    ALIYUN = "aliyun"
    PULLED = "pulled"


_array: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Reading:
    """How the bodies of a form are read."""

    receipts: Callable[[bytes], list[Receipt]]
    replies: Callable[[bytes], list[Reply]]
    reviews: Callable[[bytes], list[ReviewNotice]]

    def of(self, kind: str) -> Callable[[bytes], list[Any]]:
        """Return what reads receipts, replies or reviews."""
        readers = {"receipts": self.receipts, "replies": self.replies, "reviews": self.reviews}
        return readers[kind]


READINGS: Final[dict[BodyFormat, Reading]] = {
    BodyFormat.THIRDPARTY: Reading(
        thirdparty.parse_receipts, thirdparty.parse_replies, thirdparty.parse_reviews
    ),
    BodyFormat.ALIYUN: Reading(aliyun.parse_receipts, aliyun.parse_replies, aliyun.parse_reviews),
    BodyFormat.PULLED: Reading(pulled.read_receipts, pulled.read_replies, pulled.read_reviews),
}

PUSHED_AS: Final[dict[PlatformKind, BodyFormat]] = {
    PlatformKind.THIRDPARTY: BodyFormat.THIRDPARTY,
    PlatformKind.ALIYUN: BodyFormat.ALIYUN,
}


def read_body(form: BodyFormat, kind: str, body: bytes) -> tuple[list[Any], str | None]:
    """Return the items of a body, and what is wrong with what was left out."""
    parse = READINGS[form].of(kind)
    try:
        return parse(body), None
    except MalformedCallback as malformed:
        return _read_what_fits(parse, body, malformed)


def pieces_of(body: bytes) -> list[bytes] | None:
    """Return the items of an array, each still written; None: the body is no array at all.

    Half a character, as a text cut off by somebody may end, does not spoil what is around it.
    """
    try:
        return [bytes(piece) for piece in _array.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        found: object = json.loads(body.decode("utf-8", "replace"))
        if not isinstance(found, list):
            return None
        texts = [json.dumps(item, ensure_ascii=False) for item in cast("list[object]", found)]
    except (ValueError, RecursionError):
        return None
    return [text.encode("utf-8", "replace") for text in texts]


def _read_what_fits(
    parse: Callable[[bytes], list[Any]], body: bytes, malformed: MalformedCallback
) -> tuple[list[Any], str | None]:
    pieces = pieces_of(body)
    if pieces is None:
        return [], malformed.sentence
    items: list[Any] = []
    left_out: list[tuple[int, MalformedCallback]] = []
    for place, piece in enumerate(pieces):
        try:
            items += parse(b"[" + piece + b"]")
        except MalformedCallback as error:
            left_out.append((place, error))
    if not left_out:
        return items, None
    place, first = left_out[0]
    field = f", `{first.field}`" if first.field else ""
    said = f"{len(left_out)} of {len(pieces)} items were left out. The first: item {place}{field}: "
    return items, f"{said}{first.problem}."
