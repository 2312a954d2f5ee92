"""Read what Alibaba Cloud sends by itself, pushed or from a queue: receipts, replies, reviews.

A pushed body is taken whole or not at all: one item that does not fit refuses the body and names
the item and the field. Times come without a zone and mean China's. Pure, and fast for a burst.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from textwave.platforms.aliyun.errors import OUTCOMES
from textwave.platforms.contract import (
    Receipt,
    ReceiptState,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.exchange import legible
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty.callbacks import (
    ItemMalformed,
    MalformedCallback,
    malformed_by,
    read_items,
)
from textwave.platforms.thirdparty.mobiles import read_mobile

ITEMS_MAX: Final = 1000
CHINA: Final = timezone(timedelta(hours=8))
DELIVERED: Final = "DELIVERED"
NUL: Final = "\x00"

Mark = Annotated[str, Meta(max_length=300)]
Number = Annotated[str, Meta(min_length=3, max_length=40)] | Annotated[int, Meta(ge=0, le=10**15)]
Parts = Annotated[int, Meta(ge=0, le=255)]
# A reply is what a person typed; phones send at most a few segments.
ReplyText = Annotated[str, Meta(max_length=5000)]
Words = Annotated[str, Meta(max_length=5000)]


class PushedReceipt(Struct, gc=False):
    """One item of an SmsReport."""

    phone_number: Number
    success: bool
    err_code: Mark = ""
    report_time: Mark = ""
    send_time: Mark = ""
    sms_size: Parts | None = None
    out_id: Mark | None = None
    biz_id: Mark | None = None


class PushedReply(Struct, gc=False):
    """One item of an SmsUp; older ones name the signature, newer ones the code replied to."""

    phone_number: Number
    content: ReplyText
    send_time: Mark
    sequence_id: Mark | int
    dest_code: Mark | None = None
    sign_name: Mark | None = None


class PushedReview(Struct, gc=False):
    """One item of a SignSmsReport or of a TemplateSmsReport."""

    sign_name: Mark | None = None
    sign_status: Mark | None = None
    template_code: Mark | None = None
    template_status: Mark | None = None
    reason: Words | None = None


RECEIPT_STATES: Final[dict[str, ReceiptState]] = {
    DELIVERED: ReceiptState.delivered,
    "REQUEST_SUCCESS": ReceiptState.unknown,
    "USER_REJECT": ReceiptState.rejected,
    "MOBILE_IN_BLACK": ReceiptState.rejected,
    "CONTENT_KEYWORD": ReceiptState.rejected,
    "CONTENT_ERROR": ReceiptState.rejected,
    "PORT_NOT_REGISTERED": ReceiptState.rejected,
    "EXPIRED": ReceiptState.expired,
    "SP_UNKNOWN_ERROR": ReceiptState.unknown,
    "UNKNOWN": ReceiptState.unknown,
}
"""What receipts say became of a message, where their code is more than a failure."""

_REFUSED: Final = frozenset(
    {Outcome.unsubscribed, Outcome.blacklisted, Outcome.content_refused}
    | {Outcome.signature_not_approved, Outcome.template_not_approved, Outcome.refused}
)
"""What codes of the API mean that the message was rejected, when a receipt has them."""

REVIEW_STATES: Final[dict[str, ReviewState]] = {
    "approving": ReviewState.reviewing,
    "approved": ReviewState.approved,
    "rejected": ReviewState.rejected,
}

_receipts = msgspec.json.Decoder(list[PushedReceipt], strict=False)
_replies = msgspec.json.Decoder(list[PushedReply], strict=False)
_reviews = msgspec.json.Decoder(list[PushedReview], strict=False)

ItemT = TypeVar("ItemT")
ValueT = TypeVar("ValueT")


def parse_receipts(body: bytes) -> list[Receipt]:
    """Return the receipts of an SmsReport, in its order, by the keys of their requests.

    Raises:
        MalformedCallback: the body is no array of 1-1000 receipts.
    """
    return _parse(_receipts, body, receipt_of)


def parse_replies(body: bytes) -> list[Reply]:
    """Return the replies of an SmsUp, in its order.

    Raises:
        MalformedCallback: the body is no array of 1-1000 replies.
    """
    return _parse(_replies, body, reply_of)


def parse_reviews(body: bytes) -> list[ReviewNotice]:
    """Return the review notices of a SignSmsReport or a TemplateSmsReport, in its order.

    Raises:
        MalformedCallback: the body is no array of 1-1000 review notices.
    """
    return _parse(_reviews, body, notice_of)


def receipt_of(item: PushedReceipt) -> Receipt:
    """Return one receipt as a value; one without a request's key belongs to none of ours."""
    code = _plain("err_code", item.err_code)
    said_at = item.report_time or item.send_time
    return Receipt(
        0,
        _mobile(item.phone_number),
        receipt_state(code, is_success=item.success),
        "" if item.success and code == DELIVERED else code[:100],
        item.sms_size,
        read_time("report_time", said_at),
        _plain("out_id", item.out_id or ""),
    )


