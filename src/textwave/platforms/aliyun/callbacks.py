"""Read what Alibaba Cloud SMS pushes or queues: receipts, replies, review notices.

A pushed body is an array, a queued one a single object; the same fields are in both. An item that
does not fit is named. Pure. Pages 101867, 101847, 120998, 120999 of help.aliyun.com say the form.
"""

import re
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from textwave.platforms.contract import (
    Receipt,
    ReceiptState,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.thirdparty.callbacks import (
    ItemMalformed,
    MalformedCallback,
    malformed_by,
    read_items,
)
from textwave.platforms.thirdparty.mobiles import read_mobile
from textwave.platforms.thirdparty.wire import MESSAGES_MAX, in_utc, legible

CHINA: Final = timezone(timedelta(hours=8))
NUL: Final = "\x00"
DELIVERED: Final = "DELIVERED"
_plain_time = re.compile(r"\d{14}")

Text = Annotated[str, Meta(max_length=300)]
Number = Annotated[str, Meta(max_length=40)] | Annotated[int, Meta(ge=0, le=10**15)]
Mark = Text | int

# What a code says beside “failed”; whatever is not here failed at the carrier.
STATES: Final[dict[str, ReceiptState]] = {
    DELIVERED: ReceiptState.delivered,
    "DELIVRD": ReceiptState.delivered,
    "REQUEST_SUCCESS": ReceiptState.unknown,
    "ACCEPTD": ReceiptState.unknown,
    "EXPIRED": ReceiptState.expired,
    "REJECTD": ReceiptState.rejected,
    "USER_REJECT": ReceiptState.rejected,
}

REVIEW_STATES: Final[dict[str, ReviewState]] = {
    "approving": ReviewState.reviewing,
    "approved": ReviewState.approved,
    "rejected": ReviewState.rejected,
}

WireT = TypeVar("WireT")


class SmsReport(Struct, gc=False):
    """A receipt; all but `success` are texts, times are those of China."""

    phone_number: Number
    report_time: Text
    success: bool
    err_code: Text | None = None
    sms_size: Annotated[int, Meta(ge=0, le=255)] | None = None
    biz_id: Mark | None = None
    out_id: Mark | None = None


class SmsUp(Struct, gc=False):
    """A reply; newer ones have no `sign_name`, and older ones a number as `sequence_id`."""

    phone_number: Number
    send_time: Text
    content: Annotated[str, Meta(max_length=5000)] = ""
    sequence_id: Mark | None = None
    dest_code: Mark | None = None
    sign_name: Text | None = None


class ReviewReport(Struct, gc=False):
    """The end of a review, of a signature or of a template."""

    sign_name: Text | None = None
    sign_status: Text | None = None
    template_code: Text | None = None
    template_status: Text | None = None
    reason: Annotated[str, Meta(max_length=2000)] | None = None


_receipts = msgspec.json.Decoder(list[SmsReport] | SmsReport, strict=False)
_replies = msgspec.json.Decoder(list[SmsUp] | SmsUp, strict=False)
_reviews = msgspec.json.Decoder(list[ReviewReport] | ReviewReport, strict=False)


def parse_receipts(body: bytes) -> list[Receipt]:
    """Return the receipts of `SmsReport`, in their order.

    Raises:
        MalformedCallback: the body is neither a receipt nor an array of at most 1000.
    """
    return read_items(_decode(_receipts, body), _receipt_of)


def parse_replies(body: bytes) -> list[Reply]:
    """Return the replies of `SmsUp`, in their order.

    Raises:
        MalformedCallback: the body is neither a reply nor an array of at most 1000.
    """
    return read_items(_decode(_replies, body), _reply_of)


def parse_reviews(body: bytes) -> list[ReviewNotice]:
    """Return the notices of `SignSmsReport` or `TemplateSmsReport`, in their order.

    Raises:
        MalformedCallback: the body is neither a notice nor an array of at most 1000.
    """
    return read_items(_decode(_reviews, body), _notice_of)


def _receipt_of(item: SmsReport) -> Receipt:
    code = _plain("err_code", item.err_code)
    state = STATES.get(code, ReceiptState.failed)
    if item.success:
        state = ReceiptState.delivered
    elif state is ReceiptState.delivered:
        raise ItemMalformed("success", f"is false, but the code is {code}")
    return Receipt(
        message_id=0,
        mobile=_mobile(item.phone_number),
        state=state,
        error_code="" if state is ReceiptState.delivered else code,
        parts=item.sms_size,
        reported_at=_moment("report_time", item.report_time),
        # Without a key it was sent by somebody else with this account: kept as nobody's.
        request_key=_plain("out_id", item.out_id) or _plain("biz_id", item.biz_id) or "unnamed",
    )


def _reply_of(item: SmsUp) -> Reply:
    mobile = _mobile(item.phone_number)
    content = item.content.replace(NUL, "")
    named = _plain("sequence_id", item.sequence_id)
    return Reply(
        reply_id=named or _made_id(f"{mobile} {item.send_time} {content}"),
        mobile=mobile,
        content=content,
        signature=_plain("sign_name", item.sign_name) or None,
        extend_code=_plain("dest_code", item.dest_code) or None,
        received_at=_moment("send_time", item.send_time),
    )


def _notice_of(item: ReviewReport) -> ReviewNotice:
    if item.template_code:
        subject, name = ReviewSubject.template, _plain("template_code", item.template_code)
        status, field = item.template_status, "template_status"
    elif item.sign_name:
        subject, name = ReviewSubject.signature, _plain("sign_name", item.sign_name)
        status, field = item.sign_status, "sign_status"
    else:
        raise ItemMalformed("sign_name", "either sign_name or template_code must be there")
    state = REVIEW_STATES.get(status or "")
    if state is None:
        raise ItemMalformed(field, f"“{legible(status, 30)}” is not a review status")
    reason = legible(item.reason) if state is ReviewState.rejected else ""
    return ReviewNotice(subject, name, Review(state, reason))


def _mobile(number: str | int) -> int:
    mobile = read_mobile(number)
    if mobile is None:
        raise ItemMalformed("phone_number", "is not a phone number")
    return mobile


def _moment(field: str, text: str) -> datetime:
    """Read a time, of China where it names no zone; older forms are `20170901000000`."""
    written = f"{text[:8]}T{text[8:]}" if _plain_time.fullmatch(text) else text
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ItemMalformed(field, f"“{legible(text, 30)}” is not a time") from None
    return in_utc(moment if moment.tzinfo else moment.replace(tzinfo=CHINA))


def _plain(field: str, text: str | int | None) -> str:
    plain = "" if text is None else str(text)
    if NUL in plain:
        raise ItemMalformed(field, "holds a NUL character")
    return plain


def _made_id(what: str) -> str:
    return sha256(what.encode()).hexdigest()[:32]


def _decode(decoder: msgspec.json.Decoder[list[WireT] | WireT], body: bytes) -> list[WireT]:
    try:
        found = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed_by(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedCallback(None, "", f"is not JSON ({legible(str(error))})") from None
    items: list[WireT] = found if isinstance(found, list) else [found]
    if len(items) > MESSAGES_MAX:
        problem = f"holds {len(items)} items; at most {MESSAGES_MAX} are taken at once"
        raise MalformedCallback(None, "", problem)
    return items
