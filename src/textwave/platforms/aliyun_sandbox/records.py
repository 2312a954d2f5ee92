"""Signatures and templates of the stand-in: how they stand, and who decides about them; pure.

A review ends by itself after a while; the rules that it goes by are those of the published
documents, and a forbidden word is always a reason.
"""

import re
from collections.abc import Iterator
from enum import IntEnum

import msgspec

from textwave.kit.carriers import Carrier
from textwave.platforms.sandbox.templates import FORBIDDEN_WORDS, REJECTING_WORDS

OPT_OUT_TEXT = "拒收请回复R"
VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]{0,49})\}")
PROMOTION_VARIABLES_MAX = 1
CLICK = "sp_"
"""What the names of variables begin with that hold the token of a link."""
_adjacent = re.compile(r"\$\{[^}]*\}\s*\$\{")
_link = re.compile(r"https?://|www\.", re.IGNORECASE)
CODE, NOTIFICATION, PROMOTION, INTERNATIONAL, DIGITAL = 0, 1, 2, 3, 7


class Standing(IntEnum):
    """How a review stands, as the service numbers it."""

    reviewing = 0
    passed = 1
    failed = 2
    cancelled = 10


class Registration(IntEnum):
    """How a signature stands at one carrier, as the service numbers it."""

    failed = 0
    unverified = 1
    lapsed = 2
    registered = 3
    registering = -1
    unregistered = -2


class VendorStanding(IntEnum):
    """How a digital template stands at one carrier, as the service numbers it."""

    reviewing = 0
    passed = 1
    failed = 2
    lapsed = 15


VENDORS = {
    "MOBILE_VENDOR": Carrier.MOBILE,
    "UNICOM_VENDOR": Carrier.UNICOM,
    "TELECOM_VENDOR": Carrier.TELECOM,
}
OPERATORS = (Carrier.MOBILE, Carrier.UNICOM, Carrier.TELECOM)
"""The carriers that the service names; each is written as its value."""


class SignatureRecord(msgspec.Struct):
    """A signature; `registrations` by carrier."""

    name: str
    order_id: str
    created_at: float
    reviewed_at: float
    standing: Standing = Standing.reviewing
    reason: str = ""
    source: int = 0
    qualification_id: int = 0
    remark: str = ""
    registrations: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class TemplateRecord(msgspec.Struct):
    """A text template, or a digital one with its standing at each carrier."""

    code: str
    name: str
    content: str
    type: int
    order_id: str
    created_at: float
    reviewed_at: float
    standing: Standing = Standing.reviewing
    reason: str = ""
    signature: str = ""
    remark: str = ""
    rule: str = ""
    traffic_driving: str = ""
    vendors: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    @property
    def variables(self) -> list[str]:
        """The names of its variables."""
        return VARIABLE.findall(self.content)


def signature_problem(name: str) -> str:
    """Return why a signature is rejected; empty if it is not."""
    words = (word for word in REJECTING_WORDS if word in name.lower())
    return "".join(f"签名内容不合规: “{word}”" for word in words)


def template_problem(template: TemplateRecord, *, promotional_variables: bool) -> str:
    """Return why a template is rejected, all reasons in one line; empty if it is not."""
    return "; ".join(_problems(template, promotional_variables=promotional_variables))


def _problems(template: TemplateRecord, *, promotional_variables: bool) -> Iterator[str]:
    content, variables = template.content, template.variables
    yield from (f"内容不合规: “{word}”" for word in FORBIDDEN_WORDS if word in content.lower())
    if "【" in content or "】" in content:
        yield "模板内容不能包含【】"
    if len(set(variables)) < len(variables):
        yield "同一变量在模板中只能使用一次"
    if _adjacent.search(content):
        yield "变量不能相连"
    if variables and not VARIABLE.sub("", content).strip():
        yield "不支持全变量模板"
    if _link.search(content) and not template.traffic_driving and template.type != DIGITAL:
        yield "模板包含链接, 请填写引流信息"
    yield from _ending_problems(template)
    if template.type == PROMOTION:
        named = [name for name in variables if not name.startswith(CLICK)]
        if len(named) > PROMOTION_VARIABLES_MAX:
            yield "推广短信最多支持1个变量"
        if variables and not promotional_variables:
            yield "推广短信不支持变量"


def _ending_problems(template: TemplateRecord) -> Iterator[str]:
    content = template.content.rstrip()
    if template.type == PROMOTION and not content.endswith(OPT_OUT_TEXT):
        yield f"推广短信须以“{OPT_OUT_TEXT}”结尾"
    if template.type == NOTIFICATION and OPT_OUT_TEXT in content:
        yield f"通知短信不能包含“{OPT_OUT_TEXT}”"
