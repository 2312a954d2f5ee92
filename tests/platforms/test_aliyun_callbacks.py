import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.aliyun import parse_receipts, parse_replies, parse_reviews
from textwave.platforms.contract import (
    Receipt,
    ReceiptState,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.thirdparty import MalformedCallback

RECEIPT = {
    "phone_number": "15412345678",
    "send_time": "2026-11-22 00:00:00",
    "report_time": "2026-11-22 00:00:05",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "12345",
    "out_id": "key-1",
}
REPLY = {
    "phone_number": "15412345678",
    "content": "内容",
    "send_time": "2026-11-22 09:00:00",
    "dest_code": "1234",
    "sequence_id": "1234567890",
}


def body(*items: dict[str, Any]) -> bytes:
    return json.dumps(items, ensure_ascii=False).encode()


def test_a_receipt_names_its_message_by_the_requests_key_and_the_number() -> None:
    assert parse_receipts(body(RECEIPT)) == [
        Receipt(
            0,
            86_154_1234_5678,
            ReceiptState.delivered,
            "",
            2,
            datetime(2026, 11, 21, 16, 0, 5, tzinfo=UTC),
            "key-1",
        )
    ]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("MOBILE_NOT_ON_SERVICE", ReceiptState.failed),
        ("MOBLLE_TERMINAL_ERROR", ReceiptState.failed),
        ("MK:0001", ReceiptState.failed),
        ("", ReceiptState.failed),
        ("USER_REJECT", ReceiptState.rejected),
        ("CONTENT_KEYWORD", ReceiptState.rejected),
        ("isv.CUSTOMER_REFUSED", ReceiptState.rejected),
        ("isv.AMOUNT_NOT_ENOUGH", ReceiptState.failed),
        ("EXPIRED", ReceiptState.expired),
        ("REQUEST_SUCCESS", ReceiptState.unknown),
        ("DELIVERED", ReceiptState.unknown),
    ],
)
def test_a_failed_receipt_keeps_the_platforms_code(code: str, state: ReceiptState) -> None:
    (receipt,) = parse_receipts(body(RECEIPT | {"success": False, "err_code": code}))
    assert (receipt.state, receipt.error_code) == (state, code)


def test_a_receipt_without_our_key_is_kept_as_nobodys() -> None:
    (receipt,) = parse_receipts(body({k: v for k, v in RECEIPT.items() if k != "out_id"}))
    assert (receipt.request_key, receipt.message_id) == ("", 0)


@pytest.mark.parametrize(
    "more",
    [
        {"sequence_id": 1234567890},
        {"sequence_id": 1234567890, "send_time": "20261122090000", "sign_name": None},
    ],
)
def test_replies_of_older_and_newer_documents_are_the_same(more: dict[str, Any]) -> None:
    moment = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    assert parse_replies(body(REPLY | more)) == [
        Reply("1234567890", 86_154_1234_5678, "内容", None, "1234", moment)
    ]


def test_a_reply_may_name_the_signature_and_nothing_else() -> None:
    item = {k: v for k, v in REPLY.items() if k != "dest_code"} | {"sign_name": "阿里云"}
    (reply,) = parse_replies(body(item))
    assert (reply.signature, reply.extend_code) == ("阿里云", None)


def test_what_no_storage_takes_does_not_cost_the_reply() -> None:
    (reply,) = parse_replies(body(REPLY | {"content": "T\x00D"}))
    assert reply.content == "TD"


@pytest.mark.parametrize(
    ("item", "notice"),
    [
        (
            {"sign_name": "阿里云", "sign_status": "approved", "reason": "-", "orderId": "1"},
            ReviewNotice(ReviewSubject.signature, "阿里云", Review(ReviewState.approved)),
        ),
        (
            {"template_code": "SMS_1", "template_status": "rejected", "reason": "内容不符"},
            ReviewNotice(ReviewSubject.template, "SMS_1", Review(ReviewState.rejected, "内容不符")),
        ),
        (
            {"template_code": "SMS_1", "template_status": "approving", "order_id": 5},
            ReviewNotice(ReviewSubject.template, "SMS_1", Review(ReviewState.reviewing)),
        ),
    ],
)
def test_a_notice_says_by_itself_what_it_is_about(
    item: dict[str, Any], notice: ReviewNotice
) -> None:
    assert parse_reviews(body(item)) == [notice]


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"phone_number": "none"}, "phone_number"),
        ({"phone_number": None}, "phone_number"),
        ({"success": "perhaps"}, "success"),
        ({"report_time": "yesterday"}, "report_time"),
        ({"report_time": "2026-13-01 00:00:00"}, "report_time"),
        ({"sms_size": "-1"}, "sms_size"),
        ({"sms_size": 10**30}, "sms_size"),
        ({"out_id": "a\x00b"}, "out_id"),
        ({"out_id": "k" * 1000}, "out_id"),
    ],
)
def test_an_item_that_does_not_fit_is_named_and_nothing_is_taken(
    second: dict[str, Any], field: str
) -> None:
    with pytest.raises(MalformedCallback) as refused:
        parse_receipts(body(RECEIPT, RECEIPT | second))
    assert (refused.value.item, refused.value.field) == (1, field)


@pytest.mark.parametrize(
    "given_body", [b"", b"{}", b"[]", b"[1]", b"\xff", b"[" * 50_000, body(*[RECEIPT] * 1001)]
)
def test_a_body_that_is_no_list_of_items_is_refused(given_body: bytes) -> None:
    for parse in (parse_receipts, parse_replies, parse_reviews):
        with pytest.raises(MalformedCallback):
            parse(given_body)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"sign_name": "阿里云", "sign_status": "perhaps"},
        {"sign_status": "approved"},
        {"template_status": "approved", "sign_name": "阿里云"},
    ],
)
def test_a_notice_that_says_too_little_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(MalformedCallback):
        parse_reviews(body(item))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*RECEIPT, *REPLY, "sign_status"]), ANYTHING))
def test_whatever_is_pushed_is_taken_or_refused_and_never_a_crash(item: dict[str, Any]) -> None:
    for parse, whole in ((parse_receipts, RECEIPT), (parse_replies, REPLY), (parse_reviews, {})):
        with contextlib.suppress(MalformedCallback):
            assert len(parse(json.dumps([whole | item]).encode())) == 1
