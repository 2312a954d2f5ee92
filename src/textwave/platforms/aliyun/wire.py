"""The JSON of Alibaba Cloud's SMS service as types: what its answers say, as far as it is of use.

Reading is lenient where the service varies (numbers as text or number, fields left out) and
refuses what is no JSON object of the expected types.
"""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from textwave.platforms.exchange import Heard, legible

DETAILS_MAX = 50
"""How many messages one page of details has at most."""

Text = Annotated[str, Meta(max_length=5000)]


class WireAnswer(Struct, rename="pascal", kw_only=True):
    """What every answer says; a code that is not OK says why not."""

    code: Text = ""
    message: Text | None = None
    request_id: Text | None = None


class WireSent(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a send: one receipt id for all of its messages."""

    biz_id: Text | None = None


class WireReason(Struct, rename="pascal"):
    """Why a carrier has not registered a signature."""

    reason_code: Text = ""
    reason_desc_list: list[Text] = []


class WireRegistration(Struct, rename="pascal"):
    """Where a signature stands at one carrier."""

    operator_code: Text
    register_status: int
    register_status_reasons: list[WireReason] | None = None


class WireAudit(Struct, rename="pascal"):
    """What the reviewer said."""

    reject_info: Text | None = None


class WireSignature(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a question for a signature."""

    sign_status: int
    audit_info: WireAudit | None = None
    sign_isp_register_detail_list: list[WireRegistration] | None = None


class WireTemplate(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a question for a template."""

    template_status: int
    audit_info: WireAudit | None = None
    vendor_audit_status: dict[str, int] | None = None


class WireTemplateCode(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a template that was handed in."""

    template_code: Annotated[str, Meta(min_length=1, max_length=100)]


class WireDetail(Struct, rename="pascal"):
    """What became of one message."""

    phone_num: Text = ""
    send_status: int = 0
    err_code: Text | None = None
    receive_date: Text | None = None
    send_date: Text | None = None
    out_id: Text | None = None


class WireDetailList(Struct):
    """The details of one page."""

    details: Annotated[list[WireDetail], Meta(max_length=DETAILS_MAX)] = field(
        name="SmsSendDetailDTO", default_factory=list
    )


class WireDetails(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a question for the messages of a number on a day."""

    total_count: int = 0
    found: WireDetailList = field(name="SmsSendDetailDTOs", default_factory=WireDetailList)


class WireToken(Struct, rename="pascal"):
    """What a queue is read with until it expires."""

    access_key_id: Text
    access_key_secret: Text
    security_token: Text
    expire_time: Text


class WireTokenAnswer(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a question for a token."""

    token: WireToken = field(name="MessageTokenDTO")


AnswerT = TypeVar("AnswerT", bound=WireAnswer)


class Unreadable(Exception):
    """The answer is not what the service documents."""


def read(heard: Heard, kind: type[AnswerT]) -> AnswerT:
    """Return an answer's body as a type.

    Raises:
        Unreadable: it is no JSON object of that type.
    """
    try:
        return msgspec.json.decode(heard.body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(legible(str(error))) from None
