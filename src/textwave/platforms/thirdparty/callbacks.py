"""Read what a platform sends by itself: receipts, replies, review notices.

A pushed body is taken whole or not at all: one item that does not fit refuses the body and names
the item and the field. Pure, and fast enough for a burst.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import msgspec

from textwave.kit.refusal import Refusal
from textwave.platforms.contract import (
    Receipt,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.thirdparty.codes import RECEIPT_STATES, REVIEW_STATES
from textwave.platforms.thirdparty.mobiles import read_mobile
from textwave.platforms.thirdparty.wire import (
    MESSAGES_MAX,
    WireReceipt,
    WireReply,
    WireReview,
    in_utc,
    legible,
)

PLACE = re.compile(r" - at `\$\[(\d+)\](?:\.(\w+))?")
MISSING = re.compile(r"missing required field `(\w+)`")
NUL = "\x00"

WireT = TypeVar("WireT")
ItemT = TypeVar("ItemT")


@dataclass(eq=False)
class MalformedCallback(Refusal):
    """A callback's body does not fit; `item` counts from 0 and is None for the body itself."""

    code: ClassVar[str] = "malformed_callback"
    item: int | None
    field: str
    problem: str

    @property
    def sentence(self) -> str:
        place = "The body" if self.item is None else f"Item {self.item}"
        if self.field:
            place += f", `{self.field}`"
        return f"{place}: {self.problem}. Nothing of this callback was taken; correct and resend."


class ItemMalformed(Exception):
    """One field of one item does not fit."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem


_receipts = msgspec.json.Decoder(list[WireReceipt], strict=False)
_replies = msgspec.json.Decoder(list[WireReply], strict=False)
_reviews = msgspec.json.Decoder(list[WireReview], strict=False)


def parse_receipts(body: bytes) -> list[Receipt]:
    """Return the receipts of a callback body, in its order.

    Raises:
        MalformedCallback: the body is no array of 1-1000 receipts.
    """
    return read_items(_decode(_receipts, body), receipt_of)


def parse_replies(body: bytes) -> list[Reply]:
    """Return the replies of a callback body, in its order.

    Raises:
        MalformedCallback: the body is no array of 1-1000 replies.
    """
    return read_items(_decode(_replies, body), reply_of)


def parse_reviews(body: bytes) -> list[ReviewNotice]:
    """Return the review notices of a callback body, in its order.

    Raises:
        MalformedCallback: the body is no array of 1-1000 review notices.
    """
    return read_items(_decode(_reviews, body), _notice_of)


def read_each(
    pieces: Sequence[bytes], parse: Callable[[bytes], list[ItemT]]
) -> tuple[list[ItemT], list[bytes]]:
    """Return the items of written pieces as values, and the pieces that do not fit as they are."""
    if not pieces:
        return [], []
    try:
        return parse(b"[" + b",".join(pieces) + b"]"), []
    except MalformedCallback:
        pass
    items: list[ItemT] = []
    unread: list[bytes] = []
    for piece in pieces:
        try:
            items += parse(b"[" + piece + b"]")
        except MalformedCallback:
            unread.append(piece)
    return items, unread


def read_items(found: list[WireT], read: Callable[[WireT], ItemT]) -> list[ItemT]:
    """Return the items as values, or refuse all of them and name the first that does not fit.

    Raises:
        MalformedCallback: an item does not fit.
    """
    items: list[ItemT] = []
    take = items.append
    try:
        for item in found:
            take(read(item))
    except ItemMalformed as malformed:
        raise MalformedCallback(len(items), malformed.field, malformed.problem) from None
    except OverflowError:
        raise MalformedCallback(len(items), "", "a time is outside the calendar") from None
    return items


def receipt_of(item: WireReceipt) -> Receipt:
    """Return one receipt as a value."""
    state = RECEIPT_STATES.get(item.status)
    if state is None:
        raise ItemMalformed("status", f"“{legible(item.status, 30)}” is not a receipt status")
    code = item.error_code or ""
    if NUL in code:
        raise ItemMalformed("errorCode", "holds a NUL character")
    if item.part is not None and item.parts is not None and item.part > item.parts:
        raise ItemMalformed("part", f"is {item.part} of only {item.parts} parts")
    number = item.phone_number
    return Receipt(
        item.message_id,
        None if number is None else read_mobile(number),
        state,
        code,
        item.parts,
        in_utc(item.reported_at),
        part=item.part,
    )


def reply_of(item: WireReply) -> Reply:
    """Return one reply as a value."""
    mobile = read_mobile(item.phone_number)
    if mobile is None:
        raise ItemMalformed("phoneNumber", "is not a phone number")
    signature = _plain("signName", item.sign_name)
    extend_code = _plain("extendCode", item.extend_code)
    if not signature and not extend_code:
        raise ItemMalformed("signName", "either signName or extendCode must be there")
    # A NUL in a person's text means nothing and cannot be stored; it must not cost the reply.
    content = item.content.replace(NUL, "")
    reply_id = _plain("replyId", item.reply_id) or ""
    received_at = in_utc(item.received_at)
    return Reply(reply_id, mobile, content, signature or None, extend_code or None, received_at)


def _notice_of(item: WireReview) -> ReviewNotice:
    state = REVIEW_STATES.get(item.status)
    if state is None:
        raise ItemMalformed("status", f"“{legible(item.status, 30)}” is not a review status")
    review = Review(state, legible(item.reason) if state is ReviewState.rejected else "")
    if item.kind == "sign":
        return ReviewNotice(ReviewSubject.signature, _named("signName", item.sign_name), review)
    if item.kind == "template":
        code = _named("templateCode", item.template_code)
        return ReviewNotice(ReviewSubject.template, code, review)
    raise ItemMalformed("kind", f"“{legible(item.kind, 30)}” is neither sign nor template")


def _named(field: str, text: str | None) -> str:
    name = _plain(field, text)
    if not name:
        raise ItemMalformed(field, "is missing")
    return name


def _plain(field: str, text: str | None) -> str | None:
    if text is not None and NUL in text:
        raise ItemMalformed(field, "holds a NUL character")
    return text


def _decode(decoder: msgspec.json.Decoder[list[WireT]], body: bytes) -> list[WireT]:
    try:
        items = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed_by(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCallback(None, "", f"is not JSON ({legible(str(error))})") from None
    if not 1 <= len(items) <= MESSAGES_MAX:
        problem = f"holds {len(items)} items; 1-{MESSAGES_MAX} are taken at once"
        raise MalformedCallback(None, "", problem)
    return items


def malformed_by(problem: str) -> MalformedCallback:
    """Return the refusal for a validation message of msgspec, with item and field read from it."""
    place = PLACE.search(problem)
    item = int(place[1]) if place else None
    missing = MISSING.search(problem)
    field: Any = missing[1] if missing else (place[2] if place else "")
    sentence = problem.split(" - at ", maxsplit=1)[0]
    return MalformedCallback(item, field or "", sentence[:1].lower() + sentence[1:])
