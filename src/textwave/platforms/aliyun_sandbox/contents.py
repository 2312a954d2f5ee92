"""The actions for signatures and templates: applying, changing, asking, listing, deleting."""

import base64
import json
import re
from typing import Any, Final

from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.inquiries import page_of, whole
from textwave.platforms.aliyun_sandbox.numbers import write_time
from textwave.platforms.aliyun_sandbox.records import (
    CODE,
    DIGITAL,
    INTERNATIONAL,
    NOTIFICATION,
    PROMOTION,
    VENDORS,
    Registration,
    SignatureRecord,
    Standing,
    TemplateRecord,
    VendorStanding,
)
from textwave.platforms.aliyun_sandbox.sends import Answer, Parameters
from textwave.platforms.aliyun_sandbox.shelf import Record
from textwave.platforms.aliyun_sandbox.world import StandIn

NAME_MAX: Final = 30
CONTENT_MAX: Final = 500
REMARK_MAX: Final = 200
ENTERPRISE, APP, TRADEMARK = 0, 2, 5
PAPERS: Final = {APP: "AppIcpRecordId", TRADEMARK: "TrademarkId"}
AUDIT_STATES: Final = {
    Standing.reviewing: "AUDIT_STATE_INIT",
    Standing.passed: "AUDIT_STATE_PASS",
    Standing.failed: "AUDIT_STATE_NOT_PASS",
    Standing.cancelled: "AUDIT_SATE_CANCEL",
}
LISTED_TYPES: Final = {CODE: 2, NOTIFICATION: 0, PROMOTION: 1, INTERNATIONAL: 6}
REASONS: Final = {
    Registration.failed: "QUALIFICATION_ERROR",
    Registration.unverified: "DETECTING",
    Registration.lapsed: "NO_SEND_RECORD",
    Registration.registered: "DETECT_SUCCESS",
    Registration.registering: "REGISTERING",
    Registration.unregistered: "NON_REGISTER",
}
SUFFIXES: Final = frozenset({"txt", "gif", "jpg", "png", "mp3", "mp4"})
DIGITAL_NAME_MAX: Final = 20
DIGITAL_BYTES_MAX: Final = 1900 * 1024
_sign_name = re.compile(r"[^\s【】()\[\],.，。（）]{2,12}")


