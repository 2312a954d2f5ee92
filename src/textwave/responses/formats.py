"""The forms in which bodies come back and are kept, and who reads each.

A body stays as it came until it is merged. Who cannot mend and resend a body loses nothing of it by
one item that does not fit: the others are taken, and that one is named.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class Reading:
    """How the bodies of a form are read; `mended`: its sender corrects a refused body."""

    receipts: Callable[[bytes], list[Receipt]]
    replies: Callable[[bytes], list[Reply]]
    reviews: Callable[[bytes], list[ReviewNotice]]
    mended: bool

    def of(self, kind: str) -> Callable[[bytes], list[Any]]:
        """Return what reads receipts, replies or reviews."""
        readers = {"receipts": self.receipts, "replies": self.replies, "reviews": self.reviews}
        return readers[kind]


READINGS: Final[dict[BodyFormat, Reading]] = {
    BodyFormat.THIRDPARTY: Reading(
        thirdparty.parse_receipts, thirdparty.parse_replies, thirdparty.parse_reviews, mended=True
    ),
    BodyFormat.ALIYUN: Reading(
        aliyun.parse_receipts, aliyun.parse_replies, aliyun.parse_reviews, mended=False
    ),
    BodyFormat.PULLED: Reading(
        pulled.read_receipts, pulled.read_replies, pulled.read_reviews, mended=True
    ),
}

PUSHED_AS: Final[dict[PlatformKind, BodyFormat]] = {
    PlatformKind.THIRDPARTY: BodyFormat.THIRDPARTY,
    PlatformKind.ALIYUN: BodyFormat.ALIYUN,
}


def read_body(form: BodyFormat, kind: str, body: bytes) -> tuple[list[Any], str | None]:
    """Return the items of a body, and what is wrong with what was left out."""
    reading = READINGS[form]
    try:
        return reading.of(kind)(body), None
    except MalformedCallback as malformed:
        if reading.mended:
            return [], malformed.sentence
        return _read_what_fits(reading.of(kind), body, malformed)


def _read_what_fits(
    parse: Callable[[bytes], list[Any]], body: bytes, malformed: MalformedCallback
) -> tuple[list[Any], str]:
    try:
        pieces: Sequence[msgspec.Raw] = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [], malformed.sentence
    items: list[Any] = []
    left_out: list[tuple[int, MalformedCallback]] = []
    for place, piece in enumerate(pieces):
        try:
            items += parse(b"[" + bytes(piece) + b"]")
        except MalformedCallback as error:
            left_out.append((place, error))
    if not left_out:
        return items, f"{len(pieces)} items came at once, which is unusual; all were taken."
    place, first = left_out[0]
    field = f", `{first.field}`" if first.field else ""
    said = f"{len(left_out)} of {len(pieces)} items were left out. The first: item {place}{field}: "
    return items, f"{said}{first.problem}."
