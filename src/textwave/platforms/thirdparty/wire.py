"""The JSON of the third-party contract as types; both the adapter and the sandbox use them.

Reading is lenient where gateways differ (ids and numbers as text or number, times as RFC 3339
or UNIX seconds) and strict where meaning would be lost (required fields, zones, lengths).
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from textwave.platforms.contract import SendRequest, TemplateSubmission
from textwave.platforms.exchange import legible as legible  # noqa: PLC0414 - taken from here, too
from textwave.platforms.thirdparty.codes import SMS_TYPES
from textwave.platforms.thirdparty.mobiles import write_mobile

MESSAGES_MAX = 1000
TEMPLATE_NAME_MAX = 30
CONTENT_MAX = 500
REMARK_MAX = 100
BIGINT_MAX = 2**63 - 1
CURSOR_MAX = 500

MessageId = Annotated[int, Meta(ge=1, le=BIGINT_MAX)]
Number = Annotated[str, Meta(max_length=40)] | Annotated[int, Meta(ge=0, le=10**15)]
Moment = Annotated[datetime, Meta(tz=True)]
Mark = Annotated[str, Meta(max_length=100)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
# A reply is what a person typed; phones send at most a few segments.
ReplyText = Annotated[str, Meta(max_length=5000)]


class WireMessage(Struct, rename="camel", gc=False):
    """A message as it goes out; the id is text, since not every language has 64-bit numbers."""

    message_id: str
    phone_number: str
    content: str
    params: dict[str, str]


class WireSend(Struct, rename="camel", omit_defaults=True):
    """The body of `POST /sms/send` as it goes out."""

    batch_id: str
    sign_name: str
    template_code: str
    sms_type: int
    messages: list[WireMessage]
    reply_to: str = ""


class WireTemplate(Struct, rename="camel"):
    """The body that creates or changes a template."""

    template_name: Annotated[str, Meta(min_length=1, max_length=TEMPLATE_NAME_MAX)]
    template_content: Annotated[str, Meta(min_length=1, max_length=CONTENT_MAX)]
    template_type: Annotated[int, Meta(ge=1, le=2)]
    remark: Annotated[str, Meta(min_length=1, max_length=REMARK_MAX)]


class WireResult(Struct, rename="camel", gc=False):
    """What became of one message of a send."""

    message_id: int
    code: str
    message: str | None = None


class WireAnswer(Struct, rename="camel", kw_only=True):
    """What every answer of a platform says."""

    platform_name: str
    code: str
    message: str | None = None
    request_id: str | int | None = None
    retry_after_ms: float | None = None


class WireSendAnswer(WireAnswer, rename="camel", kw_only=True):
    """The answer to a send."""

    results: list[WireResult] | None = None


class WireSignature(WireAnswer, rename="camel", kw_only=True):
    """The answer to a question for a signature's state."""

    sign_status: str
    reason: str | None = None


class WireTemplateState(WireAnswer, rename="camel", kw_only=True):
    """The answer to a question for a template's state."""

    template_status: str
    reason: str | None = None


class WireTemplateCode(WireAnswer, rename="camel", kw_only=True):
    """The answer to a template created or changed."""

    template_code: Name


class WireAccount(WireAnswer, rename="camel", kw_only=True):
    """The answer to a question for the account."""

    balance: int | None = None
    rate_per_second: Annotated[int, Meta(ge=0)]
    max_batch: Annotated[int, Meta(ge=1)]
    capabilities: Annotated[list[Name], Meta(max_length=100)]


class WireReceipt(Struct, rename="camel", gc=False):
    """One receipt, pushed or pulled."""

    message_id: MessageId
    status: str
    reported_at: Moment
    phone_number: Number | None = None
    error_code: Mark | None = None
    parts: Annotated[int, Meta(ge=0, le=255)] | None = None
    part: Annotated[int, Meta(ge=1, le=255)] | None = None


class WireReply(Struct, rename="camel", gc=False):
    """One reply, pushed or pulled."""

    reply_id: Name
    phone_number: Number
    content: ReplyText
    received_at: Moment
    sign_name: Mark | None = None
    extend_code: Mark | None = None


class WireReview(Struct, rename="camel", gc=False):
    """One review notice."""

    kind: str
    status: str
    sign_name: Mark | None = None
    template_code: Mark | None = None
    reason: Annotated[str, Meta(max_length=2000)] | None = None


ItemT = TypeVar("ItemT")


class WirePage(WireAnswer, Generic[ItemT], rename="camel", kw_only=True):
    """A page of a pulled stream."""

    items: Annotated[list[ItemT], Meta(max_length=MESSAGES_MAX)]
    next: Annotated[str, Meta(min_length=1, max_length=CURSOR_MAX)]


_encode = msgspec.json.Encoder().encode


def encode_send(request: SendRequest) -> bytes:
    """Return the body of `POST /sms/send`."""
    messages = [
        WireMessage(
            str(message.message_id), write_mobile(message.mobile), message.content, message.params
        )
        for message in request.messages
    ]
    return _encode(
        WireSend(
            request.key,
            request.signature,
            request.template_code,
            SMS_TYPES[request.message_type],
            messages,
            request.reply_to,
        )
    )


def encode_template(submission: TemplateSubmission) -> bytes:
    """Return the body that creates or changes a template."""
    return _encode(
        WireTemplate(
            submission.name,
            submission.content,
            SMS_TYPES[submission.message_type],
            submission.remark,
        )
    )


def encode(value: Any) -> bytes:
    """Return any of the types above as JSON."""
    return _encode(value)


def in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC.

    Raises:
        OverflowError: it is so near to the end of the calendar that UTC has no such day.
    """
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
