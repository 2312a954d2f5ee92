"""Signatures and templates as Alibaba Cloud files and reviews them; pure.

Says our submissions in the service's fields and numbers, and its answers in ours. The numbers of
template types are those of its newer operations; older lists count them differently.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from textwave.kit.carriers import Carrier
from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun.wire import (
    WireRegistration,
    WireSignature,
    WireTemplate,
)
from textwave.platforms.contract import (
    CarrierReview,
    CarrierState,
    DigitalPart,
    MessageType,
    Review,
    ReviewState,
    SignatureSubmission,
    TemplateSubmission,
)
from textwave.platforms.exchange import legible

SOURCES: Final = {"enterprise": 0, "app": 2, "trademark": 5}
GENERAL: Final = 1
"""The kind of signature that is for everything, not for verification codes alone."""

TEMPLATE_TYPES: Final = {MessageType.notification: 1, MessageType.promotional: 2}
INTERNATIONAL_TYPE: Final = 3
INTERNATIONAL_KINDS: Final = {MessageType.notification: 0, MessageType.promotional: 1}

REVIEW_STATES: Final = {
    0: ReviewState.reviewing,
    1: ReviewState.approved,
    2: ReviewState.rejected,
    10: ReviewState.rejected,
}
CANCELLED: Final = 10

OPERATORS: Final = {
    "mobile": Carrier.MOBILE,
    "unicom": Carrier.UNICOM,
    "telecom": Carrier.TELECOM,
}
REGISTRATIONS: Final = {
    0: CarrierState.rejected,
    1: CarrierState.unverified,
    2: CarrierState.lapsed,
    3: CarrierState.approved,
    -1: CarrierState.reviewing,
    -2: CarrierState.missing,
}
VENDORS: Final = {
    "MOBILE_VENDOR": Carrier.MOBILE,
    "UNICOM_VENDOR": Carrier.UNICOM,
    "TELECOM_VENDOR": Carrier.TELECOM,
}
VENDOR_STATES: Final = {
    0: CarrierState.reviewing,
    1: CarrierState.approved,
    2: CarrierState.rejected,
    15: CarrierState.lapsed,
}

_VARIABLE_KINDS: Final = (
    (re.compile(r"^sp_"), "link_param"),
    (re.compile(r"time|date", re.IGNORECASE), "time"),
    (re.compile(r"phone|mobile", re.IGNORECASE), "phone_number2"),
    (re.compile(r"e_?mail", re.IGNORECASE), "email_address"),
    (re.compile(r"name|nick", re.IGNORECASE), "user_nick"),
)
"""What a variable's name says of its content; the service holds values against it."""
ANYTHING: Final = "others"

_variable = re.compile(r"\$\{([^{}]+)\}")
_link = re.compile(r"https?://[^\s\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]+")

COMPANY_OPTIONS: Final = {
    "companyName": "company_name",
    "organizationCode": "organization_code",
    "icpNo": "icp_number",
    "icpPicOssKey": "icp_picture",
}
"""Who owns the links in texts: fields of the service, by the account's options."""


def signature_fields(submission: SignatureSubmission) -> dict[str, Any]:
    """Return a signature with its papers as the fields of a request.

    Raises:
        InvalidValue: its source is not known to the service.
    """
    source = SOURCES.get(submission.source)
    if source is None:
        raise InvalidValue("source", f"use one of {', '.join(SOURCES)}.")
    return {
        "sign_name": submission.name,
        "sign_source": source,
        "sign_type": GENERAL,
        "qualification_id": submission.qualification_id,
        "third_party": "true" if submission.authorization_letter_id is not None else "false",
        "authorization_letter_id": submission.authorization_letter_id,
        "trademark_id": submission.trademark_id,
        "app_icp_record_id": submission.app_record_id,
        "apply_scene_content": submission.scene or None,
        "remark": submission.remark or None,
    }


def signature_review(answer: WireSignature) -> Review:
    """Return how the review of a signature stands, and its registration at each carrier.

    Raises:
        KeyError: a state is not known.
    """
    registrations = answer.sign_isp_register_detail_list or []
    carriers = {
        OPERATORS[found.operator_code.lower()]: CarrierReview(
            REGISTRATIONS[found.register_status], _reasons(found)
        )
        for found in registrations
        if found.operator_code.lower() in OPERATORS
    }
    reason = answer.audit_info.reject_info if answer.audit_info else None
    return _review(answer.sign_status, reason, carriers)


def template_fields(
    submission: TemplateSubmission, *, is_international: bool, options: Mapping[str, str]
) -> dict[str, Any]:
    """Return a text template as the fields of a request; `options` may say whose the links are.

    Raises:
        InvalidValue: it is no text template.
    """
    kind = submission.message_type
    if kind not in TEMPLATE_TYPES:
        raise InvalidValue("type", "a digital message has a digital template.")
    rule = {name: variable_kind(name) for name in _variable.findall(submission.content)}
    owned = traffic(submission.content, options)
    return {
        "template_name": submission.name,
        "template_content": submission.content,
        "template_type": INTERNATIONAL_TYPE if is_international else TEMPLATE_TYPES[kind],
        "intl_type": INTERNATIONAL_KINDS[kind] if is_international else None,
        "related_sign_name": submission.signature or None,
        "remark": submission.remark,
        "template_rule": _text(rule) if rule else None,
        "traffic_driving": _text(owned) if owned else None,
    }


def variable_kind(name: str) -> str:
    """Return what the service is told that a variable holds, judged by its name."""
    return next((kind for found, kind in _VARIABLE_KINDS if found.search(name)), ANYTHING)


def traffic(content: str, options: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the links of a text with their owner, where the account's options name one."""
    owner = {field: options.get(option, "") for field, option in COMPANY_OPTIONS.items()}
    if not all(owner.values()):
        return []
    found: dict[str, dict[str, str]] = {}
    for link in _link.findall(content):
        plain = _variable.sub("", link)
        host = urlsplit(plain).hostname or plain
        entry = {"trafficDrivingType": "DOMAIN", "trafficDrivingContent": host, **owner}
        named = _variable.search(link)
        found.setdefault(host, entry | ({"variableName": named[1]} if named else {}))
    return list(found.values())


def template_review(answer: WireTemplate) -> Review:
    """Return how the review of a template stands; a digital one has a state at each carrier.

    Raises:
        KeyError: a state is not known.
    """
    carriers = {
        VENDORS[vendor]: CarrierReview(VENDOR_STATES[state])
        for vendor, state in (answer.vendor_audit_status or {}).items()
        if vendor in VENDORS
    }
    reason = answer.audit_info.reject_info if answer.audit_info else None
    return _review(answer.template_status, reason, carriers)


def file_fields(parts: Iterable[DigitalPart]) -> list[dict[str, Any]]:
    """Return the parts of a digital message as files, in their order."""
    return [
        {
            "file_contents": b64encode(part.content).decode(),
            "file_name": part.name,
            "file_size": len(part.content),
            "file_suffix": part.suffix,
        }
        for part in parts
    ]


def _review(status: int, reason: str | None, carriers: Mapping[Carrier, CarrierReview]) -> Review:
    state = REVIEW_STATES[status]
    if status == CANCELLED:
        return Review(state, legible(reason) or "The application was cancelled.", carriers)
    return Review(state, legible(reason) if state is ReviewState.rejected else "", carriers)


def _reasons(found: WireRegistration) -> str:
    said = [
        " ".join([reason.reason_code, *reason.reason_desc_list]).strip()
        for reason in found.register_status_reasons or []
    ]
    return legible("; ".join(filter(None, said)))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
