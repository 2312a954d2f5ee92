import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.contract import (
    Receipt,
    ReceiptState,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.thirdparty import (
    MalformedCallback,
    parse_receipts,
    parse_replies,
    parse_reviews,
)

RECEIPT: dict[str, Any] = {
    "messageId": "7",
    "phoneNumber": "15412345678",
    "status": "DELIVERED",
    "errorCode": "",
    "parts": 2,
    "reportedAt": "2026-11-22T17:00:00+08:00",
}
REPLY: dict[str, Any] = {
    "replyId": "r1",
    "phoneNumber": "+447700900123",
    "content": "TD",
    "signName": "测试",
    "receivedAt": "2026-11-22T09:00:00Z",
}
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def body(*items: dict[str, Any]) -> bytes:
    return json.dumps(items).encode()


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def test_a_receipt_is_read_with_its_time_in_utc() -> None:
    expected = Receipt(7, 8615412345678, ReceiptState.delivered, "", 2, AT)
    assert parse_receipts(body(RECEIPT)) == [expected]
    assert parse_receipts(body(RECEIPT))[0].reported_at.tzinfo is UTC


def test_what_a_receipt_need_not_say_may_be_missing_or_null() -> None:
    bare = {"messageId": 7, "status": "FAILED", "reportedAt": int(AT.timestamp()), "parts": None}
    assert parse_receipts(body(bare)) == [Receipt(7, None, ReceiptState.failed, "", None, AT)]


@pytest.mark.parametrize("name", ["messageId", "status", "reportedAt"])
def test_a_missing_field_is_named_with_its_item(name: str) -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_receipts(body(RECEIPT, RECEIPT, without(RECEIPT, name)))
    assert (caught.value.item, caught.value.field) == (2, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("messageId", "seven"),
        ("messageId", 0),
        ("messageId", 2**63),
        ("status", "LOST"),
        ("parts", -1),
        ("errorCode", "x" * 101),
        ("errorCode", "a\x00b"),
        ("phoneNumber", {"a": 1}),
        ("reportedAt", "yesterday"),
        ("reportedAt", "2026-11-22T09:00:00"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_item(name: str, value: Any) -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_receipts(body(RECEIPT, RECEIPT | {name: value}))
    assert (caught.value.item, caught.value.field) == (1, name)
    assert f"Item 1, `{name}`" in caught.value.sentence


def test_a_time_at_the_end_of_the_calendar_is_refused() -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_receipts(body(RECEIPT | {"reportedAt": "0001-01-01T00:00:00+14:00"}))
    assert caught.value.item == 0


@pytest.mark.parametrize("items", [0, 1001])
def test_only_1_to_1000_items_are_taken(items: int) -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_receipts(body(*[RECEIPT] * items))
    assert caught.value.item is None


def test_a_thousand_items_are_taken_in_their_order() -> None:
    items = [RECEIPT | {"messageId": str(number + 1)} for number in range(1000)]
    assert [receipt.message_id for receipt in parse_receipts(body(*items))] == list(range(1, 1001))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_receipts, parse_replies, parse_reviews):
        with contextlib.suppress(MalformedCallback):
            assert parse(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*RECEIPT, *REPLY, "kind", "reason"]), inner, max_size=5
            )
        ),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    data = json.dumps([value, RECEIPT | REPLY]).encode()
    for parse in (parse_receipts, parse_replies, parse_reviews):
        with contextlib.suppress(MalformedCallback):
            assert parse(data)


def test_a_reply_is_read() -> None:
    assert parse_replies(body(REPLY)) == [Reply("r1", 447700900123, "TD", "测试", None, AT)]


def test_a_reply_needs_a_signature_or_an_extend_code() -> None:
    bare = without(REPLY, "signName")
    assert parse_replies(body(bare | {"extendCode": "01"}))[0].extend_code == "01"
    with pytest.raises(MalformedCallback):
        parse_replies(body(bare))


def test_a_reply_without_a_phone_number_is_refused() -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_replies(body(REPLY, REPLY | {"phoneNumber": "anonymous"}))
    assert (caught.value.item, caught.value.field) == (1, "phoneNumber")


def test_a_nul_in_a_reply_does_not_cost_the_opt_out() -> None:
    assert parse_replies(body(REPLY | {"content": "T\x00D"}))[0].content == "TD"


def test_reviews_of_signatures_and_templates_are_read() -> None:
    notices = parse_reviews(
        body(
            {"kind": "sign", "signName": "测试", "status": "approved"},
            {"kind": "template", "templateCode": "T1", "status": "rejected", "reason": "赌博"},
        )
    )
    assert notices == [
        ReviewNotice(ReviewSubject.signature, "测试", Review(ReviewState.approved)),
        ReviewNotice(ReviewSubject.template, "T1", Review(ReviewState.rejected, "赌博")),
    ]


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"kind": "sign", "status": "approved"}, "signName"),
        ({"kind": "template", "signName": "a", "status": "approved"}, "templateCode"),
        ({"kind": "other", "signName": "a", "status": "approved"}, "kind"),
        ({"kind": "sign", "signName": "a", "status": "fine"}, "status"),
    ],
)
def test_a_review_of_nothing_is_refused(item: dict[str, Any], name: str) -> None:
    with pytest.raises(MalformedCallback) as caught:
        parse_reviews(body(item))
    assert caught.value.field == name
