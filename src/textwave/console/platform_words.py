"""Words of platform accounts: kinds, capabilities, options, and what a connection test checks."""

from collections.abc import Mapping
from typing import Final


def _(message: str) -> str:
    return message


WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "platform": {
        "thirdparty": _("Third-party platform"),
        "aliyun": _("Alibaba Cloud SMS"),
    },
    "capability": {
        "variables": _("variables"),
        "short_links": _("short links"),
        "click_tokens": _("click tokens on links"),
        "opt_out_text": _("an opt-out text"),
        "idempotency": _("requests that are safe to repeat"),
    },
    "counting": {
        "mainland": _("mainland: 70 characters, else 67 a part"),
        "international": _("international: GSM-7 and UCS-2"),
    },
    "receipts": {
        "push": _("the platform sends them"),
        "pull": _("Textwave asks for them"),
    },
    "signing": {
        "strict": _("the whole callback is signed"),
        "qa": _("as old gateways do it: without the body"),
    },
    "option": {
        "report_queue": _("Queue of receipts"),
        "reply_queue": _("Queue of replies"),
        "signature_queue": _("Queue of decisions on signatures"),
        "template_queue": _("Queue of decisions on templates"),
        "queue_endpoint": _("Address of the queues"),
        "token_endpoint": _("Address of the queues' tokens"),
        "company_name": _("Company behind the links"),
        "organization_code": _("Its organization code"),
        "icp_number": _("ICP number of the links' domain"),
        "icp_picture": _("Picture of the ICP record"),
        "digital_price_milli": _("Price of a digital message, in thousandths"),
    },
    "pushed": {
        "receipts": _("receipts of messages"),
        "replies": _("replies of people"),
        "reviews": _("decisions on signatures and templates"),
        "SmsReport": _("receipts of messages"),
        "SmsUp": _("replies of people"),
        "SignSmsReport": _("decisions on signatures"),
        "TemplateSmsReport": _("decisions on templates"),
    },
    "verdict": {
        "ok": _("fine"),
        "warning": _("warning"),
        "failed": _("wrong"),
        "skipped": _("not checked"),
    },
    "about": {
        "name resolves": _("Name."),
        "connects": _("Connection."),
        "encrypted": _("Encryption."),
        "clock": _("Clock."),
        "key": _("Key."),
        "platform name": _("Name of the platform."),
        "rights": _("Rights."),
        "balance": _("Balance."),
        "capabilities": _("Capabilities."),
        "limits": _("Limits."),
        "receipts and replies": _("Receipts and replies."),
        "callbacks": _("Callbacks."),
    },
}
