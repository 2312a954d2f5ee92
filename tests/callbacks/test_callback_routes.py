"""The door for platforms: authentic, readable and new callbacks become durable; no others."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.callbacks.conftest import NOW, RECEIPT, Door
from textwave.callbacks.operations import forget_nonces
from textwave.callbacks.routes import BODY_LIMIT_BYTES
from textwave.platforms.signing import QA_HEADER, TEXTWAVE_HEADER
from textwave.storage.ledger import value


async def test_a_callback_is_answered_when_it_and_its_merge_job_are_committed(door: Door) -> None:
    answer = await door.post()
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    async with door.ledger.transaction() as connection:
        body = await value(connection, "SELECT body FROM callback_inbox WHERE kind = 'receipts'")
        task = await value(connection, "SELECT task_name FROM procrastinate_jobs")
    assert json.loads(body) == [RECEIPT]
    assert task == "responses.merge_receipts"


async def test_many_callbacks_leave_one_waiting_job_of_a_kind(door: Door) -> None:
    for _ in range(3):
        await door.post()
    reply = {
        "replyId": "1", "phoneNumber": "15412345678", "content": "T", "signName": "S",
        "receivedAt": NOW.isoformat(),
    }  # fmt: skip
    review = {"kind": "template", "templateCode": "T1", "status": "approved"}
    assert (await door.post([reply], kind="replies")).status_code == 200
    assert (await door.post([review], kind="reviews")).status_code == 200
    async with door.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM procrastinate_jobs") == 3
    assert await door.stored() == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "another key"},
        {"at": NOW - timedelta(seconds=301)},
        {"at": NOW + timedelta(seconds=301)},
        {"drop": QA_HEADER},
        {"drop": TEXTWAVE_HEADER},
        {"signed_body": b"[]"},
        {"nonce": "short"},
    ],
    ids=str,
)
async def test_a_wrong_stale_or_missing_signature_is_refused(
    door: Door, wrong: dict[str, Any]
) -> None:
    answer = await door.post(**wrong)
    assert answer.status_code == 401
    assert answer.json()["msg"]
    assert await door.stored() == 0


async def test_a_replayed_callback_is_refused(door: Door) -> None:
    nonce = secrets.token_hex(16)
    assert (await door.post(nonce=nonce)).status_code == 200
    answer = await door.post(nonce=nonce)
    assert (answer.status_code, answer.json()["code"]) == (401, "nonce_seen")
    assert await door.stored() == 1


async def test_an_old_gateway_may_leave_the_body_unsigned_where_that_is_set(door: Door) -> None:
    async with door.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET callback_signing = 'qa'")
    assert (await door.post(drop=TEXTWAVE_HEADER)).status_code == 200
    assert (await door.post(signed_body=b"[]")).status_code == 401


async def test_one_bad_item_refuses_the_whole_body_and_is_named(door: Door) -> None:
    answer = await door.post([RECEIPT, RECEIPT | {"status": "LOST"}])
    assert answer.status_code == 400
    assert (answer.json()["item"], answer.json()["field"]) == (1, "status")
    assert await door.stored() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"[" * 5000, b"null"])
async def test_a_body_that_is_no_list_of_items_is_refused(door: Door, body: bytes) -> None:
    assert (await door.post(body)).status_code == 400
    assert await door.stored() == 0


async def test_a_refused_body_may_be_sent_again_with_the_same_nonce(door: Door) -> None:
    nonce = secrets.token_hex(16)
    assert (await door.post(b"[]", nonce=nonce)).status_code == 400
    assert (await door.post(nonce=nonce)).status_code == 200


async def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    answer = await door.post(b" " * (BODY_LIMIT_BYTES + 1))
    assert answer.status_code == 413
    assert await door.stored() == 0


async def test_an_unknown_platform_or_kind_is_not_found(door: Door) -> None:
    assert (await door.post(platform="nobody")).status_code == 404
    assert (await door.post(kind="rumours")).status_code in {404, 422}


async def test_replies_are_refused_with_a_sentence_where_they_are_switched_off(door: Door) -> None:
    await door.execute("UPDATE platform SET takes_replies = false")
    reply = {
        "replyId": "1", "phoneNumber": "15412345678", "content": "T", "signName": "S",
        "receivedAt": NOW.isoformat(),
    }  # fmt: skip
    answer = await door.post([reply], kind="replies")
    assert (answer.status_code, answer.json()["code"]) == (403, "replies_not_taken")
    assert "gateway" in answer.json()["msg"]
    assert (await door.post()).status_code == 200
    assert await door.stored() == 1


async def test_old_nonces_are_forgotten(door: Door) -> None:
    await door.post()
    assert await forget_nonces(door.ledger, now=datetime.now(UTC)) == 0
    later = datetime.now(UTC) + timedelta(seconds=700)
    assert await forget_nonces(door.ledger, now=later) == 1
