"""Bodies that nobody mends cost only the items that do not fit, whatever is in them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from textwave.responses.formats import BodyFormat, pieces_of, read_body

RECEIPT: dict[str, Any] = {
    "phone_number": "15412345678",
    "report_time": "2026-03-10 20:00:00",
    "success": True,
    "err_code": "DELIVERED",
    "out_id": "a-1-0-0",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*RECEIPT, "x"]), inner, max_size=5)
    ),
    max_leaves=9,
)


@given(st.lists(st.just(RECEIPT) | ANYTHING, max_size=12))
def test_all_that_fits_is_read_and_the_rest_is_counted(items: list[Any]) -> None:
    body = json.dumps(items).encode()
    read, problem = read_body(BodyFormat.ALIYUN, "receipts", body)
    whole = items.count(RECEIPT)
    assert len(read) >= whole
    if len(read) < len(items):
        assert f"{len(items) - len(read)} of {len(items)} items" in (problem or "")


@given(st.binary(max_size=60) | ANYTHING.map(lambda found: json.dumps(found).encode()))
def test_any_body_is_read_or_named_as_what_it_is(body: bytes) -> None:
    for kind in ("receipts", "replies", "reviews"):
        for form in BodyFormat:
            read, problem = read_body(form, kind, body)
            assert read or problem or pieces_of(body) == []


def test_half_a_character_spoils_only_itself() -> None:
    replies = [
        {"phone_number": "15412345678", "content": text, "send_time": "2026-03-10 20:00:00",
         "sequence_id": str(place)}
        for place, text in enumerate(["T", "cut \ud83d", "退订"])
    ]  # fmt: skip
    read, _ = read_body(BodyFormat.ALIYUN, "replies", json.dumps(replies).encode())
    assert [reply.content for reply in read] == ["T", "cut ?", "退订"]
    assert all(reply.content.encode() for reply in read)
    bad = json.dumps([RECEIPT]).encode().replace(b"DELIVERED", b"DELIVERED\xff")
    assert len(pieces_of(bad) or ()) == 1
