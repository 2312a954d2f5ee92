"""The sandbox's side of the contract's JSON, as it reads sends and writes everything else."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from textwave.platforms.thirdparty.wire import CURSOR_MAX, MESSAGES_MAX, MessageId


class SandboxMessage(Struct, rename="camel", gc=False):
    """One message of a send."""

    message_id: MessageId
    phone_number: Annotated[str, Meta(max_length=40)]
    content: Annotated[str, Meta(max_length=2000)]
    params: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class SandboxSend(Struct, rename="camel"):
    """The body of a send."""

    batch_id: Annotated[str, Meta(min_length=1, max_length=100)]
    sign_name: Annotated[str, Meta(min_length=1, max_length=100)]
    template_code: Annotated[str, Meta(max_length=100)]
    sms_type: Annotated[int, Meta(ge=1, le=2)]
    messages: Annotated[list[SandboxMessage], Meta(min_length=1, max_length=MESSAGES_MAX)]
    reply_to: Annotated[str, Meta(max_length=CURSOR_MAX)] = ""


class SandboxResult(Struct, rename="camel", gc=False):
    """What became of one message."""

    message_id: str
    code: str
    message: str


class SandboxReceipt(Struct, rename="camel", gc=False):
    """A receipt as it goes out."""

    message_id: str
    phone_number: str
    status: str
    error_code: str
    parts: int
    reported_at: datetime


class SandboxReply(Struct, rename="camel", gc=False):
    """A reply as it goes out."""

    reply_id: str
    phone_number: str
    content: str
    sign_name: str
    received_at: datetime


class SandboxReview(Struct, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """A review notice as it goes out; it names a signature or a template."""

    kind: str
    status: str
    reason: str
    sign_name: str = ""
    template_code: str = ""


def envelope(platform: str, code: str, message: str, request_id: str, **more: Any) -> bytes:
    """Return an answer as the contract shapes it."""
    return msgspec.json.encode(
        {"platformName": platform, "code": code, "message": message, "requestId": request_id} | more
    )
