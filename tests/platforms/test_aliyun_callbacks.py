"""What Alibaba Cloud pushes or queues is read whole, in all its forms, or refused by name."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.aliyun.callbacks import (
    PushedReceipt,
    parse_receipts,
    parse_replies,
    parse_reviews,
    read_object,
    receipt_of,
)
from textwave.platforms.contract import ReceiptState, ReviewState, ReviewSubject
from textwave.platforms.thirdparty import MalformedCallback

RECEIPT: dict[str, Any] = {
    "phone_number": "15412345678",
    "send_time": "2017-01-01 00:00:00",
    "report_time": "2017-01-01 00:00:01",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "12345",
    "out_id": "a1-7-3-0",
}
REPLY: dict[str, Any] = {
    "phone_number": "15412345678",
    "content": "拒收",
    "send_time": "2017-09-01 00:00:00",
    "dest_code": "1234",
    "sequence_id": "1234567890",
}


def body(*items: Any) -> bytes:
    return json.dumps(items).encode()


def test_a_receipt_names_its_message_by_key_and_number_and_its_time_is_that_of_china() -> None:
    (receipt,) = parse_receipts(body(RECEIPT))
    assert (receipt.request_key, receipt.mobile) == ("a1-7-3-0", 8615412345678)
    assert (receipt.state, receipt.parts) == (ReceiptState.delivered, 2)
    assert receipt.reported_at == datetime(2016, 12, 31, 16, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("MOBILE_NOT_ON_SERVICE", ReceiptState.failed),
        ("MK:0001", ReceiptState.failed),
        ("EXPIRED", ReceiptState.expired),
        ("USER_REJECT", ReceiptState.rejected),
        ("REQUEST_SUCCESS", ReceiptState.unknown),
    ],
)
def test_a_failure_keeps_its_code(code: str, state: ReceiptState) -> None:
    (receipt,) = parse_receipts(body(RECEIPT | {"success": False, "err_code": code}))
    assert (receipt.state, receipt.error_code) == (state, code)


def test_a_queued_body_is_a_single_object() -> None:
    queued = read_object(PushedReceipt, json.dumps(RECEIPT).encode(), receipt_of)
    assert [queued] == parse_receipts(body(RECEIPT))


def test_a_receipt_of_somebody_else_with_the_same_account_is_no_error() -> None:
    (receipt,) = parse_receipts(body(RECEIPT | {"out_id": None}))
    assert (receipt.request_key, receipt.mobile) == ("", 8615412345678)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"phone_number": "1541234****"}, "phone_number"),
        ({"report_time": "yesterday"}, "report_time"),
        ({"success": "perhaps"}, "success"),
        ({"out_id": "a\x00b"}, "out_id"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedCallback) as refused:
        parse_receipts(body(RECEIPT, RECEIPT | changed))
    assert (refused.value.item, refused.value.field) == (1, field)


def test_a_reply_in_its_older_forms_is_the_same() -> None:
    old = REPLY | {"sequence_id": 1234567890, "send_time": "20170901000000"}
    assert parse_replies(body(old)) == parse_replies(body(REPLY))
    (reply,) = parse_replies(body(REPLY | {"sign_name": "Shop"}))
    assert (reply.signature, reply.extend_code, reply.reply_id) == ("Shop", "1234", "1234567890")


def test_reviews_of_signatures_and_of_templates_are_told_apart() -> None:
    rejected = {"sign_name": "Shop", "sign_status": "rejected", "reason": "no papers"}
    approved = {"template_code": "SMS_1", "template_status": "approved", "order_id": "2"}
    signature, template = parse_reviews(body(rejected, approved))
    assert (signature.subject, signature.name) == (ReviewSubject.signature, "Shop")
    assert (signature.review.state, signature.review.reason) == (ReviewState.rejected, "no papers")
    assert (template.subject, template.name) == (ReviewSubject.template, "SMS_1")
    assert template.review.state is ReviewState.approved


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(sorted(RECEIPT | REPLY)), inner, max_size=9),
    max_leaves=20,
))  # fmt: skip
def test_any_json_is_read_or_refused(found: Any) -> None:
    written = json.dumps(found).encode()
    for parse in (parse_receipts, parse_replies, parse_reviews):
        with suppress(MalformedCallback):  # anything else fails the test
            parse(written)