def create_sign(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Take a new signature to review."""
    name = parameters.get("SignName", "")
    if name in stand_in.shelf.signatures:
        raise CallRefused("isv.SIGN_NAME_ILLEGAL", "签名已存在")
    most, now = stand_in.settings.signatures_a_day, stand_in.clock()
    stand_in.applications.check("signatures", now, most_a_day=most, apart_seconds=0)
    answer = _review_sign(stand_in, parameters)
    stand_in.applications.note("signatures", now)
    return answer


def update_sign(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Take a rejected signature to review again."""
    record = _signature(stand_in, parameters)
    if record.standing is not Standing.failed:
        raise CallRefused("isv.ERROR_SIGN_NOT_MODIFY")
    return _review_sign(stand_in, parameters, record)


def _review_sign(
    stand_in: StandIn, parameters: Parameters, earlier: SignatureRecord | None = None
) -> Answer:
    name, remark = parameters.get("SignName", ""), parameters.get("Remark", "")
    if not _sign_name.fullmatch(name) or "测试" in name or "test" in name.lower():
        raise CallRefused("isv.SIGN_NAME_ILLEGAL")
    source = whole(parameters, "SignSource", 9)
    _check_papers(parameters, source)
    if len(remark) > REMARK_MAX:
        raise CallRefused("isv.INVALID_PARAMETERS", f"Remark: at most {REMARK_MAX} characters.")
    _check_room(stand_in, earlier)
    now = stand_in.clock()
    record = SignatureRecord(
        name,
        stand_in.shelf.new_order(),
        now,
        now + stand_in.settings.review_seconds,
        source=source,
        qualification_id=whole(parameters, "QualificationId", 0),
        remark=remark,
    )
    _replace(stand_in, earlier, record)
    return {"SignName": name, "OrderId": record.order_id}


def _check_papers(parameters: Parameters, source: int) -> None:
    if source not in {ENTERPRISE, APP, TRADEMARK}:
        raise CallRefused("isv.SIGN_SOURCE_ILLEGAL")
    needed = ["QualificationId"]
    if source in PAPERS:
        needed.append(PAPERS[source])
    if parameters.get("ThirdParty", "").lower() == "true":
        needed.append("AuthorizationLetterId")
    for name in needed:
        if not whole(parameters, name, 0):
            raise CallRefused("isv.INVALID_PARAMETERS", f"{name} is missing.")


def get_sign(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Say how a signature stands, and with each carrier."""
    record = _signature(stand_in, parameters)
    rejected = record.standing is Standing.failed
    return {
        "SignName": record.name,
        "SignStatus": int(record.standing),
        "AuditInfo": _audit(record, rejected=rejected),
        "SignTag": 2,
        "SignCode": f"SIGN_{record.order_id}",
        "OrderId": record.order_id,
        "QualificationId": record.qualification_id,
        "Remark": record.remark,
        "CreateDate": write_time(record.created_at),
        "SignIspRegisterDetailList": [
            {
                "OperatorCode": operator,
                "RegisterStatus": state,
                "OperatorCompleteTime": write_time(record.reviewed_at),
                "RegisterStatusReasons": [
                    {"ReasonCode": REASONS[Registration(state)], "ReasonDescList": []}
                ],
            }
            for operator, state in record.registrations.items()
        ],
    }


def list_signs(stand_in: StandIn, parameters: Parameters) -> Answer:
    """List the signatures."""
    page, most = page_of(parameters, "PageIndex")
    records = list(stand_in.shelf.signatures.values())
    shown = [
        {
            "SignName": record.name,
            "AuditStatus": AUDIT_STATES[record.standing],
            "BusinessType": "通用",
            "CreateDate": write_time(record.created_at),
            "OrderId": record.order_id,
            "Reason": _reason(record),
        }
        for record in records[(page - 1) * most : page * most]
    ]
    return {
        "SmsSignList": shown,
        "TotalCount": len(records),
        "CurrentPage": page,
        "PageSize": most,
    }


def delete_sign(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Forget a signature."""
    record = _signature(stand_in, parameters)
    if record.standing is Standing.reviewing:
        raise CallRefused("isv.ERROR_SIGN_NOT_DELETE")
    stand_in.shelf.remove(record)
    return {"SignName": record.name}


def create_template(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Take a new text template to review."""
    settings, now = stand_in.settings, stand_in.clock()
    stand_in.applications.check(
        "templates",
        now,
        most_a_day=settings.templates_a_day,
        apart_seconds=settings.template_apart_seconds,
    )
    answer = _review_template(stand_in, parameters)
    stand_in.applications.note("templates", now)
    return answer


def update_template(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Take a rejected template to review again."""
    record = _template(stand_in, parameters)
    if record.standing is not Standing.failed or record.type == DIGITAL:
        raise CallRefused("isv.ERROR_TEMPLATE_NOT_MODIFY")
    return _review_template(stand_in, parameters, record)


def _review_template(
    stand_in: StandIn, parameters: Parameters, earlier: TemplateRecord | None = None
) -> Answer:
    shelf, now = stand_in.shelf, stand_in.clock()
    template_type = whole(parameters, "TemplateType", 99)
    if template_type not in LISTED_TYPES:
        raise CallRefused("isv.INVALID_PARAMETERS", "TemplateType: 0, 1, 2 or 3.")
    record = TemplateRecord(
        earlier.code if earlier else shelf.new_code(template_type),
        parameters.get("TemplateName", ""),
        parameters.get("TemplateContent", ""),
        template_type,
        shelf.new_order(),
        now,
        now + stand_in.settings.review_seconds,
        signature=parameters.get("RelatedSignName", ""),
        remark=parameters.get("Remark", ""),
        rule=parameters.get("TemplateRule", ""),
        traffic_driving=parameters.get("TrafficDriving", ""),
    )
    _check_template(stand_in, record)
    _check_room(stand_in, earlier)
    _replace(stand_in, earlier, record)
    return {
        "TemplateCode": record.code,
        "TemplateName": record.name,
        "OrderId": record.order_id,
    }


def _check_template(stand_in: StandIn, record: TemplateRecord) -> None:
    if not 1 <= len(record.name) <= NAME_MAX or not 1 <= len(record.content) <= CONTENT_MAX:
        raise CallRefused("isv.TEMPLATE_OVER_LIMIT")
    signature = stand_in.shelf.signatures.get(record.signature)
    if record.type != INTERNATIONAL and (
        signature is None or signature.standing is not Standing.passed
    ):
        raise CallRefused("isv.SIGN_STATE_ILLEGAL", "RelatedSignName must be approved.")
    if record.variables:
        rule = _json(record.rule, "TemplateRule")
        if not isinstance(rule, dict) or not set(record.variables) <= set(rule):
            raise CallRefused("isv.TEMPLATE_PARAMS_ILLEGAL", "TemplateRule: not every variable.")
    if record.traffic_driving and not isinstance(
        _json(record.traffic_driving, "TrafficDriving"), list
    ):
        raise CallRefused("isv.INVALID_JSON_PARAM", "TrafficDriving must be an array.")


def create_digital(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Take a new digital template to review by the carriers."""
    name, remark = parameters.get("TemplateName", ""), parameters.get("Remark", "")
    if not 1 <= len(name) <= DIGITAL_NAME_MAX or not remark:
        raise CallRefused("isv.TEMPLATE_OVER_LIMIT")
    _check_room(stand_in, None)
    text = _digital_text(parameters)
    now, shelf = stand_in.clock(), stand_in.shelf
    order_id = shelf.new_order()
    record = TemplateRecord(
        shelf.new_code(DIGITAL),
        name,
        text,
        DIGITAL,
        order_id,
        now,
        now + stand_in.settings.review_seconds,
        signature=parameters.get("SignName", ""),
        remark=remark,
        vendors=dict.fromkeys(VENDORS, int(VendorStanding.reviewing)),
    )
    shelf.put(record)
    return {"TemplateCode": record.code}


def _digital_text(parameters: Parameters) -> str:
    """Return the text of all parts, which are as they must be."""
    texts: list[str] = []
    suffixes: list[str] = []
    total = 0
    for place in range(1, 100):
        prefix = f"TemplateContents.{place}."
        if f"{prefix}FileContents" not in parameters:
            break
        content = _decoded(parameters[f"{prefix}FileContents"])
        suffix = parameters.get(f"{prefix}FileSuffix", "").lower()
        if suffix not in SUFFIXES or whole(parameters, f"{prefix}FileSize", 0) != len(content):
            raise CallRefused("isv.INVALID_PARAMETERS", f"{prefix}FileSuffix or FileSize")
        total += len(content)
        suffixes.append(suffix)
        if suffix == "txt":
            texts.append(content.decode(errors="replace"))
    if not texts or len(set(suffixes)) == 1 or suffixes.count("mp4") > 1:
        raise CallRefused("isv.INVALID_PARAMETERS", "Texts and media must be mixed; one video.")
    if total > DIGITAL_BYTES_MAX:
        raise CallRefused("isv.TEMPLATE_OVER_LIMIT", "The template is larger than 1900 KB.")
    return "\n".join(texts)


def _decoded(written: str) -> bytes:
    try:
        return base64.b64decode(written, validate=True)
    except ValueError:
        raise CallRefused("isv.INVALID_PARAMETERS", "FileContents must be Base64.") from None


def get_template(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Say how a template stands, a digital one with each carrier."""
    record = _template(stand_in, parameters)
    answer: Answer = {
        "TemplateCode": record.code,
        "TemplateName": record.name,
        "TemplateContent": record.content,
        "TemplateType": str(record.type),
        "TemplateStatus": str(int(record.standing)),
        "TemplateTag": 2,
        "AuditInfo": _audit(record, rejected=record.standing is Standing.failed),
        "RelatedSignName": record.signature,
        "VariableAttribute": record.rule,
        "Remark": record.remark,
        "OrderId": record.order_id,
        "CreateDate": write_time(record.created_at),
    }
    return answer | ({"VendorAuditStatus": record.vendors} if record.type == DIGITAL else {})


def list_templates(stand_in: StandIn, parameters: Parameters) -> Answer:
    """List the text templates, whose types have other numbers here."""
    page, most = page_of(parameters, "PageIndex")
    records = [one for one in stand_in.shelf.templates.values() if one.type != DIGITAL]
    shown = [
        {
            "TemplateCode": record.code,
            "TemplateName": record.name,
            "TemplateContent": record.content,
            "AuditStatus": AUDIT_STATES[record.standing],
            "TemplateType": LISTED_TYPES[record.type],
            "OuterTemplateType": record.type,
            "CreateDate": write_time(record.created_at),
            "OrderId": record.order_id,
            "Reason": _reason(record),
            "SignatureName": record.signature,
            "TrafficDriving": record.traffic_driving,
        }
        for record in records[(page - 1) * most : page * most]
    ]
    return {
        "SmsTemplateList": shown,
        "TotalCount": len(records),
        "CurrentPage": page,
        "PageSize": most,
    }


def delete_template(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Forget a template."""
    record = _template(stand_in, parameters)
    if record.standing is Standing.reviewing:
        raise CallRefused("isv.ERROR_TEMPLATE_NOT_DELETE")
    stand_in.shelf.remove(record)
    return {"TemplateCode": record.code}


def _replace(stand_in: StandIn, earlier: Record | None, record: Record) -> None:
    if earlier is not None:
        stand_in.shelf.remove(earlier)
    stand_in.shelf.put(record)


def _check_room(stand_in: StandIn, earlier: Record | None) -> None:
    if earlier is None and stand_in.shelf.is_full():
        raise CallRefused("isv.SMS_OVER_LIMIT", "The stand-in is full. Delete some.")


def _signature(stand_in: StandIn, parameters: Parameters) -> SignatureRecord:
    record = stand_in.shelf.signatures.get(parameters.get("SignName", ""))
    if record is None:
        raise CallRefused("isv.SMS_SIGNATURE_ILLEGAL")
    return record


def _template(stand_in: StandIn, parameters: Parameters) -> TemplateRecord:
    record = stand_in.shelf.templates.get(parameters.get("TemplateCode", ""))
    if record is None:
        raise CallRefused("isv.SMS_TEMPLATE_ILLEGAL")
    return record


def _audit(record: Record, *, rejected: bool) -> dict[str, str]:
    if record.standing is Standing.reviewing:
        return {}
    reason = {"RejectInfo": record.reason} if rejected else {}
    return {"AuditDate": write_time(record.reviewed_at)} | reason


def _reason(record: Record) -> dict[str, str]:
    if record.standing is not Standing.failed:
        return {}
    date = write_time(record.reviewed_at)
    return {"RejectDate": date, "RejectInfo": record.reason, "RejectSubInfo": ""}


def _json(written: str, name: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        raise CallRefused("isv.INVALID_JSON_PARAM", f"{name} must be JSON.") from None
