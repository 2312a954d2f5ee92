"""The reports of the stand-in as the service shapes them: receipts, replies, reviews; pure."""

from typing import Any, Final

from textwave.platforms.aliyun_sandbox.numbers import write_number, write_time
from textwave.platforms.aliyun_sandbox.records import SignatureRecord, Standing, TemplateRecord

RECEIPTS: Final = "SmsReport"
REPLIES: Final = "SmsUp"
SIGNATURE_REVIEWS: Final = "SignSmsReport"
TEMPLATE_REVIEWS: Final = "TemplateSmsReport"
KINDS: Final = (RECEIPTS, REPLIES, SIGNATURE_REVIEWS, TEMPLATE_REVIEWS)
"""The types of reports, which queues and addresses are named after."""

DELIVERED: Final = "DELIVERED"
MESSAGES: Final = {
    DELIVERED: "用户接收成功",
    "EXPIRED": "短信过期",
    "INVALID_NUMBER": "号码状态异常",
}
STATUSES: Final = {
    Standing.reviewing: "approving",
    Standing.passed: "approved",
    Standing.failed: "rejected",
    Standing.cancelled: "rejected",
}
SOURCES: Final = {0: "企事业单位的全称或简称", 2: "App应用的全称或简称", 5: "商标名的全称或简称"}
TYPES: Final = {0: "验证码", 1: "短信通知", 2: "推广短信", 3: "国际/港澳台短信", 7: "数字短信"}

Report = dict[str, Any]


def receipt(
    mobile: int, *, error: str, parts: int, biz_id: str, out_id: str, sent_at: float, due: float
) -> Report:
    """Return a receipt; no error means delivered."""
    code = error or DELIVERED
    return {
        "phone_number": write_number(mobile),
        "send_time": write_time(sent_at),
        "report_time": write_time(due),
        "success": not error,
        "err_code": code,
        "err_msg": MESSAGES.get(code, "发送失败"),
        "sms_size": str(parts),
        "biz_id": biz_id,
        "out_id": out_id,
    }


def reply(mobile: int, text: str, *, number: str, sequence_id: str, at: float) -> Report:
    """Return a reply to the number that an extend code stands for."""
    return {
        "phone_number": write_number(mobile),
        "content": text,
        "send_time": write_time(at),
        "dest_code": number,
        "sequence_id": sequence_id,
    }


def signature_review(record: SignatureRecord, *, queued: bool) -> Report:
    """Return how the review of a signature ended; queues spell the order's number otherwise."""
    return {
        "sign_source": SOURCES.get(record.source, SOURCES[0]),
        "reason": record.reason,
        "sign_name": record.name,
        "order_id" if queued else "orderId": record.order_id,
        "sign_status": STATUSES[record.standing],
        "remark": record.remark,
        "sign_scene": "",
        "create_date": write_time(record.created_at),
    }


def template_review(record: TemplateRecord, *, queued: bool) -> Report:
    """Return how the review of a template ended."""
    return {
        "template_type": TYPES.get(record.type, TYPES[1]),
        "reason": record.reason,
        "template_name": record.name,
        "order_id" if queued else "orderId": record.order_id,
        "template_content": record.content,
        "template_status": STATUSES[record.standing],
        "remark": record.remark,
        "template_code": record.code,
        "create_date": write_time(record.created_at),
    }