def reply_of(item: PushedReply) -> Reply:
    """Return one reply as a value."""
    signature = _plain("sign_name", item.sign_name or "")
    extend_code = _plain("dest_code", item.dest_code or "")
    # A NUL in a person's text means nothing and cannot be stored; it must not cost the reply.
    content = item.content.replace(NUL, "")
    reply_id = _plain("sequence_id", str(item.sequence_id))
    if not reply_id:
        raise ItemMalformed("sequence_id", "is missing")
    received_at = read_time("send_time", item.send_time)
    mobile = _mobile(item.phone_number)
    return Reply(reply_id, mobile, content, signature or None, extend_code or None, received_at)


def notice_of(item: PushedReview) -> ReviewNotice:
    """Return one review notice as a value; what it is about is told by the names it has."""
    if item.template_status is not None:
        subject, field, status = ReviewSubject.template, "template_status", item.template_status
        name = _named("template_code", item.template_code)
    elif item.sign_status is not None:
        subject, field, status = ReviewSubject.signature, "sign_status", item.sign_status
        name = _named("sign_name", item.sign_name)
    else:
        raise ItemMalformed("sign_status", "neither sign_status nor template_status is there")
    state = REVIEW_STATES.get(status.strip().lower())
    if state is None:
        raise ItemMalformed(field, f"“{legible(status, 30)}” is not a review status")
    reason = legible(item.reason) if state is ReviewState.rejected else ""
    return ReviewNotice(subject, name, Review(state, reason))


def receipt_state(code: str, *, is_success: bool) -> ReceiptState:
    """Return what became of a message, by the code of its receipt."""
    if is_success:
        return ReceiptState.delivered
    known = RECEIPT_STATES.get(code)
    if known is not None:
        return ReceiptState.unknown if known is ReceiptState.delivered else known
    outcome = OUTCOMES.get(code)
    return ReceiptState.rejected if outcome in _REFUSED else ReceiptState.failed


def read_time(field: str, text: str) -> datetime:
    """Return a time of the service in UTC; it says no zone and means China's."""
    form = "%Y%m%d%H%M%S" if text.isdigit() else "%Y-%m-%d %H:%M:%S"
    try:
        moment = (
            datetime.fromisoformat(text)
            if len(text) == len("2017-01-01 00:00:00")
            else datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
        )
    except ValueError:
        raise ItemMalformed(field, f"“{legible(text, 30)}” is not a time") from None
    return moment.replace(tzinfo=moment.tzinfo or CHINA).astimezone(UTC)


def read_object(kind: type[ItemT], body: bytes, read: Callable[[ItemT], ValueT]) -> ValueT:
    """Return the one item of a queue's message.

    Raises:
        MalformedCallback: it is no such item.
    """
    try:
        item = msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise malformed_by(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCallback(None, "", f"is not JSON ({legible(str(error))})") from None
    return read_items([item], read)[0]


def _parse(
    decoder: msgspec.json.Decoder[list[ItemT]], body: bytes, read: Callable[[ItemT], ValueT]
) -> list[ValueT]:
    try:
        items = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed_by(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCallback(None, "", f"is not JSON ({legible(str(error))})") from None
    if not 1 <= len(items) <= ITEMS_MAX:
        problem = f"holds {len(items)} items; 1-{ITEMS_MAX} are taken at once"
        raise MalformedCallback(None, "", problem)
    return read_items(items, read)


def _mobile(number: str | int) -> int:
    mobile = read_mobile(number)
    if mobile is None:
        raise ItemMalformed("phone_number", "is not a phone number")
    return mobile


def _named(field: str, text: str | None) -> str:
    name = _plain(field, text or "")
    if not name:
        raise ItemMalformed(field, "is missing")
    return name


def _plain(field: str, text: str) -> str:
    if NUL in text:
        raise ItemMalformed(field, "holds a NUL character")
    return text
